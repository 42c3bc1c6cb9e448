#include "broker/cli/message_formatter.h"

#include <bit>
#include <cstdio>
#include <cstring>

#include "broker/cli/internal_formatters.h"
#include "common/bytes/byte_reader.h"
#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

bool is_true(const Properties& properties, std::string_view key, bool fallback) {
  return odradek::cli::lower(
             odradek::cli::trim(get_or(properties, key, fallback ? "true" : "false"))) == "true";
}

std::string simple_name(std::string_view class_name) {
  size_t at = class_name.find_last_of(".$");
  return std::string(at == std::string_view::npos ? class_name : class_name.substr(at + 1));
}

// What a Java deserializer's object prints.
using Deserializer = Result<std::string> (*)(std::string_view);

template <typename Read>
Result<std::string> fixed_width(std::string_view bytes, size_t size, Read read) {
  if (bytes.size() != size) {
    return Error(
        Errc::malformed,
        "org.apache.kafka.common.errors.SerializationException: Size of data received is not " +
            std::to_string(size));
  }
  ByteReader reader(bytes);
  return read(reader);
}

std::string shown_double(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.17g", value);
  for (int digits = 1; digits < 17; ++digits) {
    char shorter[64];
    std::snprintf(shorter, sizeof shorter, "%.*g", digits, value);
    if (std::strtod(shorter, nullptr) == value)
      return std::strpbrk(shorter, ".en") ? shorter : std::string(shorter) + ".0";
  }
  return text;
}

Result<std::string> as_bytes(std::string_view bytes) { return std::string(bytes); }
Result<std::string> as_long(std::string_view bytes) {
  return fixed_width(bytes, 8, [](ByteReader& r) { return std::to_string(r.i64()); });
}
Result<std::string> as_integer(std::string_view bytes) {
  return fixed_width(bytes, 4, [](ByteReader& r) { return std::to_string(r.i32()); });
}
Result<std::string> as_short(std::string_view bytes) {
  return fixed_width(bytes, 2, [](ByteReader& r) { return std::to_string(r.i16()); });
}
Result<std::string> as_double(std::string_view bytes) {
  return fixed_width(bytes, 8, [](ByteReader& r) { return shown_double(r.f64()); });
}
Result<std::string> as_float(std::string_view bytes) {
  return fixed_width(bytes, 4, [](ByteReader& r) {
    float value = std::bit_cast<float>(r.u32());
    char text[64];
    for (int digits = 1; digits <= 9; ++digits) {
      std::snprintf(text, sizeof text, "%.*g", digits, static_cast<double>(value));
      if (std::strtof(text, nullptr) == value) break;
    }
    return std::strpbrk(text, ".en") ? std::string(text) : std::string(text) + ".0";
  });
}
Result<std::string> as_boolean(std::string_view bytes) {
  return fixed_width(bytes, 1,
                     [](ByteReader& r) { return std::string(r.boolean() ? "true" : "false"); });
}

Result<Deserializer> find_deserializer(const std::string& class_name) {
  struct Named {
    std::string_view name;
    Deserializer function;
  };
  static constexpr Named kKnown[] = {{"", as_bytes},
                                     {"StringDeserializer", as_bytes},
                                     {"ByteArrayDeserializer", as_bytes},
                                     {"BytesDeserializer", as_bytes},
                                     {"ByteBufferDeserializer", as_bytes},
                                     {"UUIDDeserializer", as_bytes},
                                     {"LongDeserializer", as_long},
                                     {"IntegerDeserializer", as_integer},
                                     {"ShortDeserializer", as_short},
                                     {"DoubleDeserializer", as_double},
                                     {"FloatDeserializer", as_float},
                                     {"BooleanDeserializer", as_boolean}};
  std::string name = simple_name(class_name);
  for (const auto& known : kKnown) {
    if (known.name == name) return known.function;
  }
  return Error(
      Errc::bad_setting,
      "java.lang.ClassNotFoundException: " + class_name +
          " (Java classes cannot be loaded; the deserializers of Kafka itself are built in)");
}

class DefaultFormatter : public MessageFormatter {
 public:
  static Result<std::unique_ptr<MessageFormatter>> make(const Properties& properties) {
    auto made = std::make_unique<DefaultFormatter>();
    made->timestamp_ = is_true(properties, "print.timestamp", false);
    made->key_ = is_true(properties, "print.key", false);
    made->offset_ = is_true(properties, "print.offset", false);
    made->partition_ = is_true(properties, "print.partition", false);
    made->headers_ = is_true(properties, "print.headers", false);
    made->value_ = is_true(properties, "print.value", true);
    made->key_separator_ = get_or(properties, "key.separator", "\t");
    made->line_separator_ = get_or(properties, "line.separator", "\n");
    made->headers_separator_ = get_or(properties, "headers.separator", ",");
    made->null_literal_ = get_or(properties, "null.literal", "null");
    auto key = find_deserializer(get_or(properties, "key.deserializer", ""));
    auto value = find_deserializer(get_or(properties, "value.deserializer", ""));
    auto headers = find_deserializer(get_or(properties, "headers.deserializer", ""));
    if (!key) return key.error();
    if (!value) return value.error();
    if (!headers) return headers.error();
    made->key_deserializer_ = *key;
    made->value_deserializer_ = *value;
    made->headers_deserializer_ = *headers;
    return std::unique_ptr<MessageFormatter>(std::move(made));
  }

