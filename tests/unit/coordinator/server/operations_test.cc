// A running service as those who operate it see it: words, the admin server, metrics, limits.
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "tests/unit/coordinator/server/raw_client.h"

namespace odradek::coordinator::server {
namespace {

using nlohmann::json;

class OperationsTest : public ServiceFixture {
 protected:
  OperationsTest() {
    options.settings.four_letter_words = {"*"};
    OperationsSettings& operations = options.settings.operations;
    operations.admin.enabled = true;
    operations.admin.address = operations.metrics.address = "127.0.0.1";
    operations.admin.port = operations.metrics.port = 0;
    operations.metrics.export_process = false;
  }
  std::string ask(const std::string& word) {
    RawClient client(port());
    client.send(word);
    return client.receive_all();
  }
  std::string get(uint16_t at, const std::string& path, std::string* head = nullptr) {
    RawClient client(at);
    client.send("GET " + path + " HTTP/1.1\r\nConnection: close\r\n\r\n");
    std::string all = client.receive_all();
    size_t end = all.find("\r\n\r\n");
    if (end == std::string::npos) return all;
    if (head) *head = all.substr(0, end);
    return all.substr(end + 4);
  }
  json command(const std::string& name) {
    return json::parse(get(service->admin_port(), "/commands/" + name));
  }
  std::map<std::string, std::string> monitor() {
    std::map<std::string, std::string> values;
    std::istringstream lines(ask("mntr"));
    for (std::string line; std::getline(lines, line);) {
      size_t tab = line.find('\t');
      values[line.substr(0, tab)] = line.substr(tab + 1);
    }
    return values;
  }
  static std::set<std::string> golden_keys(const std::string& name) {
    std::ifstream file(std::string(TEST_DATA_DIR) + "/golden/zookeeper/operations/" + name);
    EXPECT_TRUE(file.good()) << name;
    std::set<std::string> keys;
    for (std::string line; std::getline(file, line);) keys.insert(line.substr(0, line.find('\t')));
    return keys;
  }
  // The work that the golden answers were captured after, as far as it makes metrics of its own.
  void touch_namespaces(RawClient& client) {
    client.create("/a");
    client.create("/eph", 1);
    client.create("/eph2", 1);
    client.exists("/a");
  }
};

std::set<std::string> keys_of(const std::map<std::string, std::string>& values) {
  std::set<std::string> keys;
  for (const auto& [key, value] : values) keys.insert(key);
  return keys;
}

TEST_F(OperationsTest, MntrHasTheKeysOfZooKeeper38) {
  start();
  RawClient client(port());
  client.connect_session();
  touch_namespaces(client);
  EXPECT_EQ(keys_of(monitor()), golden_keys("default/words/mntr"));
}

TEST_F(OperationsTest, MntrHasThoseOfThePrometheusProvider) {
  options.settings.operations.metrics.provider = MetricsProvider::prometheus;
  options.settings.operations.metrics.export_process = true;
  start();
  RawClient client(port());
  client.connect_session();
  touch_namespaces(client);
  std::set<std::string> wanted = golden_keys("prometheus/words/mntr");
  std::erase_if(wanted, [](const std::string& key) { return key.starts_with("zk_jvm_"); });
  wanted.insert("zk_jvm_pause_time_ms_count");
  wanted.insert("zk_jvm_pause_time_ms_sum");
  for (const char* share : {"0.5", "0.9", "0.99"}) {
    wanted.insert(std::string("zk_jvm_pause_time_ms{quantile=\"") + share + "\"}");
  }
  EXPECT_EQ(keys_of(monitor()), wanted);
}

TEST_F(OperationsTest, TheNullProviderShowsNothing) {
  options.settings.operations.metrics.provider = MetricsProvider::null;
  start();
  EXPECT_EQ(keys_of(monitor()), (std::set<std::string>{"zk_version", "zk_server_state"}));
}

TEST_F(OperationsTest, MetricsAreMeasured) {
  start();
  RawClient client(port());
  client.connect_session();
  RawClient watcher(port());
  watcher.connect_session();
  client.create("/a");
  watcher.exists("/a", true);
  client.create("/a/b");
  client.create("/a/b");  // refused: a write all the same
  zookeeper::DeleteRequest gone;
  gone.path = "/a/b";
  gone.version = -1;
  client.call(OpCode::kDelete, gone);
  zookeeper::SetDataRequest set;
  set.path = "/a";
  set.data = "12345";
  set.version = -1;
  client.call(OpCode::kSetData, set);
  EXPECT_EQ(watcher.receive_reply()->header.xid, -1);
  auto values = monitor();
  EXPECT_EQ(values["zk_cnt_updatelatency"], "7") << "five writes and two sessions";
  EXPECT_EQ(values["zk_cnt_readlatency"], "1");
  EXPECT_EQ(values["zk_connection_request_count"], "2");
  EXPECT_EQ(values["zk_cnt_connection_token_deficit"], "2");
  EXPECT_EQ(values["zk_sync_processor_request_queued"], "7");
  EXPECT_EQ(values["zk_prep_processor_request_queued"], "8") << "as many and two sessions";
  EXPECT_EQ(values["zk_cnt_propagation_latency"], "7");
  EXPECT_EQ(values["zk_cnt_sync_processor_batch_size"], values["zk_cnt_fsynctime"]);
  EXPECT_EQ(values["zk_sum_sync_processor_batch_size"], "7");
  EXPECT_EQ(values["zk_cnt_dbinittime"], "1");
  EXPECT_EQ(values["zk_cnt_node_changed_watch_count"], "1");
  EXPECT_EQ(values["zk_cnt_node_created_watch_count"], "0");
  EXPECT_EQ(values["zk_outstanding_changes_queued"], values["zk_outstanding_changes_removed"]);
  EXPECT_EQ(values["zk_cnt_a_write_per_namespace"], "4");
  // "/a" and "x", "/a/b" and "x", "/a/b", "/a" and "12345"
  EXPECT_EQ(values["zk_sum_a_write_per_namespace"], "19");
  EXPECT_EQ(values["zk_sum_a_read_per_namespace"], "70");
  EXPECT_EQ(values["zk_num_alive_connections"], "3") << "with the one that asks";
  EXPECT_EQ(values["zk_global_sessions"], "2");
  EXPECT_EQ(values["zk_znode_count"], "6");
  EXPECT_EQ(values["zk_watch_count"], "0");
  EXPECT_EQ(values["zk_max_client_response_size"], "84") << "the Stat of setData";
  EXPECT_GT(std::stoi(values["zk_watch_bytes"]), 0);
  EXPECT_EQ(values["zk_uptime"].find_first_not_of("0123456789"), std::string::npos);
}

TEST_F(OperationsTest, SrstResetsWhatZooKeeperResets) {
  start();
  RawClient client(port());
  client.connect_session();
  client.create("/a");
  EXPECT_EQ(ask("srst"), "Server stats reset.\n");
  auto values = monitor();
  for (const char* key : {"zk_cnt_updatelatency", "zk_connection_request_count",
                          "zk_sum_a_write_per_namespace", "zk_cnt_fsynctime", "zk_max_latency"}) {
    EXPECT_EQ(values[key], "0") << key;
  }
  EXPECT_EQ(values["zk_last_client_response_size"], "-1");
  EXPECT_EQ(values["zk_packets_received"], "1");
  EXPECT_EQ(values["zk_znode_count"], "6");
  EXPECT_EQ(values["zk_global_sessions"], "1");
}

TEST_F(OperationsTest, SrstLeavesWhatPrometheusShows) {
  options.settings.operations.metrics.provider = MetricsProvider::prometheus;
  start();
  RawClient client(port());
  client.connect_session();
  ask("srst");
  auto values = monitor();
  EXPECT_EQ(values["zk_connection_request_count"], "1.0");
  EXPECT_EQ(values["zk_updatelatency_count"], "1.0");
  EXPECT_EQ(values["zk_packets_received"], "1.0");
}

TEST_F(OperationsTest, TheTraceMaskIsEightBytes) {
  start();
  EXPECT_EQ(ask("gtmk"), "306");
  ByteWriter word;
  word.bytes("stmk");
  word.i64(258);
  EXPECT_EQ(ask(word.take()), "258");
  EXPECT_EQ(ask("gtmk"), "258");
  RawClient slow(port());
  for (char c : std::string("stmk\0\0\0\0\0\0\1\0", 12)) slow.send(std::string(1, c));
  EXPECT_EQ(slow.receive_all(), "256");
  RawClient cut(port());
  cut.send(std::string("stmk\0\0", 6));
  cut.end_sending();
  EXPECT_EQ(cut.receive_all(), "");
  EXPECT_EQ(ask("gtmk"), "256");
}

TEST_F(OperationsTest, OnlyWordsOfTheWhitelistAreAnswered) {
  options.settings.four_letter_words = {"srvr", "ruok"};
  start();
  EXPECT_EQ(ask("ruok"), "imok");
  EXPECT_EQ(ask("wchc"), "wchc is not executed because it is not in the whitelist.\n");
  EXPECT_EQ(ask("lead"), "") << "no word of ZooKeeper's";
}

TEST_F(OperationsTest, WatchWordsShowDataWatchesAlone) {
  start();
  RawClient client(port());
  auto session = *client.connect_session();
  client.create("/a");
  client.exists("/a", true);
  zookeeper::GetChildrenRequest children;
  children.path = "/";
  children.watch = true;
  client.call(OpCode::kGetChildren, children);
  zookeeper::AddWatchRequest add;
  add.path = "/p";
  add.mode = 1;
  client.call(OpCode::kAddWatch, add);
  std::string id = odradek::format("0x{:x}", session.session_id);
  EXPECT_EQ(ask("wchs"), "1 connections watching 2 paths\nTotal watches:2\n");
  EXPECT_EQ(ask("wchc"), id + "\n\t/a\n\t/p\n\n");
  EXPECT_EQ(ask("wchp"), "/a\n\t" + id + "\n/p\n\t" + id + "\n\n");
  EXPECT_EQ(monitor()["zk_watch_count"], "4") << "a watch that stays is two";
  EXPECT_EQ(command("watch_summary")["num_total_watches"], 2);
  EXPECT_EQ(command("watches")["session_id_to_watched_paths"][std::to_string(session.session_id)],
            json::parse("[\"/a\",\"/p\"]"));
  EXPECT_EQ(command("watches_by_path")["path_to_session_ids"]["/p"][0], session.session_id);
}

TEST_F(OperationsTest, ConsListsEveryConnection) {
  start();
  RawClient idle(port());
  RawClient client(port());
  auto session = *client.connect_session();
  client.create("/a");
  client.create("/a");
  std::string id = odradek::format("sid=0x{:x},", session.session_id);
  std::string cons = ask("cons");
  EXPECT_NE(cons.find(id + "lop=NA,"), std::string::npos) << "a refused write: " << cons;
  EXPECT_NE(cons.find(",to=10000,lcxid=0x2,lzxid=0x3,"), std::string::npos) << cons;
  EXPECT_NE(cons.find("[1](queued=0,recved=0,sent=0)\n"), std::string::npos) << "the idle one";
  EXPECT_NE(cons.find("[0](queued=0,recved=1,sent=0)\n"), std::string::npos) << "who asks";
  EXPECT_EQ(std::count(cons.begin(), cons.end(), '\n'), 4);
  EXPECT_EQ(ask("crst"), "Connection stats reset.\n");
  cons = ask("cons");
  EXPECT_NE(cons.find("recved=0,sent=0," + id + "lop=NA,"), std::string::npos) << cons;
  EXPECT_NE(cons.find("to=10000,lzxid=0xffffffffffffffff,lresp=0,"), std::string::npos) << cons;
  json shown = command("connections")["connections"];
  ASSERT_EQ(shown.size(), 2u) << "the admin's own is none of them";
  std::string dump = ask("dump");
  EXPECT_NE(dump.find("Connections dump:\nConnections Sets ("), std::string::npos) << dump;
  EXPECT_NE(dump.find(odradek::format(" sessionId: 0x{:x}\n", session.session_id)),
            std::string::npos);
}

// ---- the admin server

TEST_F(OperationsTest, TheAdminServerListsItsCommands) {
  start();
  std::string head;
  std::string page = get(service->admin_port(), "/commands", &head);
  EXPECT_EQ(head.find("HTTP/1.1 200 OK"), 0u);
  EXPECT_EQ(page, get(service->admin_port(), "/commands/"));
  EXPECT_EQ(page.find("<a href=\"/commands/configuration\">configuration</a>\n<br/>\n"), 0u) << page;
  std::istringstream lines(page);
  int links = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line == "<br/>") continue;
    ++links;
    std::string name = line.substr(line.find('>') + 1);
    name = name.substr(0, name.find('<'));
    json answer = command(name);
    EXPECT_EQ(answer["command"], name);
    EXPECT_TRUE(answer.contains("error"));
  }
  EXPECT_EQ(links, 26);
  get(service->admin_port(), "/", &head);
  EXPECT_EQ(head.find("HTTP/1.1 404"), 0u);
  get(service->admin_port(), "/commandsx", &head);
  EXPECT_EQ(head.find("HTTP/1.1 404"), 0u);
}

