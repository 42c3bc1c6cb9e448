/* A client that speaks just enough of Kafka's protocol to append and read uniform batches, and costs next to nothing.
 *
 *   wire_load produce PORT TOPIC PARTITIONS CONNECTIONS WINDOW RECORD RECORDS MEGABYTES
 *       batches of RECORDS records of RECORD bytes, acks=1, WINDOW requests on the way on each connection, until
 *       MEGABYTES (10^6) of batches were acknowledged
 *   wire_load fetch PORT TOPIC PARTITIONS RECORD RECORDS MEGABYTES
 *       answers of up to 1 MiB, of one partition after another, of what `produce` with the same numbers appended
 *
 * One line on standard output: requests, bytes of batches, seconds, CPU seconds of this client. Status 1 if anything failed. */
#include <arpa/inet.h>
#include <endian.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

static void give_up(const char *what, long code) {
  fprintf(stderr, "wire_load: %s (%ld)\n", what, code);
  exit(1);
}

static char *put16(char *at, int v) { *at++ = (char)(v >> 8); *at++ = (char)v; return at; }
static char *put32(char *at, int32_t v) { v = (int32_t)htobe32((uint32_t)v); memcpy(at, &v, 4); return at + 4; }
static char *put64(char *at, int64_t v) { v = (int64_t)htobe64((uint64_t)v); memcpy(at, &v, 8); return at + 8; }
static char *put_text(char *at, const char *s) { at = put16(at, (int)strlen(s)); memcpy(at, s, strlen(s)); return at + strlen(s); }
static int32_t get32(const char *at) { int32_t v; memcpy(&v, at, 4); return (int32_t)be32toh((uint32_t)v); }

static char *put_varint(char *at, int v) {
  unsigned z = (unsigned)v << 1 ^ (unsigned)(v >> 31);
  for (; z >= 128; z >>= 7) *at++ = (char)(z | 128);
  *at++ = (char)z;
  return at;
}

static uint32_t crc32c(const char *data, size_t size) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < size; i++) {
    crc ^= (unsigned char)data[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
  }
  return ~crc;
}

/* A batch of `count` records; returns its size. */
static size_t make_batch(char *batch, int size, int count) {
  char *at = batch + 61, *value = malloc((size_t)size), *body = malloc((size_t)size + 64);
  unsigned seed = 7;
  for (int i = 0; i < count; i++) {
    for (int k = 0; k < size; k++) {
      seed = seed * 1103515245u + 12345u;
      value[k] = "broker record offset segment leader 0123456789"[(seed >> 16) % 46];
    }
    char *b = body;
    *b++ = 0;
    b = put_varint(b, 0);
    b = put_varint(b, i);
    b = put_varint(b, -1);
    b = put_varint(b, size);
    memcpy(b, value, (size_t)size);
    b = put_varint(b + size, 0);
    at = put_varint(at, (int)(b - body));
    memcpy(at, body, (size_t)(b - body));
    at += b - body;
  }
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const int64_t ms = (int64_t)now.tv_sec * 1000;
  const size_t all = (size_t)(at - batch);
  char *h = put64(batch, 0);
  h = put32(h, (int32_t)(all - 12));
  h = put32(h, -1);
  *h++ = 2;
  h += 4;
  h = put16(h, 0);
  h = put32(h, count - 1);
  h = put64(put64(h, ms), ms);
  h = put32(put16(put64(h, -1), -1), -1);
  put32(h, count);
  put32(batch + 17, (int32_t)crc32c(batch + 21, all - 21));
  free(value);
  free(body);
  return all;
}

static int connect_to(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(s, (void *)&a, sizeof a)) give_up("no connection", port);
  return s;
}

static void send_all(int s, const char *data, size_t size) {
  while (size > 0) {
    ssize_t n = send(s, data, size, MSG_NOSIGNAL);
    if (n <= 0) give_up("the connection ended", n);
    data += n;
    size -= (size_t)n;
  }
}

static void receive(int s, char *data, size_t size, int flags) {
  while (size > 0) {
    ssize_t n = recv(s, data, size, flags);
    if (n <= 0) give_up("the connection ended", n);
    if (!flags) data += n;
    size -= (size_t)n;
  }
}

static char *put_head(char *at, int key, int version) {
  at = put32(at + 4, key << 16 | version);
  return put_text(put32(at, 1), "load");
}

static void report(long requests, double bytes, double since, double cpu_before) {
  printf("%ld %.0f %.3f %.3f\n", requests, bytes, clock_seconds() - since, own_cpu() - cpu_before);
}

