#pragma once
// The four-letter words: what a person types into nc, and monitoring reads. Words and layout are
// ZooKeeper 3.8's (tests/golden/zookeeper/operations).

#include <string>
#include <string_view>

#include "coordinator/server/clients.h"

namespace odradek::coordinator::server {

// The one that is followed by a number of eight bytes.
inline constexpr std::string_view kWordWithArgument = "stmk";

bool is_four_letter_word(std::string_view word);

// The answer to a word. `argument` are the bytes behind kWordWithArgument, `peer` is who asks
// ("127.0.0.1:50122"). A word that the whitelist does not have gets the sentence that says so.
std::string answer_word(std::string_view word, std::string_view argument, const std::string& peer,
                        Clients& clients);

}  // namespace odradek::coordinator::server
