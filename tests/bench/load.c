/* A load client on librdkafka that costs as little as it can.
 *
 *   load produce BOOTSTRAP TOPIC MEGABYTES SIZE CODEC    records of SIZE bytes until MEGABYTES (10^6) were acknowledged by all
 *   load consume BOOTSTRAP TOPIC MEGABYTES               from the beginning of every partition, without a group
 *
 * One line on standard output: records, bytes, seconds, CPU seconds of this client. Status 1 if anything failed. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static long failed;

static double clock_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double own_cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void give_up(const char *what, const char *why) {
  fprintf(stderr, "load: %s: %s\n", what, why);
  exit(1);
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *context) {
  (void)client;
  (void)context;
  if (message->err && failed++ < 3) fprintf(stderr, "load: not delivered: %s\n", rd_kafka_err2str(message->err));
}

static rd_kafka_t *open_client(rd_kafka_type_t type, const char *const *settings) {
  char why[300];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  for (; *settings; settings += 2) {
    if (rd_kafka_conf_set(conf, settings[0], settings[1], why, sizeof why) != RD_KAFKA_CONF_OK) give_up(settings[0], why);
  }
  if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof why);
  if (!client) give_up("client", why);
  return client;
}

static void report(long records, double bytes, double since, double cpu_before) {
  printf("%ld %.0f %.3f %.3f\n", records, bytes, clock_seconds() - since, own_cpu() - cpu_before);
  fflush(stdout);
}

static int produce(char **a) {
  double wanted = atof(a[2]) * 1e6;
  size_t size = (size_t)atol(a[3]);
  const char *settings[] = {"bootstrap.servers", a[0], "acks", "all", "compression.codec", a[4], "linger.ms", "5",
                            "queue.buffering.max.messages", "300000", "delivery.report.only.error", "true", NULL};
  rd_kafka_t *client = open_client(RD_KAFKA_PRODUCER, settings);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(client, a[1], NULL);
  /* a thousand different records that compress like log lines do: words of a small vocabulary, numbers between them */
  char **records = calloc(1000, sizeof *records);
  unsigned seed = 7;
  for (int r = 0; r < 1000; r++) {
    records[r] = malloc(size + 32);
    size_t at = 0;
    while (at < size) {
      seed = seed * 1103515245u + 12345u;
      static const char *words[] = {"broker", "record", "offset", "segment", "leader", "znode", "session", "watch"};
      at += (size_t)snprintf(records[r] + at, 32, "%s=%u ", words[seed >> 29], (seed >> 8) % 100000);
    }
  }
  double since = clock_seconds(), cpu = own_cpu(), bytes = 0;
  long count = 0;
  for (; bytes < wanted && !failed; count++) {
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, 0, records[count % 1000], size, NULL, 0, NULL) == -1) {
      if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) give_up("produce", rd_kafka_err2str(rd_kafka_last_error()));
      rd_kafka_poll(client, 10);
    }
    bytes += (double)size;
  }
  rd_kafka_flush(client, 120000);
  if (rd_kafka_outq_len(client) > 0) give_up("flush", "records are left after two minutes");
  report(count, bytes, since, cpu);
  return failed != 0;
}

static int consume(char **a) {
  double wanted = atof(a[2]) * 1e6, bytes = 0;
  const char *settings[] = {"bootstrap.servers", a[0], "group.id", "load", "enable.auto.commit", "false",
                            "queued.max.messages.kbytes", "131072", NULL};
  rd_kafka_t *client = open_client(RD_KAFKA_CONSUMER, settings);
  const struct rd_kafka_metadata *metadata;
  rd_kafka_topic_t *topic = rd_kafka_topic_new(client, a[1], NULL);
  rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, topic, &metadata, 20000);
  if (error || metadata->topic_cnt != 1) give_up("metadata", rd_kafka_err2str(error));
  rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(4);
  for (int p = 0; p < metadata->topics[0].partition_cnt; p++) {
    rd_kafka_topic_partition_list_add(all, a[1], metadata->topics[0].partitions[p].id)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  static rd_kafka_message_t *messages[5000];
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
  double since = clock_seconds(), cpu = own_cpu(), last = since;
  long count = 0;
  rd_kafka_assign(client, all);
  while (bytes < wanted && clock_seconds() - last < 30) {
    ssize_t n = rd_kafka_consume_batch_queue(queue, 500, messages, 5000);
    for (ssize_t i = 0; i < n; i++) {
      if (!messages[i]->err) {
        count++;
        bytes += (double)messages[i]->len;
        last = clock_seconds();
      }
      rd_kafka_message_destroy(messages[i]);
    }
  }
  report(count, bytes, since, cpu);
  fflush(stdout);
  _Exit(bytes < wanted); /* what is still queued in the client is nobody's concern */
}

int main(int n, char **a) {
  if (n == 7 && !strcmp(a[1], "produce")) return produce(a + 2);
  if (n == 5 && !strcmp(a[1], "consume")) return consume(a + 2);
  fprintf(stderr, "usage: see the head of load.c\n");
  return 2;
}