static int produce(char **a) {
  const int port = atoi(a[0]), partitions = atoi(a[2]), connections = atoi(a[3]), window = atoi(a[4]);
  const int record = atoi(a[5]), count = atoi(a[6]);
  const double wanted = atof(a[7]) * 1e6;
  char *frame = calloc(1, (size_t)(record + 64) * (size_t)count + 4096);
  char *batch = calloc(1, (size_t)(record + 64) * (size_t)count + 4096);
  const size_t size = make_batch(batch, record, count);
  char *at = put16(put_head(frame, 0, 3), -1);
  at = put32(put16(at, 1), 30000);
  at = put32(put_text(put32(at, 1), a[1]), 1);
  char *partition = at;
  at = put32(at + 4, (int32_t)size);
  memcpy(at, batch, size);
  const size_t length = (size_t)(at - frame) + size;
  put32(frame, (int32_t)(length - 4));
  const long requests = (long)(wanted / (double)size) + 1;
  int *s = calloc((size_t)connections, sizeof *s);
  for (int i = 0; i < connections; i++) s[i] = connect_to(port);
  const size_t error_at = 4 + 4 + 2 + strlen(a[1]) + 4 + 4;
  char answer[4096];
  double since = clock_seconds(), cpu = own_cpu();
  long sent = 0, answered = 0;
  for (int w = 0; w < window; w++) {
    for (int i = 0; i < connections && sent < requests; i++, sent++) {
      put32(partition, (int32_t)(sent % partitions));
      send_all(s[i], frame, length);
    }
  }
  for (; answered < requests; answered++) {  /* in the order of sending: connection by connection */
    const int c = s[answered % connections];
    receive(c, answer, 4, 0);
    const int32_t rest = get32(answer);
    if (rest < (int32_t)error_at + 2 || rest > (int32_t)sizeof answer) give_up("an answer of odd size", rest);
    receive(c, answer, (size_t)rest, 0);
    if (answer[error_at] || answer[error_at + 1]) give_up("an error", answer[error_at] << 8 | answer[error_at + 1]);
    if (sent < requests) {
      put32(partition, (int32_t)(sent % partitions));
      send_all(c, frame, length);
      sent++;
    }
  }
  report(answered, (double)answered * (double)size, since, cpu);
  return 0;
}

static int fetch(char **a) {
  const int port = atoi(a[0]), partitions = atoi(a[2]), record = atoi(a[3]), count = atoi(a[4]);
  const double wanted = atof(a[5]) * 1e6;
  char *batch = calloc(1, (size_t)(record + 64) * (size_t)count + 4096);
  const size_t size = make_batch(batch, record, count);
  const long batches = (long)(wanted / (double)size) + 1;
  char frame[4096];
  static char sink[1 << 20];
  char *at = put_head(frame, 1, 4);
  at = put32(put32(put32(put32(at, -1), 500), 1), 1 << 20);
  *at++ = 0;
  at = put32(put_text(put32(at, 1), a[1]), 1);
  char *partition = at;
  at = put32(at + 12, 1 << 20);
  const size_t length = (size_t)(at - frame);
  put32(frame, (int32_t)(length - 4));
  const size_t head = 4 + 4 + 4 + 2 + strlen(a[1]) + 4 + 4 + 2 + 8 + 8 + 4 + 4;
  int s = connect_to(port);
  double since = clock_seconds(), cpu = own_cpu(), bytes = 0;
  long requests = 0;
  for (int p = 0; p < partitions; p++) {
    long left = batches / partitions + (p < batches % partitions);
    for (int64_t offset = 0; left > 0; requests++) {
      put64(put32(partition, p), offset);
      send_all(s, frame, length);
      char answer[256];
      receive(s, answer, 4 + head, 0);
      const int32_t all = get32(answer), data = get32(answer + head);
      if (answer[head - 22 - 4] || answer[head - 21 - 4]) give_up("a fetch fails", p);
      if (data < (int32_t)size || all != (int32_t)head + data) give_up("an answer of odd size", data);
      for (int32_t rest = data; rest > 0;) {
        int32_t some = rest < (int32_t)sizeof sink ? rest : (int32_t)sizeof sink;
        receive(s, sink, (size_t)some, MSG_TRUNC);
        rest -= some;
      }
      const long got = data / (long)size;
      offset += got * count;
      left -= got;
      bytes += (double)data;
    }
  }
  report(requests, bytes, since, cpu);
  return 0;
}

int main(int n, char **a) {
  if (n == 10 && !strcmp(a[1], "produce")) return produce(a + 2);
  if (n == 8 && !strcmp(a[1], "fetch")) return fetch(a + 2);
  fprintf(stderr, "usage: see the head of wire_load.c\n");
  return 2;
}
