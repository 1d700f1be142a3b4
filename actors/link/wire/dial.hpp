// Opens a TCP connection to a host name or address within a time limit. Asio's own thread resolves host names.
#pragma once

#include "actors/link/wire/stream.hpp"

#include <chrono>
#include <functional>

namespace cairn::actors::link {

struct dial_target {
  std::string host; // name or numeric address, without brackets
  std::uint16_t port = 0;
  bool plaintext_beyond_loopback = true; // false: such an address is refused
  std::chrono::milliseconds patience{5000};
};

std::string to_string(const dial_target& target); // "node-2:9100", "[::1]:9100"

// `done` is called once, on the strand: the socket, or connection_lost ("node-2:9100: Connection refused"), timeout,
// invalid_argument (plaintext beyond loopback).
void dial(const link_strand& strand, const dial_target& target, std::function<void(result<link_socket>)> done);

} // namespace cairn::actors::link
