// The head of every message between nodes: one version byte. Each family of messages has its own versions.
#pragma once

#include "base/codec.hpp"
#include "base/error.hpp"

#include <string>

namespace cairn::actors {

inline byte_writer begin_message(std::uint8_t version, std::size_t expected_bytes = 64) {
  byte_writer w{expected_bytes};
  w.u8(version);
  return w;
}

// `unsupported`: another version. `corrupt`: the message is empty.
inline result<void> open_message(byte_reader& r, std::uint8_t version) {
  const auto v = r.u8();
  if (!r.ok()) return error{errc::corrupt, "an empty message between nodes"};
  if (v != version)
    return error{errc::unsupported, "a message between nodes has the unknown version " + std::to_string(v)};
  return {};
}

inline error broken_message(const char* what) {
  return {errc::corrupt, std::string{what} + " of another node does not decode"};
}

} // namespace cairn::actors
