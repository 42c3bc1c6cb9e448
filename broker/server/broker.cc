#include "broker/server/broker.h"

#include <netdb.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <thread>

#include "broker/replica/topic_settings.h"
#include "common/config/broker_rules.h"
#include "common/log/log.h"
#include "common/runtime/spawn.h"

namespace odradek::broker::server {

namespace asio = boost::asio;

namespace {

constexpr size_t kMaxBackgroundQueue = 100000;
constexpr int64_t kControlledShutdownMs = 3000;
constexpr int64_t kLockPatienceMs = 3000;
constexpr int64_t kQuickOpeningMs = 500;  // a longer one is not waited for: the port opens
constexpr int64_t kStopCheckMs = 200;
constexpr auto kProducerIdTimeout = std::chrono::milliseconds(10000);

size_t cores() { return std::max<size_t>(1, std::thread::hardware_concurrency()); }

void raise_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The name that this machine has for others; what Kafka advertises where nothing is set.
std::string own_name() {
  char name[256] = "";
  if (gethostname(name, sizeof name - 1) != 0) return "localhost";
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(name, nullptr, &hints, &found) != 0) return "localhost";
  std::string canonical = found->ai_canonname ? found->ai_canonname : name;
  freeaddrinfo(found);
  return canonical;
}

void warn_of_tmp(const config::Settings& settings) {
  for (const std::string& path : config::log_dirs(settings)) {
    if (path != "/tmp" && !path.starts_with("/tmp/")) continue;
    std::string key = settings.is_set("log.dirs") ? "log.dirs" : "log.dir";
    LOG_WARN("server",
             "{} is below /tmp, which many systems empty at boot: change this line to a directory "
             "that stays, "
             "for example {}=/var/lib/kafka",
             settings.place(key), key);
    return;
  }
}

}  // namespace

Broker::Broker(Options options)
    : options_(std::move(options)),
      shards_("shard", cores()),
      background_("background", std::max<size_t>(2, cores()), kMaxBackgroundQueue),
      settings_(options_.settings) {}

Broker::~Broker() = default;

runtime::awaitable<void> Broker::open_logs() {
  log::LogManager::Options options;
  options.directories = config::log_dirs(options_.settings);
  options.reserved_bytes =
      static_cast<uint64_t>(options_.settings.get_long("log.dirs.reserved.bytes"));
  if (BrokerId id(config::broker_id(options_.settings)); id.value() >= 0) options.broker_id = id;
  const int64_t give_up = clock_.monotonic_ms() + kLockPatienceMs;
  while (true) {
    auto open = [this, &options] { return log::LogManager::open(files_, clock_, options); };
    auto opened = co_await background_.run(std::move(open));
    if (opened) {
      logs_ = std::move(*opened);
      co_return;
    }
    // a broker that was just killed may still hold the lock while the system takes its memory back
    if (opened.error().code() != Errc::locked || clock_.monotonic_ms() > give_up) {
      failure_ = opened.error();
      co_return;
    }
    co_await runtime::sleep_ms(50);
  }
}

