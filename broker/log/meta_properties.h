#pragma once
// meta.properties of a data directory: whose data lies there. Version 0: broker.id, cluster.id;
// version 1 (written by KRaft brokers): node.id, cluster.id, directory.id. Beside it
// .odradek_directory_id holds this directory's own random id, which the registration of a broker
// carries.

#include <optional>
#include <string>

#include "common/clock.h"
#include "common/fs/file_system.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::log {

struct MetaProperties {
  std::optional<BrokerId> broker_id;
  std::string cluster_id;  // empty: not known
  bool operator==(const MetaProperties&) const = default;
};

// Nothing where the file is absent; malformed where it is damaged.
Result<std::optional<MetaProperties>> read_meta_properties(fs::FileSystem& files,
                                                           const std::string& directory);
Result<void> write_meta_properties(fs::FileSystem& files, const std::string& directory,
                                   const MetaProperties& properties, int64_t now_ms);

// Reads it or makes it.
Result<Uuid> directory_identity(fs::FileSystem& files, const std::string& directory);

}  // namespace odradek::broker::log
