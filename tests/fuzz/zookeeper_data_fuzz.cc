// One byte that chooses a file of ZooKeeper's data directory, or the text of a backup; then the file.
// A snapshot whose checksums fit comes out of our writer's records as it went in.
#include <algorithm>

#include "common/check.h"
#include "coordinator/exchange/backup_folder.h"
#include "coordinator/exchange/log_reader.h"
#include "coordinator/exchange/snapshot_reader.h"

namespace {

using namespace odradek;
using namespace odradek::coordinator::exchange;

class BytesSource final : public compress::Source {
 public:
  explicit BytesSource(ByteView bytes) : bytes_(bytes) {}
  Result<size_t> read(char* buffer, size_t size) override {
    size = std::min({size, bytes_.size(), size_t{777}});
    std::copy_n(bytes_.data(), size, buffer);
    bytes_.remove_prefix(size);
    return size;
  }

 private:
  ByteView bytes_;
};

// Encodes each record again; the counts and the end mark are the reader's.
class Again final : public SnapshotVisitor {
 public:
  Result<void> on_session(const zookeeper::SnapshotSession& session) override {
    return take(session);
  }
  Result<void> on_acl(zookeeper::SnapshotAcl acl) override { return take(acl); }
  Result<void> on_node(zookeeper::SnapshotNode node) override { return take(node); }
  size_t bytes = 0;

 private:
  template <typename Record>
  Result<void> take(const Record& record) {
    ByteWriter out;
    record.encode(out);
    bytes += out.buffer_size();
    return {};
  }
};

void snapshot(std::unique_ptr<compress::Source> source) {
  RecordStream in(std::move(source), "snapshot");
  Again again;
  if (auto read = read_snapshot(in, again); !read) {
    CHECK(!read.error().what().empty());
    return;
  }
  CHECK(again.bytes < in.offset());
}

void log(ByteView bytes) {
  auto reader = LogReader::open(RecordStream(std::make_unique<BytesSource>(bytes), "log"), true);
  if (!reader) return;
  for (;;) {
    auto txn = (*reader)->next();
    if (!txn || !*txn) return;
    CHECK((*reader)->offset() < bytes.size());
  }
}

void backup_text(ByteView bytes) {
  auto facts = decode_facts(bytes);
  if (!facts) return;
  auto same = decode_facts(encode_facts(*facts));
  CHECK(same.ok() && same->files == facts->files);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  ByteView bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto source = std::make_unique<BytesSource>(bytes);
  switch (data[0]) {
    case 0:
      snapshot(std::move(source));
      break;
    case 1:
      log(bytes);
      // the same entries as one without a checksum in front of it
      if (auto txn = decode_logged_txn(bytes); !txn) CHECK(!txn.error().what().empty());
      break;
    case 2:
      snapshot(compress::gzip_source(std::move(source)));
      break;
    case 3:
      snapshot(compress::snappy_source(std::move(source)));
      break;
    case 4:
      backup_text(bytes);
      break;
    default:
      break;
  }
  return 0;
}
