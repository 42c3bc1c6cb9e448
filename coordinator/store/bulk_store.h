#pragma once
// BulkStore: a new store on disk that is written all at once, without a sync for each step. What is
// put is found by get and scan at once; durable it is when finish returns, and before that the folder
// counts for nothing. One thread. Errors: disk_full, permission_denied, io_error, each a sentence.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"
#include "coordinator/store/rocks_store.h"

namespace odradek::coordinator::store {

class BulkStore {
 public:
  // The folder must not be there yet.
  static Result<std::unique_ptr<BulkStore>> create(const std::string& path, RocksOptions options);
  ~BulkStore();

  Result<void> put(std::string_view key, std::string_view value);
  Result<void> remove(std::string_view key);
  Result<std::optional<std::string>> get(std::string_view key);
  // Keys that begin with the prefix, in byte order; false ends the scan. `visit` may not write.
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;
  Result<void> scan(std::string_view prefix, const Visit& visit);

  // Writes out what is in memory, syncs, closes.
  Result<void> finish();

 private:
  struct Impl;
  explicit BulkStore(std::unique_ptr<Impl> impl);
  Result<void> write_waiting();
  std::unique_ptr<Impl> impl_;
};

}  // namespace odradek::coordinator::store