TEST_F(OperationsTest, AdminCommandsSayWhatTheWordsSay) {
  start();
  RawClient client(port());
  auto session = *client.connect_session();
  client.create("/e", 1);
  EXPECT_EQ(command("srvr")["command"], "server_stats") << "by another name";
  EXPECT_EQ(command("stat")["node_count"], 6);
  EXPECT_EQ(command("dump")["session_id_to_ephemeral_paths"][std::to_string(session.session_id)],
            json::parse("[\"/e\"]"));
  EXPECT_EQ(command("conf")["tick_time"], 2000);
  EXPECT_EQ(command("leader")["error"], "server is not initialized");
  EXPECT_EQ(command("none"), json::parse(R"({"command":"none","error":"Unknown command: none"})"));
  EXPECT_EQ(command("set_trace_mask?traceMask=5")["tracemask"], 5);
  EXPECT_EQ(command("gtmk")["tracemask"], 5);
  EXPECT_EQ(command("stmk?traceMask=x")["error"],
            "setTraceMask requires long traceMask argument, got x");
  EXPECT_EQ(command("stmk")["error"], "setTraceMask requires long traceMask argument");
  EXPECT_EQ(command("mntr")["cnt_updatelatency"], 2);
  EXPECT_EQ(command("srst")["error"], nullptr);
  EXPECT_EQ(command("mntr")["cnt_updatelatency"], 0);
}

