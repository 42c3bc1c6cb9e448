#include "broker/api/config_changes.h"

#include <map>

#include "broker/api/error_map.h"
#include "broker/api/topics.h"

namespace odradek::broker::api {

void refuse_duplicates(std::vector<ResourceChange>& resources) {
  std::map<std::pair<int8_t, std::string>, int> times;
  for (const ResourceChange& resource : resources) ++times[{resource.type, resource.name}];
  for (ResourceChange& resource : resources) {
    if (times[{resource.type, resource.name}] > 1 && !resource.refused) {
      resource.refused =
          Refused{ErrorCode::invalid_request, "Each resource must appear at most once"};
    }
  }
}

boost::asio::awaitable<void> apply_changes(Services& services,
                                           std::vector<ResourceChange>& resources,
                                           bool validate_only, int64_t deadline_ms) {
  std::vector<metadata::ConfigChange> changes;
  std::vector<size_t> which;
  for (size_t i = 0; i < resources.size(); ++i) {
    if (resources[i].refused) continue;
    which.push_back(i);
    changes.push_back(std::move(resources[i].change));
  }
  if (changes.empty()) co_return;
  int64_t left = std::max<int64_t>(deadline_ms - services.clock->monotonic_ms(), 1000);
  auto done = co_await services.coordinator->alter_configs(std::move(changes), validate_only,
                                                           std::chrono::milliseconds(left));
  if (!done) {
    for (size_t i : which)
      resources[i].refused = Refused{admin_error(done.error()), done.error().what()};
    co_return;
  }
  std::vector<std::string> topics;
  for (size_t i : which) {
    for (const metadata::ConfigResult& result : *done) {
      if (result.entity != entity_of(resources[i].type) || result.name != resources[i].name)
        continue;
      if (result.error) {
        resources[i].refused = Refused{to_kafka(result.error->code()), result.error->what()};
      } else if (result.entity == metadata::ConfigEntity::topic) {
        topics.push_back(result.name);
      }
    }
  }
  if (!validate_only) co_await wait_for_logs(services, std::move(topics), deadline_ms);
}

}  // namespace odradek::broker::api
