#include "broker/cli/line_reader.h"

#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

Error kafka_exception(std::string text) {
  return Error(Errc::invalid_argument,
               "org.apache.kafka.common.KafkaException: " + std::move(text));
}

bool is_true(const Properties& properties, std::string_view key) {
  return odradek::cli::lower(odradek::cli::trim(get_or(properties, key, "false"))) == "true";
}

}  // namespace

Result<LineReader> LineReader::make(const Properties& properties) {
  LineReader reader;
  reader.parse_key_ = is_true(properties, "parse.key");
  reader.parse_headers_ = is_true(properties, "parse.headers");
  reader.ignore_error_ = is_true(properties, "ignore.error");
  reader.key_separator_ = get_or(properties, "key.separator", "\t");
  reader.headers_delimiter_ = get_or(properties, "headers.delimiter", "\t");
  reader.headers_separator_ = get_or(properties, "headers.separator", ",");
  reader.headers_key_separator_ = get_or(properties, "headers.key.separator", ":");
  if (auto marker = properties.find("null.marker"); marker != properties.end())
    reader.null_marker_ = marker->second;
  struct Named {
    std::string_view name;
    std::string_view value;
  };
  std::vector<std::pair<Named, Named>> pairs;
  Named key{"key.separator", reader.key_separator_};
  Named delimiter{"headers.delimiter", reader.headers_delimiter_};
  Named separator{"headers.separator", reader.headers_separator_};
  Named header_key{"headers.key.separator", reader.headers_key_separator_};
  if (reader.parse_headers_) {
    pairs.insert(pairs.end(),
                 {{delimiter, separator}, {delimiter, header_key}, {separator, header_key}});
  }
  if (reader.null_marker_) {
    Named marker{"null.marker", *reader.null_marker_};
    pairs.insert(pairs.end(),
                 {{marker, key}, {marker, separator}, {marker, delimiter}, {marker, header_key}});
  }
  for (const auto& [a, b] : pairs) {
    if (a.value == b.value) {
      return kafka_exception(std::string(a.name) + " and " + std::string(b.name) +
                             " may not be equal");
    }
  }
  return reader;
}

Result<LineReader::Part> LineReader::take(bool enabled, std::string_view line, size_t from,
                                          const std::string& separator, std::string_view what,
                                          uint64_t number) const {
  if (!enabled) return Part{std::nullopt, from};
  size_t at = line.find(separator, from);
  if (at == std::string_view::npos) {
    if (ignore_error_) return Part{std::nullopt, from};
    return kafka_exception("No " + std::string(what) + " found on line number " +
                           std::to_string(number) + ": '" + std::string(line) + "'");
  }
  return Part{line.substr(from, at - from), at + separator.size()};
}

Result<void> LineReader::parse_headers(std::string_view text, uint64_t number,
                                       ConsoleRecord& record) const {
  size_t from = 0;
  while (from <= text.size()) {
    size_t end =
        headers_separator_.empty() ? std::string_view::npos : text.find(headers_separator_, from);
    std::string_view pair = text.substr(from, end == std::string_view::npos ? end : end - from);
    size_t colon = pair.find(headers_key_separator_);
    if (colon == std::string_view::npos) {
      if (!ignore_error_) {
        return kafka_exception("No header key separator found in pair '" + std::string(pair) +
                               "' on line number " + std::to_string(number));
      }
      record.headers.emplace_back(pair, std::nullopt);
    } else {
      std::string_view name = pair.substr(0, colon);
      std::string_view value = pair.substr(colon + headers_key_separator_.size());
      if (is_null(name)) {
        return kafka_exception("Header keys should not be equal to the null marker '" +
                               *null_marker_ + "' as they can't be null");
      }
      record.headers.emplace_back(name, is_null(value) ? std::nullopt : std::optional(value));
    }
    if (end == std::string_view::npos) break;
    from = end + headers_separator_.size();
  }
  return {};
}

Result<ConsoleRecord> LineReader::parse(std::string_view line, uint64_t number) const {
  auto headers = take(parse_headers_, line, 0, headers_delimiter_, "headers delimiter", number);
  if (!headers) return headers.error();
  auto key = take(parse_key_, line, headers->next, key_separator_, "key separator", number);
  if (!key) return key.error();
  ConsoleRecord record;
  if (headers->text && !is_null(*headers->text)) {
    if (auto done = parse_headers(*headers->text, number, record); !done) return done.error();
  }
  if (key->text && !is_null(*key->text)) record.key = key->text;
  std::string_view value = line.substr(key->next);
  if (!is_null(value)) record.value = value;
  return record;
}

}  // namespace odradek::broker::cli