TEST_F(OperationsTest, ATakenPortStopsTheStart) {
  start();
  ServiceOptions other = options;
  std::string folder2 = folder + "/other";
  std::filesystem::create_directory(folder2);
  other.settings.data_dir = other.settings.data_log_dir = folder2;
  other.settings.operations.admin.port = service->admin_port();
  auto admin = Service::start(other);
  ASSERT_FALSE(admin.ok());
  EXPECT_NE(admin.error().what().find("admin.serverPort"), std::string::npos)
      << admin.error().what();
  EXPECT_NE(admin.error().what().find("admin.enableServer=false"), std::string::npos);
  EXPECT_EQ(admin.error().what().find('\n'), std::string::npos);
  other.settings.operations.admin.enabled = false;
  other.settings.operations.metrics.provider = MetricsProvider::prometheus;
  other.settings.operations.metrics.port = service->admin_port();
  auto metrics = Service::start(other);
  ASSERT_FALSE(metrics.ok());
  EXPECT_NE(metrics.error().what().find("metricsProvider.httpPort"), std::string::npos)
      << metrics.error().what();
  other.settings.operations.metrics.provider = MetricsProvider::standard;
  auto neither = Service::start(other);
  ASSERT_TRUE(neither.ok()) << neither.error().what();
  EXPECT_EQ((*neither)->admin_port(), 0);
}