void Broker::make_parts() {
  const config::Settings& file = options_.settings;
  coordinator_ = std::make_unique<metadata::CoordinatorClient>(shards_.executor(0));
  const int64_t producer_expiry_ms = file.get_long("producer.id.expiration.ms");
  auto topic_settings = [this, producer_expiry_ms](const metadata::ConfigMap& overrides,
                                                   const metadata::Image& image) {
    auto resolved = config::resolve_topic_config(overrides, settings_.layers(image));
    return replica::topic_settings(resolved, producer_expiry_ms);
  };
  replica::ReplicaSettings replica = replica_settings(file);
  replica.cleaner_by_image = [this](const metadata::Image& image) {
    return cleaner_settings(settings_.layers(image));
  };
  partitions_ = std::make_unique<replica::PartitionManager>(replica, topic_settings, shards_,
                                                            background_, clock_, *logs_);
  partitions_->on_all_directories_failed([this] {
    end_with(Error(Errc::log_dir_offline,
                   "every log directory has failed; repair the disk, or name other log.dirs"));
  });
  groups_ = std::make_unique<group::GroupManager>(group_settings(file), &clock_, &shards_,
                                                  &background_, partitions_.get());
  partitions_->listen(std::string(group::kOffsetsTopic), groups_.get());
  fetch_sessions_ = std::make_unique<api::FetchSessions>(
      shards_.size(), static_cast<size_t>(settings_.max_fetch_sessions), int64_t{120000});
  producer_ids_ = std::make_unique<api::ProducerIds>(shards_.executor(0), [this] {
    return coordinator_->allocate_producer_ids(kProducerIdTimeout);
  });
  services_ = {&settings_,         &clock_,           &shards_,      &background_,
               coordinator_.get(), partitions_.get(), groups_.get(), fetch_sessions_.get(),
               producer_ids_.get()};
  server_ = std::make_unique<Server>(server_settings(options_), services_);
}

metadata::Registration Broker::registration() const {
  const config::Settings& file = options_.settings;
  metadata::Registration registration;
  registration.broker_id = BrokerId(config::broker_id(file));
  if (registration.broker_id.value() < 0) {
    registration.broker_id = logs_->stored_broker_id().value_or(BrokerId(-1));
  }
  registration.reserved_broker_max_id = file.get_int("reserved.broker.max.id");
  registration.broker_id_generation_enable = file.get_bool("broker.id.generation.enable");
  for (const config::Endpoint& advertised : options_.listeners.advertised) {
    metadata::Endpoint endpoint;
    endpoint.listener = advertised.listener_name;
    endpoint.security_protocol = std::string(config::name_of(advertised.protocol));
    endpoint.host = advertised.host.empty() ? own_name() : advertised.host;
    endpoint.port = advertised.port;
    for (size_t i = 0; endpoint.port == 0 && i < options_.listeners.listeners.size(); ++i) {
      if (options_.listeners.listeners[i].listener_name == endpoint.listener)
        endpoint.port = server_->port(i);
    }
    registration.endpoints.push_back(std::move(endpoint));
  }
  registration.rack = file.find_string("broker.rack");
  for (const auto& directory : logs_->directories())
    registration.directory_ids.push_back(directory.id);
  registration.incarnation = Uuid::random();
  registration.cluster_id = logs_->stored_cluster_id().value_or("");
  registration.zookeeper_connect = file.get_string("zookeeper.connect");
  registration.session_timeout_ms = file.get_int("zookeeper.session.timeout.ms");
  registration.delete_topic_enable = file.get_bool("delete.topic.enable");
  registration.unclean_leader_election_enable = file.get_bool("unclean.leader.election.enable");
  return registration;
}

void Broker::ask_to_stop() {
  asio::post(shards_.executor(0), [this] {
    stopping_ = true;
    stop_asked_.notify_all();
    // a coordinator that is not there would be waited for without end
    if (registering_)
      runtime::spawn(shards_.executor(0), coordinator_->stop(), "the end of the registration");
  });
}

void Broker::end_with(Error error) {
  asio::post(shards_.executor(0), [this, error = std::move(error)] {
    if (!failure_) failure_ = error;
    stopping_ = true;
    stop_asked_.notify_all();
  });
}

void Broker::on_image(metadata::ImagePtr before, metadata::ImagePtr image,
                      const metadata::ImageChange& change) {
  if (const metadata::Topic* topic = image->topic(group::kOffsetsTopic)) {
    if (!topic->partitions.empty())
      groups_->set_partition_count(static_cast<int32_t>(topic->partitions.size()));
  }
  if (!change.deleted.empty()) {
    std::vector<std::string> names;
    for (const auto& deleted : change.deleted) {
      // an old record, and the topic has been made anew long since: the offsets are the new one's
      bool was_known = before != nullptr && before->topic(deleted.id) != nullptr;
      if (was_known || image->topic(deleted.name) == nullptr) names.push_back(deleted.name);
    }
    groups_->topics_deleted(std::move(names));
  }
  partitions_->apply(std::move(image), change);
}

