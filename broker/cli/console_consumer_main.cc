// kafka-console-consumer: prints the records of topics, read by librdkafka.

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "broker/cli/consumer_plan.h"
#include "broker/cli/rdkafka_config.h"
#include "broker/cli/tool_support.h"
#include "common/cli/socket.h"
#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

constexpr std::string_view kLogger = "kafka.tools.ConsoleConsumer$";

ConsumedRecord view_of(const rd_kafka_message_t& message) {
  ConsumedRecord record;
  record.topic = rd_kafka_topic_name(message.rkt);
  record.partition = message.partition;
  record.offset = message.offset;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  record.timestamp_ms = rd_kafka_message_timestamp(&message, &type);
  if (type == RD_KAFKA_TIMESTAMP_CREATE_TIME) record.timestamp_type = TimestampType::create_time;
  if (type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME)
    record.timestamp_type = TimestampType::log_append_time;
  if (message.key)
    record.key = std::string_view(static_cast<const char*>(message.key), message.key_len);
  if (message.payload)
    record.value = std::string_view(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name;
    const void* value;
    size_t size;
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
      record.headers.emplace_back(
          name, value ? std::optional(std::string_view(static_cast<const char*>(value), size))
                      : std::nullopt);
    }
  }
  return record;
}

// Standard output behind a buffer that is written when it is full or when nothing more is at hand.
class Output {
 public:
  std::string& buffer() { return buffer_; }
  bool flush() {
    size_t at = 0;
    while (at < buffer_.size()) {
      ssize_t wrote = write(STDOUT_FILENO, buffer_.data() + at, buffer_.size() - at);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return false;
      at += static_cast<size_t>(wrote);
    }
    buffer_.clear();
    return true;
  }
  bool full() const { return buffer_.size() >= 64 * 1024; }

 private:
  std::string buffer_;
};

class Consumer {
 public:
  Consumer(ConsumerPlan plan, RdKafka client)
      : plan_(std::move(plan)), client_(std::move(client)) {}

  void start() {
    rd_kafka_poll_set_consumer(client_.get());
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t error;
    if (plan_.partition) {
      rd_kafka_topic_partition_list_add(list, plan_.topic.c_str(), *plan_.partition)->offset =
          plan_.offset;
      error = rd_kafka_assign(client_.get(), list);
    } else {
      std::string name = plan_.topic.empty() ? posix_pattern(plan_.pattern) : plan_.topic;
      rd_kafka_topic_partition_list_add(list, name.c_str(), RD_KAFKA_PARTITION_UA);
      error = rd_kafka_subscribe(client_.get(), list);
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(Error(Errc::internal, java_text(error, "")));
  }

  // Until the wanted number, the time-out, a signal or an error; false: the process has to end with
  // status 1.
  bool run() {
    last_record_ms_ = odradek::cli::now_ms();
    while (stop_signal == 0 && (plan_.max_messages < 0 || count_ < plan_.max_messages)) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(client_.get(), 0);
      if (!message) {
        if (!output_.flush()) return unwritable();
        if (plan_.commits) store_first_positions();
        message = rd_kafka_consumer_poll(client_.get(), 100);
      }
      if (!message) {
        if (timed_out()) break;
        continue;
      }
      bool go_on = take(*message);
      rd_kafka_message_destroy(message);
      if (!go_on) break;
    }
    if (!output_.flush()) return unwritable();
    return !failed_;
  }

  void close() {
    if (plan_.commits) store_first_positions();
    rd_kafka_consumer_close(client_.get());
    client_.reset();
  }
  int64_t count() const { return count_; }

 private:
  bool take(const rd_kafka_message_t& message) {
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return take_error(message);
    last_record_ms_ = odradek::cli::now_ms();
    ++count_;
    if (auto done = plan_.formatter->write(view_of(message), output_.buffer()); !done) {
      if (!plan_.skip_on_error) {
        odradek::cli::log_line("ERROR", "Unknown error when running consumer: ", kLogger);
        std::fprintf(stderr, "%s\n", done.error().what().c_str());
        failed_ = true;
        return false;
      }
      odradek::cli::log_line("ERROR", "Error processing message, skipping this message: ", kLogger);
      std::fprintf(stderr, "%s\n", done.error().what().c_str());
    }
    if (output_.full() && !output_.flush()) return unwritable();
    if (plan_.commits) {
      rd_kafka_offset_store(message.rkt, message.partition, message.offset);
      known_.emplace(rd_kafka_topic_name(message.rkt), message.partition);
    }
    return true;
  }

