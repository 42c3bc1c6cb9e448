#pragma once
// The four-letter words: what a person types into nc, and monitoring reads. Formats are
// ZooKeeper 3.6's.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "coordinator/server/clients.h"

namespace odradek::coordinator::server {

// The version that clients see: ZooKeeper's whose behaviour is served, then ours.
inline constexpr std::string_view kVersion = "3.6.4-odradek-0.1.0, built on 11/21/2026 00:00 GMT";

bool is_four_letter_word(std::string_view word);

// The answer to a word. `peer` is who asks ("127.0.0.1:50122"). A word that the whitelist does not
// have gets the sentence that says so.
std::string answer_word(std::string_view word, const std::string& peer, Clients& clients);

}  // namespace odradek::coordinator::server
