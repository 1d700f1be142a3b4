#include "storage/kv/checked_rows.hpp"

#include "base/checksum.hpp"
#include "base/codec.hpp"
#include "storage/kv/checked_kv.hpp"

#include <array>

namespace cairn::storage::checked_rows {

namespace {

constexpr char row_version = 1, begin_version = 2;
constexpr std::size_t trailer_bytes = 5, page_header_bytes = 16;
constexpr std::string_view end_prefix = "end";

bytes_view view_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

// `versioned`: the value with the version byte.
std::uint32_t sum_of(table_id table, std::string_view key, std::string_view versioned) {
  const std::array head{std::byte{table}, std::byte(key.size() >> 8), std::byte(key.size())};
  return crc32c(view_of(versioned), crc32c(view_of(key), crc32c(head)));
}

void append_sum(std::string& out, std::uint32_t sum) {
  for (unsigned shift = 32; shift > 0; shift -= 8) out.push_back(static_cast<char>(sum >> (shift - 8)));
}

} // namespace

bool stored_row::is_begin() const {
  return versioned.back() == begin_version;
}

std::optional<stored_row> parse(std::string_view stored) {
  if (stored.size() < trailer_bytes) return {};
  const std::string_view versioned = stored.substr(0, stored.size() - sizeof(std::uint32_t));
  byte_reader sum{stored.substr(versioned.size())};
  return stored_row{versioned, sum.u32()};
}

std::optional<std::string_view> unwrapped(table_id table, std::string_view key, std::string_view stored) {
  const auto row = parse(stored);
  if (!row || row->sum != sum_of(table, key, row->versioned) || row->versioned.back() != row_version) return {};
  return row->value();
}

std::optional<std::string_view> join_rows(table_id table, std::string_view key, const stored_row& begin,
                                          std::string_view end, std::string& joined) {
  joined.reserve(begin.versioned.size() + end.size());
  joined.assign(begin.value()).append(end).push_back(begin_version);
  if (begin.sum != sum_of(table, key, joined)) return {};
  return std::string_view{joined}.substr(0, joined.size() - 1);
}

void wrap(std::string& out, table_id table, std::string_view key, std::string_view value) {
  out.assign(value).push_back(row_version);
  append_sum(out, sum_of(table, key, out));
}

void wrap_begin(std::string& out, table_id table, std::string_view key, std::string_view value, std::size_t begin) {
  out.assign(value).push_back(begin_version);
  const auto sum = sum_of(table, key, out);
  out.resize(begin);
  out.push_back(begin_version);
  append_sum(out, sum);
}

std::size_t begin_bytes(std::string_view key, std::size_t value_bytes) {
  constexpr auto overhead = page_header_bytes + trailer_bytes;
  const std::size_t pages = (value_bytes + overhead) / kv_page_bytes;
  const std::size_t fits = pages * kv_page_bytes - overhead;
  const bool splits = pages > 0 && value_bytes > fits && value_bytes - fits <= kv_value_end_max;
  return splits && end_prefix.size() + 1 + key.size() <= kv_key_bytes_max ? fits : value_bytes;
}

std::string end_key(table_id table, std::string_view key) {
  std::string out{end_prefix};
  out.push_back(static_cast<char>(table));
  return out.append(key);
}

} // namespace cairn::storage::checked_rows
