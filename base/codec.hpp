// Encoding of rows, commands and keys: a writer that appends, and a reader that never reads outside its view. Integers
// are fixed width and big-endian (so that keys sort), or varints: 7 bits per byte, low bits first. The reader accepts
// only the shortest varint, so a value has exactly one encoding. A string is its length as a varint, then its bytes.
//
// The reader's error is sticky: after the first invalid field every read returns zero or an empty view. `finished()`
// tells at the end whether all fields were valid and every byte was consumed. A length or count that exceeds the
// remaining bytes is an error, so no input makes a caller allocate more than it contains.
//
// Hexadecimal digits: the high digit first, in lower case unless a function says otherwise.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace cairn {

class byte_writer {
public:
  byte_writer() = default;
  explicit byte_writer(std::size_t expected_bytes) { out_.reserve(expected_bytes); }

  byte_writer& u8(std::uint8_t v) { return fixed(v); }
  byte_writer& u16(std::uint16_t v) { return fixed(v); }
  byte_writer& u32(std::uint32_t v) { return fixed(v); }
  byte_writer& u64(std::uint64_t v) { return fixed(v); }
  byte_writer& boolean(bool v) { return fixed(static_cast<std::uint8_t>(v)); }

  byte_writer& varint(std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) out_.push_back(static_cast<char>(v | 0x80));
    out_.push_back(static_cast<char>(v));
    return *this;
  }
  byte_writer& raw(std::string_view bytes) {
    out_.append(bytes);
    return *this;
  }
  byte_writer& raw(std::span<const std::uint8_t> bytes) {
    return raw(std::string_view{reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  byte_writer& string(std::string_view bytes) { return varint(bytes.size()).raw(bytes); }

  std::string_view view() const { return out_; }
  std::string take() { return std::move(out_); }

private:
  template <class Integer>
  byte_writer& fixed(Integer v) {
    char bytes[sizeof v];
    for (std::size_t i = 0; i < sizeof v; ++i) bytes[i] = static_cast<char>(v >> (8 * (sizeof v - 1 - i)));
    out_.append(bytes, sizeof v);
    return *this;
  }

  std::string out_;
};

class byte_reader {
public:
  explicit byte_reader(std::string_view bytes) : rest_(bytes) {}
  explicit byte_reader(std::span<const std::byte> bytes)
      : rest_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}

  std::uint8_t u8() { return fixed<std::uint8_t>(); }
  std::uint16_t u16() { return fixed<std::uint16_t>(); }
  std::uint32_t u32() { return fixed<std::uint32_t>(); }
  std::uint64_t u64() { return fixed<std::uint64_t>(); }

  bool boolean() {
    const std::uint8_t v = u8();
    if (v > 1) fail();
    return v == 1;
  }

  // A value above `max` is an error.
  std::uint64_t varint(std::uint64_t max = ~std::uint64_t{0}) {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t b = u8();
      if (shift == 63 && b > 1) break;
      v |= (b & 0x7f) << shift;
      if (b >= 0x80) continue;
      if ((b == 0 && shift > 0) || v > max) break;
      return ok_ ? v : 0;
    }
    fail();
    return 0;
  }
  std::uint32_t varint32() { return static_cast<std::uint32_t>(varint(0xffffffff)); }

  // A view into the reader's bytes.
  std::string_view raw(std::size_t length) {
    if (length > rest_.size()) fail();
    if (!ok_) return {};
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }
  void raw(std::span<std::uint8_t> into) {
    const std::string_view taken = raw(into.size());
    for (std::size_t i = 0; i < taken.size(); ++i) into[i] = static_cast<std::uint8_t>(taken[i]);
  }
  std::string_view string(std::size_t length_max = ~std::size_t{0}) {
    return raw(static_cast<std::size_t>(varint(length_max)));
  }
  // The length of a list whose items take at least `item_bytes_min` bytes each. More than the remaining bytes can hold
  // is an error.
  std::size_t count(std::size_t item_bytes_min) {
    return static_cast<std::size_t>(varint(rest_.size() / item_bytes_min));
  }

  void fail() {
    ok_ = false;
    rest_ = {};
  }
  bool ok() const { return ok_; }
  bool finished() const { return ok_ && rest_.empty(); }
  std::string_view rest() const { return rest_; }

private:
  template <class Integer>
  Integer fixed() {
    if (rest_.size() < sizeof(Integer)) {
      fail();
      return 0;
    }
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) v = v << 8 | static_cast<std::uint8_t>(rest_[i]);
    rest_.remove_prefix(sizeof(Integer));
    return static_cast<Integer>(v);
  }

  std::string_view rest_;
  bool ok_ = true;
};

inline std::string hex_of(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const auto byte : bytes) out.append({digits[byte >> 4], digits[byte & 15]});
  return out;
}
inline std::string hex_of(std::string_view bytes) {
  return hex_of(std::span{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}
// Two digits in upper case, as in percent-encoding (RFC 3986).
inline std::string upper_hex_of(std::uint8_t byte) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  return {digits[byte >> 4], digits[byte & 15]};
}
// With leading zeros up to `digits_min`.
inline std::string hex_of(std::uint64_t value, std::size_t digits_min) {
  std::size_t digits = 1;
  while (digits < 16 && value >> (4 * digits) != 0) ++digits;
  std::string out(std::max(digits, digits_min), '0');
  for (auto at = out.rbegin(); value != 0; ++at, value >>= 4) *at = "0123456789abcdef"[value & 15];
  return out;
}

// Whether hex_of() can have written the text: digits, but none in upper case.
inline bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
// 1 to 16 digits of any case, and nothing else.
inline std::optional<std::uint64_t> read_hex(std::string_view text) {
  if (text.empty() || text.size() > 16) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(digit);
  }
  return value;
}
// Two digits of any case for each byte, and nothing else. After a failure the bytes have any value.
inline bool read_hex(std::string_view text, std::span<std::uint8_t> into) {
  if (text.size() != 2 * into.size()) return false;
  for (std::size_t i = 0; i < into.size(); ++i) {
    const auto byte = read_hex(text.substr(2 * i, 2));
    if (!byte) return false;
    into[i] = static_cast<std::uint8_t>(*byte);
  }
  return true;
}

} // namespace cairn
