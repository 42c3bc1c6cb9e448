// Our own records below /zookeeper/odradek (coordinator/controller/README.md has the table).
#include "coordinator/metadata/json_fields.h"
#include "coordinator/metadata/znodes.h"

namespace odradek::coordinator::metadata {

namespace {

std::string hex(SessionId session) {
  char text[20];
  auto end =
      std::to_chars(text, text + sizeof text, static_cast<uint64_t>(session.value()), 16).ptr;
  return "0x" + std::string(text, end);
}

std::optional<SessionId> session_of(const Json* json) {
  auto text = string(json);
  if (!text || !text->starts_with("0x")) return std::nullopt;
  auto value = number_in<uint64_t>(std::string_view(*text).substr(2), 16);
  if (!value) return std::nullopt;
  return SessionId(static_cast<int64_t>(*value));
}

}  // namespace

std::string encode_ledger(const TopicLedger& ledger) {
  Json json;
  json["version"] = 1;
  json["topic_id"] = ledger.id.to_string();
  json["czxid"] = ledger.czxid.value();
  json["leader_epochs"] = ledger.epochs;
  return text_of(json);
}

std::optional<TopicLedger> decode_ledger(ByteView data) {
  Json json = parse_object(data);
  if (json.is_discarded()) return std::nullopt;
  auto id = uuid(find(json, "topic_id"));
  auto czxid = integer<int64_t>(find(json, "czxid"));
  const Json* epochs = find(json, "leader_epochs");
  if (!id || !czxid || epochs == nullptr || !epochs->is_array()) return std::nullopt;
  TopicLedger ledger;
  ledger.id = *id;
  ledger.czxid = Zxid(*czxid);
  for (const Json& item : *epochs) ledger.epochs.push_back(integer<int32_t>(&item).value_or(-1));
  if (ledger.epochs.size() > static_cast<size_t>(kMaxPartitions)) return std::nullopt;
  return ledger;
}

std::string encode_deleted(const DeletedRecord& record) {
  Json json;
  json["version"] = 1;
  json["topic"] = record.name;
  json["topic_id"] = record.id.to_string();
  json["czxid"] = record.czxid.value();
  return text_of(json);
}

std::optional<DeletedRecord> decode_deleted(ByteView data) {
  Json json = parse_object(data);
  if (json.is_discarded()) return std::nullopt;
  auto name = string(find(json, "topic"));
  auto id = uuid(find(json, "topic_id"));
  auto czxid = integer<int64_t>(find(json, "czxid"));
  if (!name || !id || !czxid) return std::nullopt;
  return DeletedRecord{*name, *id, Zxid(*czxid)};
}

std::string encode_identity(const BrokerIdentity& identity) {
  Json directories = Json::array();
  for (const Uuid& id : identity.directories) directories.push_back(id.to_string());
  Json json;
  json["version"] = 1;
  json["directories"] = std::move(directories);
  json["incarnation"] = identity.incarnation.to_string();
  json["session"] = hex(identity.session);
  json["delete.topic.enable"] = identity.delete_topic_enable;
  json["unclean.leader.election.enable"] = identity.unclean_leader_election_enable;
  return text_of(json);
}

std::optional<BrokerIdentity> decode_identity(ByteView data) {
  Json json = parse_object(data);
  if (json.is_discarded()) return std::nullopt;
  const Json* directories = find(json, "directories");
  auto incarnation = uuid(find(json, "incarnation"));
  auto session = session_of(find(json, "session"));
  if (directories == nullptr || !directories->is_array() || !incarnation || !session)
    return std::nullopt;
  BrokerIdentity identity;
  for (const Json& item : *directories) {
    if (auto id = uuid(&item)) identity.directories.push_back(*id);
  }
  identity.incarnation = *incarnation;
  identity.session = *session;
  const Json* deletes = find(json, "delete.topic.enable");
  identity.delete_topic_enable =
      deletes == nullptr || !deletes->is_boolean() || deletes->get<bool>();
  const Json* unclean = find(json, "unclean.leader.election.enable");
  identity.unclean_leader_election_enable =
      unclean != nullptr && unclean->is_boolean() && unclean->get<bool>();
  return identity;
}

std::string encode_own(const OwnRecord& record) {
  Json json;
  json["version"] = 1;
  json["chroot"] = record.chroot;
  json["controller_session"] = hex(record.controller_session);
  return text_of(json);
}

std::optional<OwnRecord> decode_own(ByteView data) {
  Json json = parse_object(data);
  if (json.is_discarded()) return std::nullopt;
  auto chroot = string(find(json, "chroot"));
  auto session = session_of(find(json, "controller_session"));
  if (!chroot || !session) return std::nullopt;
  return OwnRecord{*chroot, *session};
}

}  // namespace odradek::coordinator::metadata
