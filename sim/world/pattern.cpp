#include "sim/world/pattern.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

namespace cairn::sim {

namespace {

// A prime length, so that no period coincides with blocks or chunks.
constexpr std::size_t table_bytes = 262'139;

const std::array<std::byte, table_bytes>& table() {
  static const auto bytes = [] {
    static std::array<std::byte, table_bytes> out;
    std::mt19937_64 draw{0xCA1C};
    for (auto& b : out) b = std::byte(draw() >> 32);
    return out;
  }();
  return bytes;
}

std::size_t place(std::uint64_t content, std::uint64_t offset) {
  return (content % table_bytes * 104'729 + offset % table_bytes) % table_bytes;
}

// Calls piece(table bytes, offset in the whole, length) for each run of the table.
template <class Piece>
void walk(std::uint64_t content, std::uint64_t offset, std::size_t length, Piece piece) {
  for (std::size_t done = 0; done < length;) {
    const auto at = place(content, offset + done);
    const auto n = std::min(length - done, table_bytes - at);
    piece(table().data() + at, done, n);
    done += n;
  }
}

} // namespace

void fill_pattern(std::uint64_t content, std::uint64_t offset, bytes_span into) {
  walk(content, offset, into.size(),
       [&](const std::byte* from, std::size_t at, std::size_t n) { std::memcpy(into.data() + at, from, n); });
}

bool is_pattern(std::uint64_t content, std::uint64_t offset, bytes_view bytes) {
  bool same = true;
  walk(content, offset, bytes.size(), [&](const std::byte* from, std::size_t at, std::size_t n) {
    same = same && std::memcmp(bytes.data() + at, from, n) == 0;
  });
  return same;
}

std::string pattern(std::uint64_t content, std::uint64_t offset, std::size_t length) {
  std::string out(length, '\0');
  fill_pattern(content, offset, std::as_writable_bytes(std::span{out.data(), out.size()}));
  return out;
}

} // namespace cairn::sim