TEST_F(OperationsTest, MetricsAreServedInPrometheusText) {
  options.settings.operations.metrics.provider = MetricsProvider::prometheus;
  start();
  RawClient client(port());
  client.connect_session();
  touch_namespaces(client);
  std::string head;
  std::string page = get(service->metrics_port(), "/metrics", &head);
  EXPECT_NE(head.find("Content-Type: text/plain; version=0.0.4"), std::string::npos) << head;
  EXPECT_NE(page.find("# TYPE updatelatency summary\nupdatelatency{quantile=\"0.5\",} "),
            std::string::npos);
  EXPECT_NE(page.find("\nupdatelatency_count 4.0\n"), std::string::npos);
  EXPECT_NE(page.find("\nznode_count 8.0\n"), std::string::npos);
  EXPECT_NE(page.find("read_per_namespace_count{key=\"a\",} 1.0\n"), std::string::npos);
  get(service->metrics_port(), "/", &head);
  EXPECT_EQ(head.find("HTTP/1.1 404"), 0u);
}

TEST_F(OperationsTest, QuotasAreSummedByNamespace) {
  start();
  RawClient client(port());
  client.connect_session();
  auto put = [&](const std::string& path, const std::string& data) {
    auto request = RawClient::create_request(path);
    request.data = data;
    return client.call(OpCode::kCreate, request).error();
  };
  EXPECT_EQ(put("/a", std::string(30, 'x')), ErrorCode::kOk);
  EXPECT_EQ(put("/a/1", std::string(10, 'x')), ErrorCode::kOk);
  EXPECT_EQ(put("/a/2", ""), ErrorCode::kOk);
  EXPECT_EQ(put("/zookeeper/quota/a", ""), ErrorCode::kOk);
  EXPECT_EQ(put("/zookeeper/quota/a/zookeeper_limits", "count=5,bytes=-1=;byteHardLimit=900;countHardLimit=-1"),
            ErrorCode::kOk);
  EXPECT_EQ(put("/zookeeper/quota/a/zookeeper_stats", "count=0,bytes=0"), ErrorCode::kOk);
  EXPECT_EQ(put("/zookeeper/quota/a/deep", ""), ErrorCode::kOk);
  EXPECT_EQ(put("/zookeeper/quota/a/deep/zookeeper_limits", "count=2,bytes=7"), ErrorCode::kOk);
  EXPECT_EQ(put("/zookeeper/quota/b", "no quota"), ErrorCode::kOk);
  auto values = monitor();
  EXPECT_EQ(values["zk_a_quota_count_limit_per_namespace"], "7");
  EXPECT_EQ(values["zk_a_quota_bytes_limit_per_namespace"], "907");
  EXPECT_EQ(values["zk_a_quota_count_usage_per_namespace"], "3");
  EXPECT_EQ(values["zk_a_quota_bytes_usage_per_namespace"], "40");
  EXPECT_FALSE(values.contains("zk_b_quota_count_limit_per_namespace"));
}

