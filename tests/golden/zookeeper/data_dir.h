#pragma once
// A data directory that a real ZooKeeper left, what it holds according to the same release, and a
// folder in which it is imported.

#include <filesystem>
#include <map>

#include "common/fs/real_file_system.h"
#include "coordinator/exchange/import.h"
#include "coordinator/exchange/owner.h"
#include "coordinator/store/rocks_store.h"
#include "coordinator/store/store_check.h"
#include "coordinator/store/store_tree.h"
#include "tests/golden/golden_file.h"
#include "tests/support/memory_folder.h"

namespace odradek::golden {

inline constexpr const char* kDataDirs[] = {
    "3.4.14",       "3.5.7",       "3.6.4-gzip",  "3.8.6",       "3.9.5",
    "3.8.6-snappy", "3.5.7-fuzzy", "3.8.6-fuzzy", "3.8.6-member"};

// A znode as tree.tsv says it: data, ACL and stat as text, so that a difference reads well.
struct ExpectedTree {
  std::map<std::string, std::string> nodes;
  std::map<int64_t, int32_t> sessions;
};

inline ExpectedTree expected_tree(const std::string& set) {
  ExpectedTree expected;
  for (Row& row : read_rows("zookeeper/data/" + set + "/tree.tsv")) {
    if (row[0] == "session") {
      expected.sessions[std::stoll(row[1])] = std::stoi(row[2]);
    } else {
      std::string text;
      for (size_t i = 2; i < row.size(); ++i) text += row[i] + " | ";
      expected.nodes[row[1]] = text;
    }
  }
  return expected;
}

inline std::string describe(const coordinator::tree::Znode& node) {
  std::string text = node.data ? hex_encode(*node.data) : "null";
  std::string acl;
  for (const auto& entry : *node.acl) {
    acl += (acl.empty() ? "" : ";") + std::to_string(entry.perms) + " " + entry.who.scheme + " " +
           entry.who.id;
  }
  const auto& stat = node.stat;
  text += " | " + acl + " | ";
  for (int64_t number :
       {stat.czxid.value(), stat.mzxid.value(), stat.ctime_ms, stat.mtime_ms,
        int64_t{stat.version}, int64_t{stat.created_children}, int64_t{stat.aversion},
        coordinator::exchange::ephemeral_owner(stat), stat.pzxid.value()}) {
    text += std::to_string(number) + " | ";
  }
  return text;
}

class DataDirTest : public ::testing::Test {
 protected:
  DataDirTest() : folder(memory_folder("data")) {}
  ~DataDirTest() override { std::filesystem::remove_all(folder); }

  // A copy that a test may change.
  std::string copy(const std::string& set) {
    std::string to = folder + "/" + set;
    std::filesystem::copy(std::string(TEST_DATA_DIR) + "/golden/zookeeper/data/" + set, to,
                          std::filesystem::copy_options::recursive);
    return to;
  }

  Result<coordinator::exchange::ImportReport> import(const std::string& data_dir,
                                                     size_t cache_bytes = 1 << 20) {
    auto data = coordinator::exchange::list_data_files(files, data_dir, data_dir);
    if (!data) return data.error();
    coordinator::exchange::ImportOptions options;
    options.store_dir = data_dir + "/odradek";
    options.cache_bytes = cache_bytes;
    return coordinator::exchange::import_data(files, *data, options);
  }

  std::unique_ptr<coordinator::store::RocksStore> open(const std::string& data_dir) {
    auto store = coordinator::store::RocksStore::open(data_dir + "/odradek",
                                                      coordinator::store::RocksOptions());
    EXPECT_TRUE(store.ok()) << (store ? "" : store.error().what());
    return store ? *std::move(store) : nullptr;
  }

  // The imported store holds what is expected, and nothing in it is wrong.
  void expect_tree(const std::string& data_dir, const ExpectedTree& expected) {
    auto store = open(data_dir);
    ASSERT_TRUE(store);
    coordinator::store::StoreTree tree(store->snapshot());
    std::map<std::string, std::string> nodes;
    std::vector<std::string> todo{"/"};
    while (!todo.empty()) {
      std::string path = std::move(todo.back());
      todo.pop_back();
      auto node = tree.get(path);
      ASSERT_TRUE(node) << path;
      nodes[path] = describe(*node);
      auto children = *tree.children(path);
      EXPECT_EQ(static_cast<int32_t>(children.size()), node->stat.num_children) << path;
      EXPECT_EQ(node->stat.cversion, 2 * node->stat.created_children - node->stat.num_children);
      for (const auto& name : children) todo.push_back((path == "/" ? "" : path) + "/" + name);
    }
    EXPECT_EQ(nodes.size(), expected.nodes.size());
    for (const auto& [path, text] : expected.nodes) EXPECT_EQ(nodes[path], text) << path;
    for (const auto& [path, text] : nodes) EXPECT_TRUE(expected.nodes.contains(path)) << path;
    std::map<int64_t, int32_t> sessions;
    tree.for_each_session([&](SessionId session, const auto& record) {
      sessions[session.value()] = record.timeout_ms;
      EXPECT_EQ(record.password, coordinator::exchange::zookeeper_password(session));
    });
    EXPECT_EQ(sessions, expected.sessions);
    coordinator::store::check_contents(*store->snapshot(), [](const std::string& finding) {
      ADD_FAILURE() << finding;
    });
  }

  std::string folder;
  fs::RealFileSystem files;
};

}  // namespace odradek::golden