  Result<void> write(const ConsumedRecord& record, std::string& out) override {
    if (timestamp_) {
      write_timestamp(record, out);
      separate(out, offset_ || partition_ || headers_ || key_ || value_);
    }
    if (partition_) {
      out += "Partition:" + std::to_string(record.partition);
      separate(out, offset_ || headers_ || key_ || value_);
    }
    if (offset_) {
      out += "Offset:" + std::to_string(record.offset);
      separate(out, headers_ || key_ || value_);
    }
    if (headers_) {
      for (size_t i = 0; i < record.headers.size(); ++i) {
        if (i > 0) out += headers_separator_;
        out.append(record.headers[i].first).append(":");
        if (auto done = put(headers_deserializer_, record.headers[i].second, out); !done)
          return done;
      }
      if (record.headers.empty()) out += "NO_HEADERS";
      separate(out, key_ || value_);
    }
    if (key_) {
      if (auto done = put(key_deserializer_, record.key, out); !done) return done;
      separate(out, value_);
    }
    if (value_) {
      if (auto done = put(value_deserializer_, record.value, out); !done) return done;
      out += line_separator_;
    }
    return {};
  }

  static void write_timestamp(const ConsumedRecord& record, std::string& out) {
    switch (record.timestamp_type) {
      case TimestampType::none:
        out += "NO_TIMESTAMP";
        return;
      case TimestampType::create_time:
        out += "CreateTime:";
        break;
      case TimestampType::log_append_time:
        out += "LogAppendTime:";
        break;
    }
    out += std::to_string(record.timestamp_ms);
  }

 private:
  void separate(std::string& out, bool more) const {
    out += more ? key_separator_ : line_separator_;
  }
  Result<void> put(Deserializer deserializer, const std::optional<std::string_view>& bytes,
                   std::string& out) const {
    if (!bytes) {
      out += null_literal_;
    } else if (deserializer == as_bytes) {
      out.append(*bytes);
    } else {
      auto text = deserializer(*bytes);
      if (!text) return text.error();
      out += *text;
    }
    return {};
  }

  bool timestamp_ = false;
  bool key_ = false;
  bool offset_ = false;
  bool partition_ = false;
  bool headers_ = false;
  bool value_ = true;
  std::string key_separator_;
  std::string line_separator_;
  std::string headers_separator_;
  std::string null_literal_;
  Deserializer key_deserializer_ = as_bytes;
  Deserializer value_deserializer_ = as_bytes;
  Deserializer headers_deserializer_ = as_bytes;
};

// Prints as the default formatter, and a line to the log.
class LoggingFormatter : public MessageFormatter {
 public:
  explicit LoggingFormatter(std::unique_ptr<MessageFormatter> printer)
      : printer_(std::move(printer)) {}
  Result<void> write(const ConsumedRecord& record, std::string& out) override {
    auto shown = [](const auto& part) { return part ? std::string(*part) : std::string("null"); };
    std::string time;
    if (record.timestamp_type != TimestampType::none) {
      DefaultFormatter::write_timestamp(record, time);
      time += ", ";
    }
    odradek::cli::log_line("INFO",
                           time + "key:" + shown(record.key) + ", value:" + shown(record.value),
                           "kafka.tools.LoggingMessageFormatter");
    return printer_->write(record, out);
  }

 private:
  std::unique_ptr<MessageFormatter> printer_;
};

class NoOpFormatter : public MessageFormatter {
 public:
  Result<void> write(const ConsumedRecord&, std::string&) override { return {}; }
};

}  // namespace

Result<std::unique_ptr<MessageFormatter>> make_formatter(const std::string& class_name,
                                                         const Properties& properties) {
  std::string name = simple_name(class_name);
  if (name == "DefaultMessageFormatter") return DefaultFormatter::make(properties);
  if (name == "LoggingMessageFormatter") {
    auto printer = DefaultFormatter::make(properties);
    if (!printer) return printer;
    return std::unique_ptr<MessageFormatter>(
        std::make_unique<LoggingFormatter>(std::move(*printer)));
  }
  if (name == "NoOpMessageFormatter")
    return std::unique_ptr<MessageFormatter>(std::make_unique<NoOpFormatter>());
  if (auto internal = make_internal_formatter(name)) return internal;
  return Error(Errc::bad_setting,
               "java.lang.ClassNotFoundException: " + class_name +
                   " (Java classes cannot be loaded; the formatters of Kafka itself are built in)");
}

}  // namespace odradek::broker::cli