// ---- limits

TEST_F(OperationsTest, WatchesHaveALimit) {
  options.settings.operations.memory.watches = 5;
  options.settings.operations.memory.watches_of_connection = 3;
  start();
  RawClient client(port());
  client.connect_session();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.exists("/w" + std::to_string(i), true).error(), ErrorCode::kNoNode);
  }
  EXPECT_EQ(client.exists("/w3", true).error(), ErrorCode::kSystemError);
  EXPECT_EQ(client.exists("/w3").error(), ErrorCode::kNoNode) << "without a watch";
  zookeeper::AddWatchRequest add;
  add.path = "/w4";
  EXPECT_EQ(client.call(OpCode::kAddWatch, add).error(), ErrorCode::kSystemError);
  EXPECT_EQ(client.exists("/w0", true).error(), ErrorCode::kNoNode) << "one that it has";
  RawClient other(port());
  other.connect_session();
  other.create("/w0");  // the watch fires and makes room
  for (int i = 0; i < 3; ++i) other.exists("/o" + std::to_string(i), true);
  EXPECT_EQ(other.exists("/x", true).error(), ErrorCode::kSystemError) << "five in all";
  zookeeper::SetWatches back;
  back.relative_zxid = 0;
  for (int i = 0; i < 9; ++i) back.exist_watches.push_back("/s" + std::to_string(i));
  RawClient returning(port());
  returning.connect_session();
  EXPECT_EQ(returning.call(OpCode::kSetWatches, back).error(), ErrorCode::kSystemError);
  EXPECT_TRUE(returning.closed()) << "it would miss events without knowing";
}

