// Looks up a host for a connection of a thread that may wait.
#pragma once

#include "base/error.hpp"
#include "base/third_party/asio.hpp"

#include <chrono>
#include <string>

namespace cairn::cli {

using found_hosts = result<boost::asio::ip::tcp::resolver::results_type>;

// Nothing ends the system's look-up of a name, which takes as long as its name servers are waited for. So it has a
// thread of its own, and one that is late goes on without anybody. An address needs no name server.
// Errors: connection_lost (no such host), timeout.
found_hosts look_up(const std::string& host, const std::string& port, std::chrono::milliseconds patience);

} // namespace cairn::cli
