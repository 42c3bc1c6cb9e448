#include "broker/api/fetch.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <memory>

#include "broker/api/broker_settings.h"
#include "broker/api/error_map.h"
#include "broker/api/fetch_session.h"
#include "broker/api/fetch_wait.h"
#include "broker/api/partition_access.h"
#include "broker/log/message_set.h"
#include "common/runtime/background.h"
#include "proto/kafka/fetch.h"

namespace odradek::broker::api {

namespace asio = boost::asio;

namespace {

constexpr int16_t kFirstZstdVersion = 10;
constexpr int16_t kFirstVersionOfBatches = 4;  // below it, message sets
constexpr int16_t kLastVersionWithStrictSize = 2;
constexpr int16_t kLastVersionWithoutStorageError = 5;
constexpr int64_t kOpeningWaitMs = 5000;

// One fetch on its way.
struct Run {
  Services& services;
  const RequestContext& context;
  const kafka::FetchRequest& request;
  FetchPlan plan;
  std::vector<TopicPartition> ids;  // of plan.targets
  std::vector<FetchOutcome> outcomes;
  std::vector<Bytes> message_sets;  // for old clients, in place of the outcomes' slices
  replica::ReadLimit limit = replica::ReadLimit::high_watermark;
  bool follower = false;
  int64_t budget = 0;  // bytes that may still be read
  int64_t bytes = 0;   // read
  bool answer_now = false;
};

void set_error(const Run& run, FetchOutcome& outcome, ErrorCode error) {
  if (run.context.version <= kLastVersionWithoutStorageError) error = without_storage_error(error);
  outcome.data.error_code = wire(error);
  outcome.data.high_watermark = -1;
  outcome.data.last_stable_offset = -1;
  outcome.data.log_start_offset = -1;
}

void name_partitions(Run& run) {
  run.ids.clear();
  run.ids.reserve(run.plan.targets.size());
  for (const FetchTarget& target : run.plan.targets) {
    TopicPartition id{target.topic, PartitionId(target.partition)};
    if (run.plan.by_id) {
      const metadata::Topic* topic = run.context.image->topic(target.topic_id);
      id.topic = topic ? topic->name : std::string();  // empty: the id is not known
    }
    run.ids.push_back(std::move(id));
  }
}

// KIP-595: the follower's or client's last epoch ends earlier here than it has read.
bool diverges(const Run& run, replica::Partition& partition, const FetchTarget& target,
              FetchOutcome& outcome) {
  if (target.last_fetched_epoch < 0) return false;
  auto end = partition.end_offset_for_epoch(LeaderEpoch(target.last_fetched_epoch));
  if (end.leader_epoch.value() < 0 || end.end_offset.value() < 0) {
    set_error(run, outcome, ErrorCode::offset_out_of_range);
    return true;
  }
  if (end.leader_epoch.value() >= target.last_fetched_epoch &&
      end.end_offset.value() >= target.fetch_offset) {
    return false;
  }
  outcome.data.diverging_epoch = {end.leader_epoch.value(), end.end_offset.value()};
  return true;
}

void set_aborted_transactions(replica::Partition& partition, const FetchTarget& target,
                              FetchOutcome& outcome) {
  outcome.data.aborted_transactions.emplace();
  if (outcome.slice.size == 0) return;
  auto aborted = partition.log().aborted_transactions(Offset(target.fetch_offset),
                                                      Offset(outcome.data.last_stable_offset));
  if (!aborted) return;
  for (const auto& transaction : *aborted) {
    outcome.data.aborted_transactions->push_back(
        {transaction.producer_id.value(), transaction.first_offset.value()});
  }
}

// On the partition's shard.
void read_one(Run& run, size_t i) {
  const FetchTarget& target = run.plan.targets[i];
  FetchOutcome& outcome = run.outcomes[i];
  outcome = FetchOutcome();
  outcome.data.partition_index = target.partition;
  outcome.data.aborted_transactions.reset();
  auto fail = [&](const Error& error) {
    set_error(run, outcome, to_kafka(error.code()));
    (void)error_number(error, "Fetch");
    run.answer_now = true;
  };
  if (run.ids[i].topic.empty())
    return fail(Error(Errc::unknown_topic_id, "there is no topic of this id"));
  auto found = run.services.partitions->find(run.ids[i]);
  if (!found) return fail(found.error());
  replica::Partition& partition = **found;
  if (run.plan.by_id && !partition.topic_id().is_zero() &&
      partition.topic_id() != target.topic_id) {
    return fail(Error(Errc::inconsistent_topic_id, "the topic has another id"));
  }
  std::optional<LeaderEpoch> epoch;
  if (target.current_leader_epoch >= 0) epoch = LeaderEpoch(target.current_leader_epoch);
  auto leads = partition.check_leader(epoch);
  if (!leads) return fail(leads.error());
  if (run.context.version < kFirstZstdVersion &&
      partition.log().config().compression == compress::Codec::zstd) {
    return fail(Error(Errc::unsupported_compression_type, "zstd needs Fetch of version 10"));
  }
  if (run.context.version < kFirstVersionOfBatches && !partition.log().config().down_conversion) {
    return fail(Error(Errc::unsupported_version, "message.downconversion.enable is false"));
  }
  if (diverges(run, partition, target, outcome)) {
    run.answer_now = true;
    if (outcome.data.error_code != 0) return;
    outcome.data.high_watermark = partition.high_watermark().value();
    outcome.data.last_stable_offset = partition.last_stable_offset().value();
    outcome.data.log_start_offset = partition.log_start_offset().value();
    return;
  }
  int64_t most = std::clamp<int64_t>(run.budget, 0, std::max(target.max_bytes, 0));
  // The first batch comes whatever its size (KIP-74). Before that, every partition's did, cut.
  bool first = run.bytes == 0 || run.context.version <= kLastVersionWithStrictSize;
  auto read =
      partition.read(Offset(target.fetch_offset), static_cast<size_t>(most), run.limit, first);
  if (!read) return fail(read.error());
  outcome.data.high_watermark = read->high_watermark.value();
  outcome.data.last_stable_offset = read->last_stable_offset.value();
  outcome.data.log_start_offset = read->log_start_offset.value();
  outcome.slice = std::move(read->slice);
  run.bytes += static_cast<int64_t>(outcome.slice.size);
  run.budget -= static_cast<int64_t>(outcome.slice.size);
  if (run.limit == replica::ReadLimit::last_stable_offset)
    set_aborted_transactions(partition, target, outcome);
}

asio::awaitable<void> read_all(Run& run) {
  run.outcomes.resize(run.plan.targets.size());
  run.bytes = 0;
  run.budget = std::min<int64_t>(run.request.max_bytes, run.services.settings->fetch_max_bytes);
  run.answer_now = false;
  auto id_of = [&run](size_t i) -> const TopicPartition& { return run.ids[i]; };
  auto read = [&run](size_t i) { read_one(run, i); };
  // the budget is shared: another shard goes first each time
  auto turn = static_cast<size_t>(static_cast<uint32_t>(run.context.correlation_id));
  co_await on_owners(run.services, run.plan.targets.size(), turn, id_of, read);
}

asio::awaitable<void> retry_opening(Run& run) {
  bool waited = false;
  for (size_t i = 0; i < run.outcomes.size(); ++i) {
    const int16_t error = run.outcomes[i].data.error_code;
    if (error != wire(ErrorCode::not_leader_or_follower) &&
        error != wire(ErrorCode::unknown_topic_or_partition)) {
      continue;
    }
    if (!is_opening(*run.context.image, run.ids[i], run.services.settings->broker_id)) continue;
    int64_t limit =
        std::min<int64_t>(kOpeningWaitMs, std::max<int64_t>(run.request.max_wait_ms, 100));
    co_await run.services.partitions->wait_open(run.ids[i].topic, run.context.image->zxid, limit);
    waited = true;
  }
  if (waited) co_await read_all(run);
}

bool enough(const Run& run) {
  // more than the largest answer never comes
  const int64_t wanted = std::min(
      {run.request.min_bytes, run.request.max_bytes, run.services.settings->fetch_max_bytes});
  return run.answer_now || run.plan.targets.empty() || run.bytes >= wanted;
}

asio::awaitable<void> read_until_enough(Run& run) {
  co_await read_all(run);
  co_await retry_opening(run);
  const int64_t deadline = run.context.received_ms + run.request.max_wait_ms;
  while (!enough(run)) {
    int64_t left = deadline - run.services.clock->monotonic_ms();
    if (left <= 0) co_return;
    std::vector<Offset> ends;
    ends.reserve(run.outcomes.size());
    for (const FetchOutcome& outcome : run.outcomes)
      ends.push_back(Offset(outcome.data.high_watermark));
    bool moved = co_await wait_for_data(run.services, run.ids, std::move(ends), left);
    if (!moved) co_return;
    co_await read_all(run);
  }
}

struct Converted {
  Bytes set;
  Offset next{0};  // behind what was read
};

Result<Converted> convert(const log::LogSlice& slice, int8_t magic, Offset from) {
  Result<Bytes> batches = log::Log::read_bytes(slice);
  if (!batches) return batches.error();
  const auto most = static_cast<size_t>(log::LogConfig().max_decompressed_bytes);
  Result<Bytes> set = log::to_message_set(*batches, magic, from, most);
  if (!set) return set.error();
  Converted converted{std::move(*set), from};
  log::BatchWalker walker(*batches);
  while (walker.next()) converted.next = walker.header().next_offset();
  return converted;
}

// What an old client gets of one partition. Where a read brought nothing that it could be shown
// (control batches, say), the next one is looked at: it would ask for the same for ever.
asio::awaitable<void> make_message_set(Run& run, size_t i) {
  const FetchTarget& target = run.plan.targets[i];
  FetchOutcome& outcome = run.outcomes[i];
  const int8_t magic = run.context.version < 2 ? 0 : 1;
  Offset from(target.fetch_offset);
  while (outcome.slice.size > 0) {
    auto work = [slice = std::move(outcome.slice), magic, from] {
      return convert(slice, magic, from);
    };
    outcome.slice = log::LogSlice();
    auto converted = co_await run.services.background->run(std::move(work));
    if (!converted) {
      set_error(run, outcome, to_kafka(converted.error().code()));
      (void)error_number(converted.error(), "Fetch");
      co_return;
    }
    if (!converted->set.empty()) {
      Bytes& set = run.message_sets[i] = std::move(converted->set);
      const auto most = static_cast<size_t>(std::max(target.max_bytes, 0));
      if (run.context.version <= kLastVersionWithStrictSize && set.size() > most) set.resize(most);
      co_return;
    }
    from = converted->next;
    auto read_on = [&run, i, from] {
      auto found = run.services.partitions->find(run.ids[i]);
      if (!found) return log::LogSlice();
      auto read = (*found)->read(from, static_cast<size_t>(std::max(run.plan.targets[i].max_bytes, 0)),
                                 run.limit, true);
      return read ? std::move(read->slice) : log::LogSlice();
    };
    outcome.slice =
        co_await runtime::run_on(run.services.partitions->owner(run.ids[i]), std::move(read_on));
  }
}

Answer with_records(const RequestContext& context, const kafka::FetchResponse& response,
                    std::vector<log::LogSlice>& slices) {
  ByteWriter out;
  begin_response(context, out);
  response.encode(out, context.version);
  Answer answer;
  size_t at = 0;
  for (const auto& splice : out.splices()) {
    answer.add(Bytes(out.buffer(), at, splice.position - at));
    at = splice.position;
    log::LogSlice& slice = slices[splice.token];
    answer.add(FileRange{std::move(slice.file), static_cast<int64_t>(slice.position), slice.size});
  }
  if (at == 0) {
    answer.add(out.take());
  } else {
    answer.add(Bytes(out.buffer(), at));
  }
  return answer;
}

Answer answer_of(Run& run, const std::vector<bool>& news) {
  kafka::FetchResponse response;
  std::vector<log::LogSlice> slices;
  response.session_id = run.plan.session_id;
  // partitions of one topic stand together as far as the order of the plan has them so
  for (size_t i = 0; i < run.outcomes.size(); ++i) {
    if (!news[i]) continue;
    const FetchTarget& target = run.plan.targets[i];
    FetchOutcome& outcome = run.outcomes[i];
    bool same = !response.responses.empty() &&
                (run.plan.by_id ? response.responses.back().topic_id == target.topic_id
                                : response.responses.back().topic == target.topic);
    if (!same) {
      kafka::FetchResponse::FetchableTopicResponse topic;
      topic.topic = target.topic;
      topic.topic_id = target.topic_id;
      response.responses.push_back(std::move(topic));
    }
    if (!run.message_sets.empty() && !run.message_sets[i].empty()) {
      outcome.data.records = kafka::Records::owned(std::move(run.message_sets[i]));
    } else if (outcome.slice.size > 0) {
      outcome.data.records = kafka::Records::splice(outcome.slice.size, slices.size());
      slices.push_back(std::move(outcome.slice));
    } else {
      outcome.data.records = kafka::Records::view(ByteView());
    }
    if (wants_hint(outcome.data.error_code)) {
      LeaderHint hint = leader_hint(*run.context.image, run.ids[i]);
      outcome.data.current_leader = {hint.leader_id, hint.leader_epoch};
      if (run.context.version >= 16)
        add_endpoint(run.context, hint.leader_id, response.node_endpoints);
    }
    response.responses.back().partitions.push_back(std::move(outcome.data));
  }
  return with_records(run.context, response, slices);
}

Answer failed(const RequestContext& context, ErrorCode error) {
  kafka::FetchResponse response;
  response.error_code = wire(error);
  return respond(context, response);
}

}  // namespace

asio::awaitable<Answer> handle_fetch(Services& services, RequestContext context, ByteView body) {
  auto decoded = decode_request<kafka::FetchRequest>(context, body);
  if (!decoded) co_return bad_request(context, decoded.error());
  kafka::FetchRequest& request = *decoded;

  Run run{services, context, request};
  run.follower = request.replica_id >= 0 || request.replica_state.replica_id >= 0;
  if (run.follower) {
    run.limit = replica::ReadLimit::log_end;
  } else if (request.isolation_level == 1) {
    run.limit = replica::ReadLimit::last_stable_offset;
  }

  // A new session lives on the connection's own shard: its later requests do not hop.
  FetchSessions& sessions = *services.fetch_sessions;
  size_t session_shard = runtime::Shards::current().value_or(0);
  if (context.version >= 7 && request.session_id != 0)
    session_shard = sessions.shard_of(request.session_id);
  auto session_owner = services.partitions->table().executor(session_shard);
  auto begin = [&] {
    return sessions.cache(session_shard)
        .begin(request, context.version, services.clock->monotonic_ms());
  };
  run.plan = co_await runtime::run_on(session_owner, std::move(begin));
  if (run.plan.error != ErrorCode::none) co_return failed(context, run.plan.error);
  name_partitions(run);

  co_await read_until_enough(run);

  if (context.version < kFirstVersionOfBatches) {
    run.message_sets.resize(run.outcomes.size());
    for (size_t i = 0; i < run.outcomes.size(); ++i) co_await make_message_set(run, i);
  }
  std::vector<bool> news(run.outcomes.size(), true);
  if (run.plan.kind != FetchKind::sessionless) {
    auto complete = [&] {
      sessions.cache(session_shard)
          .complete(run.plan, run.outcomes, news, services.clock->monotonic_ms());
    };
    co_await runtime::run_on(session_owner, std::move(complete));
    if (run.plan.error != ErrorCode::none) co_return failed(context, run.plan.error);
  }
  co_return answer_of(run, news);
}

}  // namespace odradek::broker::api
