#pragma once
// Bytes as text: base64 and hexadecimal.

#include <optional>
#include <string>

#include "common/bytes/byte_reader.h"

namespace odradek {

std::string base64_encode(ByteView bytes);      // RFC 4648 with padding, as digest ACLs have it
std::string base64_url_encode(ByteView bytes);  // '-' and '_', without padding, as Kafka's ids
// Either alphabet, padding optional; nothing where the text is neither.
std::optional<std::string> base64_decode(ByteView text);

std::string hex_encode(ByteView bytes);  // lower case
// Nothing where the text is not pairs of hexadecimal digits.
std::optional<std::string> hex_decode(ByteView text);

}  // namespace odradek