TEST_F(OperationsTest, AFirstRequestMayComeByteByByte) {
  start();
  RawClient client(port());
  ByteWriter out;
  zookeeper::ConnectRequest wanted;
  wanted.time_out = 10000;
  wanted.passwd = std::string(16, '\0');
  wanted.encode(out);
  for (char c : RawClient::framed(out.buffer())) client.send(std::string(1, c));
  EXPECT_TRUE(client.receive_frame());
  EXPECT_EQ(client.create("/slow").error(), ErrorCode::kOk);
}

TEST_F(OperationsTest, OneThatEndsBeforeItsFirstRequestIsForgotten) {
  start();
  for (const std::string& part : {std::string(), std::string("r"), std::string("ruo"),
                                  std::string("\0\0\0\x2c", 4),
                                  std::string("\0\0\0\x2c\0\0", 6)}) {
    RawClient client(port());
    client.send(part);
    client.end_sending();
    EXPECT_TRUE(client.closed());
  }
  EXPECT_EQ(monitor()["zk_num_alive_connections"], "1");
}

TEST_F(OperationsTest, AWordWithTheEndBehindItIsAnswered) {
  start();
  RawClient client(port());
  client.send("ru");
  client.send("ok");
  client.end_sending();
  EXPECT_EQ(client.receive_all(), "imok");
}

