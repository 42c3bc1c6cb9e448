#pragma once
// The second half of AlterConfigs and IncrementalAlterConfigs: sends checked changes to the
// coordinator and gives each resource its row.

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "broker/api/config_resource.h"
#include "broker/api/handler.h"

namespace odradek::broker::api {

struct ResourceChange {
  int8_t type = 0;
  std::string name;
  std::optional<Refused> refused;
  metadata::ConfigChange change;
};

// Refuses resources that stand there twice.
void refuse_duplicates(std::vector<ResourceChange>& resources);

// Afterwards a resource without `refused` has its new settings (or would have, with validate_only).
boost::asio::awaitable<void> apply_changes(Services& services,
                                           std::vector<ResourceChange>& resources,
                                           bool validate_only, int64_t deadline_ms);

template <typename Response>
Response config_response(const std::vector<ResourceChange>& resources) {
  Response response;
  for (const ResourceChange& resource : resources) {
    auto& row = response.responses.emplace_back();
    row.resource_type = resource.type;
    row.resource_name = resource.name;
    row.error_message.reset();
    if (resource.refused) {
      row.error_code = wire(resource.refused->code);
      row.error_message = resource.refused->message;
    }
  }
  return response;
}

}  // namespace odradek::broker::api
