#include "coordinator/exchange/snapshot_reader.h"

#include <array>

namespace odradek::coordinator::exchange {

namespace {

constexpr int32_t kMagic = 0x5a4b534e;  // "ZKSN"
constexpr int32_t kVersion = 2;
constexpr std::string_view kEndOfTree("\0\0\0\1/", 5);
// Of what may stand behind the first seal.
constexpr size_t kSealBytes = 13;
constexpr size_t kDigestBytes = 20 + kSealBytes;
constexpr size_t kZxidBytes = 8 + kSealBytes;

Result<int32_t> read_count(RecordStream& in, std::string_view of_what) {
  auto bytes = in.peek(4);
  if (!bytes) return bytes.error();
  ByteReader reader(*bytes);
  int32_t count = reader.i32();
  if (!reader.ok() || count < 0) {
    return in.damaged(odradek::format("there is no count of {}", of_what));
  }
  in.take(4);
  return count;
}

Result<void> read_seal(RecordStream& in) {
  int64_t expected = in.checksum();
  auto seal = in.next<zookeeper::SnapshotSeal>();
  if (!seal) return seal.error();
  if (seal->checksum == expected) return {};
  return in.damaged("the checksum does not fit");
}

Result<void> read_header(RecordStream& in) {
  auto header = in.next<zookeeper::FileHeader>();
  if (!header) return header.error();
  if (header->magic != kMagic) return in.damaged("this is no snapshot of ZooKeeper");
  if (header->version != kVersion) {
    return in.damaged(odradek::format("version {} of the format is not known", header->version));
  }
  return {};
}

// What a visitor finds wrong with a record gets the place.
Error placed(const RecordStream& in, const Error& error) {
  return error.code() == Errc::malformed ? in.damaged(error.what()) : error;
}

Result<void> read_nodes(RecordStream& in, SnapshotVisitor& visitor) {
  for (;;) {
    auto ahead = in.peek(kEndOfTree.size());
    if (!ahead) return ahead.error();
    if (ahead->starts_with(kEndOfTree)) {
      in.take(kEndOfTree.size());
      return {};
    }
    auto node = in.next<zookeeper::SnapshotNode>();
    if (!node) return node.error();
    if (auto seen = visitor.on_node(*std::move(node)); !seen) return placed(in, seen.error());
  }
}

// Told apart by their length, since nothing names them.
Result<void> read_trailer(RecordStream& in) {
  auto rest = in.peek(kDigestBytes + kZxidBytes + 1);
  if (!rest) return rest.error();
  size_t left = rest->size();
  if (left == kDigestBytes || left == kDigestBytes + kZxidBytes) {
    if (auto digest = in.next<zookeeper::SnapshotDigest>(); !digest) return digest.error();
    if (auto sealed = read_seal(in); !sealed) return sealed.error();
    left -= kDigestBytes;
  }
  if (left == kZxidBytes) {
    in.take(sizeof(int64_t));
    return read_seal(in);
  }
  if (left > 0) return in.damaged("there are bytes behind the end");
  return {};
}

}  // namespace

Result<void> read_snapshot(RecordStream& in, SnapshotVisitor& visitor) {
  if (auto header = read_header(in); !header) return header.error();
  auto sessions = read_count(in, "sessions");
  if (!sessions) return sessions.error();
  for (int32_t i = 0; i < *sessions; ++i) {
    auto session = in.next<zookeeper::SnapshotSession>();
    if (!session) return session.error();
    if (auto seen = visitor.on_session(*session); !seen) return seen.error();
  }
  auto acls = read_count(in, "ACLs");
  if (!acls) return acls.error();
  for (int32_t i = 0; i < *acls; ++i) {
    auto acl = in.next<zookeeper::SnapshotAcl>();
    if (!acl) return acl.error();
    if (auto seen = visitor.on_acl(*std::move(acl)); !seen) return seen.error();
  }
  if (auto nodes = read_nodes(in, visitor); !nodes) return nodes.error();
  if (auto sealed = read_seal(in); !sealed) return sealed.error();
  return read_trailer(in);
}

Result<bool> looks_complete(fs::FileSystem& files, const std::string& path) {
  auto file = files.open(path, fs::OpenMode::read);
  if (!file) return file.error();
  auto size = (*file)->size();
  if (!size) return size.error();
  std::array<char, kEndOfTree.size()> tail;
  if (*size < tail.size()) return false;
  auto read = (*file)->pread_exact(tail.data(), tail.size(), *size - tail.size());
  if (!read) return read.error();
  return std::string_view(tail.data(), tail.size()) == kEndOfTree;
}

}  // namespace odradek::coordinator::exchange
