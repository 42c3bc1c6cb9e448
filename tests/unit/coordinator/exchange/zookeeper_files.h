#pragma once
// ZooKeeper's files as a test wants them, in a folder of its own.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/bytes/byte_writer.h"
#include "common/bytes/crc32.h"
#include "common/format.h"
#include "common/fs/real_file_system.h"
#include "coordinator/exchange/data_files.h"
#include "proto/zookeeper/opcodes.h"
#include "proto/zookeeper/records.h"
#include "tests/support/memory_folder.h"

namespace odradek::coordinator::exchange {

using zookeeper::OpCode;

inline constexpr int64_t kTime = 1'600'000'000'000;

inline std::vector<zookeeper::ACL> wire_entry(const std::string& scheme = "world",
                                              const std::string& id = "anyone") {
  zookeeper::ACL acl;
  acl.perms = 31;
  acl.id.scheme = scheme;
  acl.id.id = id;
  return {acl};
}

template <typename Record>
std::string encoded(const Record& record) {
  ByteWriter out;
  record.encode(out);
  return out.take();
}

inline zookeeper::CreateTxn create_txn(const std::string& path, int32_t parent_creates,
                                       bool ephemeral = false, const std::string& data = "d") {
  zookeeper::CreateTxn txn;
  txn.path = path;
  txn.data = data;
  txn.acl = wire_entry();
  txn.ephemeral = ephemeral;
  txn.parent_c_version = parent_creates;
  return txn;
}

inline zookeeper::DeleteTxn delete_txn(const std::string& path) {
  zookeeper::DeleteTxn txn;
  txn.path = path;
  return txn;
}

inline zookeeper::SetDataTxn set_data_txn(const std::string& path, const std::string& data,
                                          int32_t version) {
  zookeeper::SetDataTxn txn;
  txn.path = path;
  txn.data = data;
  txn.version = version;
  return txn;
}

// A transaction without the checksum around it: header and body.
inline std::string entry(int64_t zxid, OpCode op, const std::string& body, int64_t session = 0x77) {
  zookeeper::TxnHeader header;
  header.client_id = session;
  header.zxid = zxid;
  header.time = kTime + zxid;
  header.type = static_cast<int32_t>(op);
  return encoded(header) + body;
}

class LogBytes {
 public:
  LogBytes() {
    zookeeper::FileHeader header;
    header.magic = 0x5a4b4c47;
    header.version = 2;
    bytes = encoded(header);
  }
  template <typename Record>
  LogBytes& add(int64_t zxid, OpCode op, const Record& record, int64_t session = 0x77) {
    return add_entry(entry(zxid, op, encoded(record), session));
  }
  LogBytes& add_entry(const std::string& entry) {
    ByteWriter out;
    out.i64(adler32(entry));
    out.i32(static_cast<int32_t>(entry.size()));
    out.bytes(entry);
    out.bytes("B");
    bytes += out.buffer();
    return *this;
  }
  LogBytes& zeros(size_t size) {
    bytes += std::string(size, '\0');
    return *this;
  }
  std::string bytes;
};

class SnapshotBytes {
 public:
  struct Node {
    std::string path;
    int64_t zxid = 0;
    int32_t creates = 0;
    int64_t owner = 0;
    int64_t acl = -1;
    std::string data = "d";
    int64_t pzxid = 0;
  };

  SnapshotBytes& session(int64_t id, int32_t timeout_ms) {
    zookeeper::SnapshotSession record;
    record.id = id;
    record.time_out = timeout_ms;
    sessions_ += encoded(record);
    ++session_count_;
    return *this;
  }
  SnapshotBytes& acl(int64_t number, std::vector<zookeeper::ACL> entries) {
    zookeeper::SnapshotAcl record;
    record.number = number;
    record.acls = std::move(entries);
    acls_ += encoded(record);
    ++acl_count_;
    return *this;
  }
  SnapshotBytes& node(const Node& node) {
    zookeeper::SnapshotNode record;
    record.path = node.path;
    record.data = node.data;
    record.acl = node.acl;
    record.stat.czxid = record.stat.mzxid = node.zxid;
    record.stat.pzxid = node.pzxid != 0 ? node.pzxid : node.zxid;
    record.stat.ctime = record.stat.mtime = kTime + node.zxid;
    record.stat.cversion = node.creates;
    record.stat.ephemeral_owner = node.owner;
    nodes_ += encoded(record);
    return *this;
  }
  // /, /zookeeper, /zookeeper/quota.
  SnapshotBytes& usual(int32_t root_creates = 0, int64_t root_pzxid = 0) {
    node({"", 0, root_creates, 0, -1, "", root_pzxid});
    node({"/zookeeper", 0, 0, 0, -1, ""});
    return node({"/zookeeper/quota", 0, 0, 0, -1, ""});
  }
  std::string bytes() const {
    zookeeper::FileHeader header;
    header.magic = 0x5a4b534e;
    header.version = 2;
    header.dbid = -1;
    ByteWriter out;
    header.encode(out);
    out.i32(session_count_);
    out.bytes(sessions_);
    out.i32(acl_count_);
    out.bytes(acls_);
    out.bytes(nodes_);
    out.i32(1);
    out.bytes("/");
    return sealed(out.take());
  }
  static std::string sealed(std::string bytes) {
    zookeeper::SnapshotSeal seal;
    seal.checksum = adler32(bytes);
    seal.path = "/";
    return bytes + encoded(seal);
  }

 private:
  std::string sessions_, acls_, nodes_;
  int32_t session_count_ = 0;
  int32_t acl_count_ = 0;
};

class FolderTest : public ::testing::Test {
 protected:
  FolderTest() : folder(memory_folder("exchange")) {
    std::filesystem::create_directories(folder + "/version-2");
  }
  ~FolderTest() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, const std::string& bytes) {
    std::string path = folder + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::string log(int64_t first_zxid, const LogBytes& log) {
    return write(odradek::format("version-2/log.{:x}", first_zxid), log.bytes);
  }
  std::string snapshot(int64_t zxid, const SnapshotBytes& snapshot) {
    return write(odradek::format("version-2/snapshot.{:x}", zxid), snapshot.bytes());
  }

  std::string folder;
  fs::RealFileSystem files;
};

}  // namespace odradek::coordinator::exchange