  // A Java consumer commits where it stands in every partition that it was given, also where it has
  // read nothing yet; librdkafka only what was consumed. So the starting point of a partition that
  // the group never committed is stored.
  void store_first_positions() {
    rd_kafka_topic_partition_list_t* assigned = nullptr;
    if (rd_kafka_assignment(client_.get(), &assigned) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    rd_kafka_topic_partition_list_t* fresh = rd_kafka_topic_partition_list_new(assigned->cnt);
    for (int i = 0; i < assigned->cnt; ++i) {
      const auto& entry = assigned->elems[i];
      if (!known_.contains({entry.topic, entry.partition})) {
        rd_kafka_topic_partition_list_add(fresh, entry.topic, entry.partition);
      }
    }
    rd_kafka_topic_partition_list_destroy(assigned);
    if (fresh->cnt > 0 &&
        rd_kafka_committed(client_.get(), fresh, kAskMs) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      for (int i = 0; i < fresh->cnt; ++i) store_first_position(fresh->elems[i]);
    }
    rd_kafka_topic_partition_list_destroy(fresh);
  }

  void store_first_position(const rd_kafka_topic_partition_t& entry) {
    int64_t low = 0;
    int64_t high = 0;
    if (entry.offset < 0) {
      auto error = rd_kafka_query_watermark_offsets(client_.get(), entry.topic, entry.partition,
                                                    &low, &high, kAskMs);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return;
      bool earliest = get_or(plan_.consumer, "auto.offset.reset", "latest") == "earliest";
      rd_kafka_topic_partition_list_t* one = rd_kafka_topic_partition_list_new(1);
      rd_kafka_topic_partition_list_add(one, entry.topic, entry.partition)->offset =
          earliest ? low : high;
      error = rd_kafka_offsets_store(client_.get(), one);
      rd_kafka_topic_partition_list_destroy(one);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    }
    known_.emplace(entry.topic, entry.partition);
  }

  bool take_error(const rd_kafka_message_t& message) {
    switch (message.err) {
      case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        return true;
      case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        odradek::cli::log_line("WARN",
                               "[Consumer clientId=" + get_or(plan_.consumer, "client.id", "") +
                                   ", groupId=" + get_or(plan_.consumer, "group.id", "") +
                                   "] Error while fetching metadata : {" + plan_.topic +
                                   plan_.pattern + "=" +
                                   (message.err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
                                        ? "LEADER_NOT_AVAILABLE}"
                                        : "UNKNOWN_TOPIC_OR_PARTITION}"),
                               "org.apache.kafka.clients.NetworkClient");
        return true;
      default:
        break;
    }
    output_.flush();
    odradek::cli::log_line("ERROR",
                           "Error processing message, terminating consumer process: ", kLogger);
    const char* detail = rd_kafka_message_errstr(&message);
    std::fprintf(stderr, "%s\n", java_text(message.err, detail ? detail : "").c_str());
    failed_ = message.err == RD_KAFKA_RESP_ERR__AUTHENTICATION;
    return false;
  }

  bool timed_out() {
    if (plan_.timeout_ms < 0) return false;
    if (odradek::cli::now_ms() - last_record_ms_ < plan_.timeout_ms) return false;
    odradek::cli::log_line("ERROR",
                           "Error processing message, terminating consumer process: ", kLogger);
    std::fputs("org.apache.kafka.common.errors.TimeoutException\n", stderr);
    return true;
  }

  bool unwritable() {
    std::fputs("Unable to write to standard out, closing consumer.\n", stderr);
    output_.buffer().clear();
    stop_signal = SIGPIPE;
    return false;
  }

  static constexpr int kAskMs = 5000;

  ConsumerPlan plan_;
  RdKafka client_;
  Output output_;
  std::set<std::pair<std::string, int32_t>>
      known_;  // partitions whose position is stored or was committed before
  int64_t count_ = 0;
  bool failed_ = false;
  int64_t last_record_ms_ = 0;
};

int run(int argc, char** argv) {
  ConsumerPlan plan = make_consumer_plan(argc, argv);
  bool systest_events = plan.systest_events;
  auto conf = make_rdkafka_config(plan.consumer, ClientRole::consumer);
  if (!conf) fail(conf.error());
  // A record counts as consumed when it was printed, not when it was fetched.
  rd_kafka_conf_set(conf->get(), "enable.auto.offset.store", "false", nullptr, 0);
  auto client = make_rdkafka_client(std::move(*conf), ClientRole::consumer);
  if (!client) fail(client.error());

  stop_on_signals();
  signal(SIGPIPE, SIG_IGN);

  Consumer consumer(std::move(plan), std::move(*client));
  consumer.start();
  bool good = consumer.run();
  int signal_number = stop_signal;
  consumer.close();
  std::fprintf(stderr, "Processed a total of %lld messages\n",
               static_cast<long long>(consumer.count()));
  if (systest_events) std::puts("shutdown_complete");
  if (signal_number == SIGINT || signal_number == SIGTERM) return 128 + signal_number;
  return good || signal_number == SIGPIPE ? 0 : 1;
}

}  // namespace
}  // namespace odradek::broker::cli

int main(int argc, char** argv) { return odradek::broker::cli::run(argc, argv); }