runtime::awaitable<Result<void>> Broker::start() {
  partitions_->begin_load();
  auto registering = registration();
  BrokerId wanted = registering.broker_id;
  if (wanted.value() >= 0) {
    auto own = logs_->confirm_identity(wanted, "");
    if (!own) co_return own;
  }
  coordinator_->on_image(shards_.executor(0),
                         [this](metadata::ImagePtr before, metadata::ImagePtr after,
                                const metadata::ImageChange& change) {
                           on_image(std::move(before), std::move(after), change);
                         });
  coordinator_->on_refused([this](Error error) { end_with(std::move(error)); });
  auto started = coordinator_->start(std::move(registering));
  if (!started) co_return started;
  if (stopping_) co_return Result<void>();
  registering_ = true;
  auto registered = co_await coordinator_->registered();
  registering_ = false;
  if (!registered) co_return registered.error();
  if (stopping_) co_return Result<void>();
  const metadata::Registered known = *registered;
  auto confirm = [this, known] {
    return logs_->confirm_identity(known.broker_id, known.cluster_id);
  };
  auto confirmed = co_await background_.run(std::move(confirm));
  if (!confirmed) co_return confirmed;
  settings_.broker_id = known.broker_id;
  auto newest = [this] { return coordinator_->image(); };
  co_await partitions_->start(known.broker_id, std::move(newest));
  // who connects meanwhile would only be told to ask again
  (void)co_await partitions_->wait_all_open(kQuickOpeningMs);
  if (stopping_) co_return Result<void>();
  auto listening = server_->start();
  if (!listening) co_return listening;
  for (size_t i = 0; i < options_.listeners.listeners.size(); ++i) {
    LOG_INFO("server", "Awaiting socket connections on {}:{}",
             options_.listeners.listeners[i].host.empty() ? "0.0.0.0"
                                                          : options_.listeners.listeners[i].host,
             server_->port(i));
  }
  while (!stopping_ && !co_await partitions_->wait_all_open(kStopCheckMs)) {
  }
  if (!stopping_) LOG_INFO("server", "[KafkaServer id={}] started", known.broker_id.value());
  co_return Result<void>();
}

runtime::awaitable<void> Broker::stop() {
  LOG_INFO("server", "[KafkaServer id={}] shutting down", settings_.broker_id.value());
  server_->stop_accepting();
  bool registered = coordinator_->registration().broker_epoch >= 0;
  if (registered && coordinator_->connected() &&
      options_.settings.get_bool("controlled.shutdown.enable")) {
    auto moved = co_await coordinator_->controlled_shutdown(
        std::chrono::milliseconds(kControlledShutdownMs));
    if (!moved) LOG_WARN("server", "Leaders could not be moved away: {}", moved.error().what());
  }
  co_await server_->close_all();
  co_await groups_->stop();
  co_await partitions_->stop();
  co_await coordinator_->stop();
  LOG_INFO("server", "[KafkaServer id={}] shut down completed", settings_.broker_id.value());
}

runtime::awaitable<void> Broker::serve() {
  auto started = co_await start();
  if (!started && !stopping_) failure_ = started.error();
  if (started) {
    while (!stopping_) co_await stop_asked_.wait_ms(3600000);
  }
  co_await stop();
}

Result<void> Broker::run() {
  raise_open_files();
  for (const std::string& note : options_.notes) LOG_INFO("server", "{}", note);
  options_.settings.log_findings("server");
  warn_of_tmp(options_.settings);
  shards_.start();
  asio::co_spawn(shards_.executor(0), open_logs(), asio::use_future).get();
  if (failure_) return *failure_;
  make_parts();
  auto bound = server_->bind();
  if (!bound) return bound;
  asio::co_spawn(shards_.executor(0), serve(), asio::use_future).get();
  if (failure_) return *failure_;
  return {};
}

}  // namespace odradek::broker::server