TEST_F(OperationsTest, HalfArrivedRequestsShareTheirMemory) {
  options.settings.operations.memory.request_bytes = 200'000;
  start();
  // each sends 90 kB of a request of 400 kB: the third finds no room, but one may always go on
  auto begin = [](RawClient& client, size_t bytes) {
    ByteWriter out;
    out.i32(400'000);
    out.i32(7);
    out.i32(static_cast<int32_t>(OpCode::kPing));
    std::string all = out.take() + std::string(399'992, 'x');
    client.send(all.substr(0, bytes));
    return all.substr(bytes);
  };
  std::vector<std::unique_ptr<RawClient>> clients;
  std::vector<std::string> rests;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->connect_session();
    rests.push_back(begin(*clients.back(), 90'000));
  }
  RawClient small(port());
  small.connect_session();
  EXPECT_EQ(small.create("/small").error(), ErrorCode::kOk) << "small requests are not held up";
  // which one goes on is not known: all rests are on the way at once
  std::vector<std::thread> senders;
  for (int i = 0; i < 6; ++i) senders.emplace_back([&, i] { clients[i]->send(rests[i]); });
  for (int i = 0; i < 6; ++i) {
    auto reply = clients[i]->receive_reply();
    EXPECT_TRUE(reply) << i;
    if (!reply) continue;
    EXPECT_EQ(reply->header.xid, zookeeper::Xid::kPing);
  }
  for (std::thread& sender : senders) sender.join();
}

TEST_F(OperationsTest, ClientsThatTakeNothingAreCutWhenMemoryIsShort) {
  options.settings.operations.memory.outgoing_bytes = 4 << 20;
  start();
  RawClient writer(port());
  writer.connect_session();
  auto large = RawClient::create_request("/large");
  large.data = std::string(900'000, 'x');
  EXPECT_EQ(writer.call(OpCode::kCreate, large).error(), ErrorCode::kOk);
  zookeeper::GetDataRequest get;
  get.path = "/large";
  std::vector<std::unique_ptr<RawClient>> deaf;
  for (int i = 0; i < 12; ++i) {
    deaf.push_back(std::make_unique<RawClient>(port()));
    deaf.back()->connect_session();
    for (int ask = 0; ask < 12; ++ask) {
      deaf.back()->send(RawClient::request(ask, OpCode::kGetData, get));
    }
  }
  EXPECT_EQ(writer.exists("/large").error(), ErrorCode::kOk) << "others are served";
  int cut = 0;
  for (auto& client : deaf) {
    for (int got = 0; got < 12; ++got) {
      if (client->receive_reply()) continue;
      ++cut;
      break;
    }
  }
  EXPECT_GT(cut, 0);
  EXPECT_LT(cut, 12) << "no more than must be";
}

TEST_F(OperationsTest, SessionsAreLetInAtTheThrottlesPace) {
  options.settings.operations.connection_throttle.max_tokens = 1;
  options.settings.operations.connection_throttle.fill_time_ms = 3'600'000;
  start();
  RawClient first(port());
  EXPECT_TRUE(first.connect_session());
  RawClient second(port());
  EXPECT_FALSE(second.connect_session());
  EXPECT_EQ(monitor()["zk_connection_rejected"], "1");
  EXPECT_EQ(monitor()["zk_sum_connection_token_deficit"], "1");
}

TEST_F(OperationsTest, ABusyClientWaitsAtTheThrottleAndNobodyElse) {
  options.settings.operations.request_throttle_limit = 2;
  start();
  RawClient busy(port());
  busy.connect_session();
  std::string all;
  for (int i = 0; i < 200; ++i) {
    all += RawClient::request(i, OpCode::kCreate, RawClient::create_request("/b" + std::to_string(i)));
  }
  busy.send(all);
  RawClient other(port());
  other.connect_session();
  EXPECT_EQ(other.create("/other").error(), ErrorCode::kOk);
  for (int i = 0; i < 200; ++i) {
    auto reply = busy.receive_reply();
    ASSERT_TRUE(reply) << i;
    EXPECT_EQ(reply->header.xid, i);
    EXPECT_EQ(reply->error(), ErrorCode::kOk);
  }
  EXPECT_GT(std::stoi(monitor()["zk_request_throttle_wait_count"]), 0);
}

TEST_F(OperationsTest, IdentitiesOfAConnectionHaveALimit) {
  start();
  RawClient client(port());
  client.connect_session();
  auto authenticate = [&](int number) {
    zookeeper::AuthPacket packet;
    packet.scheme = "digest";
    packet.auth = "user" + std::to_string(number) + ":secret";
    client.send(RawClient::request(-4, OpCode::kAuth, packet));
    auto reply = client.receive_reply();
    return reply ? reply->error() : ErrorCode::kConnectionLoss;
  };
  int taken = 0;
  while (taken < 1000 && authenticate(taken) == ErrorCode::kOk) ++taken;
  EXPECT_EQ(taken, 99) << "and the address";
  EXPECT_TRUE(client.closed());
}

TEST_F(OperationsTest, BrokersConnectionsHaveALimit) {
  options.settings.operations.memory.grpc_connections = 3;
  start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  }
  EXPECT_TRUE(clients.back()->closed());
  EXPECT_TRUE(clients.front()->receive(9)) << "gRPC's settings";
  clients.front()->close();
  // gRPC closes its end when it hears of it; then there is room again
  bool let_in = false;
  for (int i = 0; i < 2000 && !let_in; ++i) {
    RawClient next(port());
    next.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    let_in = next.receive(9).has_value();
  }
  EXPECT_TRUE(let_in);
}

}  // namespace
}  // namespace odradek::coordinator::server
