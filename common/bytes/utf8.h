#pragma once
// UTF-8 as Java reads it: what is malformed stands for U+FFFD, so that a text from the wire is the
// same text here and in a JVM.

#include <cstdint>
#include <string>

#include "common/bytes/byte_reader.h"

namespace odradek {

inline constexpr uint32_t kReplacementCharacter = 0xfffd;

// The character at `at`, which moves behind it. Overlong forms, surrogates, what is beyond U+10FFFF
// and what is cut short are malformed: kReplacementCharacter, one for each sequence that Java
// replaces by one. `at` must be within the text.
uint32_t next_character(ByteView text, size_t& at);

bool is_utf8(ByteView text);
// The text, every malformed sequence in it replaced by U+FFFD.
std::string replace_malformed(ByteView text);

}  // namespace odradek
