#pragma once
// partition.metadata of a log's directory (KIP-516): "version: 0\ntopic_id: BASE64URL", without a
// newline at the end.

#include <optional>
#include <string>

#include "common/fs/file_system.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::log {

// Nothing where the file is absent, or empty as a crash may leave it; malformed where it is
// damaged.
Result<std::optional<Uuid>> read_partition_metadata(fs::FileSystem& files,
                                                    const std::string& directory);
// Without a sync: the log's next flush brings it to the disk.
Result<void> write_partition_metadata(fs::FileSystem& files, const std::string& directory,
                                      const Uuid& topic_id);

std::string partition_metadata_path(const std::string& directory);

}  // namespace odradek::broker::log
