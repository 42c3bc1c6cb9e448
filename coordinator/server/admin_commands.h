#pragma once
// The commands of ZooKeeper 3.8's AdminServer: what the four-letter words say, as JSON, and some more.
// Tree thread.

#include <map>
#include <string>
#include <string_view>

#include "coordinator/server/clients.h"

namespace odradek::coordinator::server {

// The answer to a command, under any of its names, as JSON; of a command that does not exist JSON
// that says so.
std::string run_admin_command(std::string_view name,
                              const std::map<std::string, std::string>& arguments,
                              Clients& clients);

// The list of all commands as a page of links below `url`.
std::string admin_command_links(const std::string& url);

}  // namespace odradek::coordinator::server
