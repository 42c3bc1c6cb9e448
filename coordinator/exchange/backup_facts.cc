// The text BACKUP.
#include <charconv>
#include <ctime>

#include "common/format.h"
#include "coordinator/exchange/backup_folder.h"

namespace odradek::coordinator::exchange {

namespace {

constexpr const char* kName = "BACKUP";
constexpr size_t kMaxText = 16u << 20;

std::string time_text(int64_t time_ms) {
  std::time_t seconds = time_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::string_view next_word(std::string_view& line) {
  size_t end = line.find(' ');
  std::string_view word = line.substr(0, end);
  line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
  return word;
}

template <typename Number>
bool parse(std::string_view text, Number& value, int base = 10) {
  if (base == 16 && text.starts_with("0x")) text.remove_prefix(2);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool parse_time(std::string_view text, int64_t& time_ms) {
  std::tm utc{};
  std::string copy(text);
  const char* end = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  if (end == nullptr || *end != '\0') return false;
  time_ms = int64_t{timegm(&utc)} * 1000;
  return true;
}

bool parse_line(std::string_view line, BackupFacts& facts, bool& known) {
  std::string_view what = next_word(line);
  if (what == "format") return known = line == "1";
  if (what == "znodes") return parse(line, facts.znodes);
  if (what == "sessions") return parse(line, facts.sessions);
  if (what == "time") return parse_time(line, facts.time_ms);
  if (what == "zxid") {
    int64_t zxid = 0;
    bool fits = parse(line, zxid, 16);
    facts.zxid = Zxid(zxid);
    return fits;
  }
  if (what != "file") return false;
  BackupFile file;
  file.name = next_word(line);
  bool fits = is_store_file(file.name) && parse(next_word(line), file.bytes) &&
              parse(line, file.crc32c, 16);
  facts.files.push_back(std::move(file));
  return fits;
}

}  // namespace

std::string encode_facts(const BackupFacts& facts) {
  std::string text =
      odradek::format("format 1\nzxid 0x{:x}\nznodes {}\nsessions {}\ntime {}\n",
                      facts.zxid.value(), facts.znodes, facts.sessions, time_text(facts.time_ms));
  for (const BackupFile& file : facts.files) {
    text += odradek::format("file {} {} {:08x}\n", file.name, file.bytes, file.crc32c);
  }
  return text;
}

Result<BackupFacts> decode_facts(std::string_view text) {
  BackupFacts facts;
  bool known = false;
  for (int number = 1; !text.empty(); ++number) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (!parse_line(line, facts, known) || !known) {
      return Error(Errc::malformed, odradek::format("line {}: {}", number, line.substr(0, 100)));
    }
  }
  if (!known) return Error(Errc::malformed, "it is empty");
  return facts;
}

Result<void> write_facts(fs::FileSystem& files, const std::string& folder,
                         const BackupFacts& facts) {
  return files.write_file_atomically(folder + "/" + kName, encode_facts(facts),
                                     fs::Durability::full);
}

Result<BackupFacts> read_facts(fs::FileSystem& files, const std::string& folder) {
  std::string path = folder + "/" + kName;
  auto text = files.read_file(path, kMaxText);
  if (!text && text.error().code() == Errc::not_found) {
    return Error(Errc::not_found,
                 odradek::format("{} is no whole backup: it has no file {}. (A ZooKeeper's version-2 "
                                 "is imported when a coordinator starts with it in its dataDir.)",
                                 folder, kName));
  }
  if (!text) return text.error();
  auto facts = decode_facts(*text);
  if (facts) return facts;
  return Error(facts.error().code(), odradek::format("{}: {}", path, facts.error().what()));
}

}  // namespace odradek::coordinator::exchange
