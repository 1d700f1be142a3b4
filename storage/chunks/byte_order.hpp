// Fixed-width integers as bytes: little-endian in fixed headers, big-endian in keys (so that keys sort by value). No
// bounds checks: the caller guarantees sizeof(T) bytes at `at`. Variable layouts use base/codec.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>

namespace cairn::storage {

template <std::unsigned_integral T>
void store_le(std::byte* at, T value) noexcept {
  for (std::size_t i = 0; i < sizeof(T); ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
}

template <std::unsigned_integral T>
T load_le(const std::byte* at) noexcept {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value | (static_cast<T>(at[i]) << (8 * i)));
  return value;
}

template <std::unsigned_integral T>
void append_be(std::string& out, T value) {
  for (std::size_t i = sizeof(T); i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i)));
}

template <std::unsigned_integral T>
T load_be(const char* at) noexcept {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>((value << 8) | static_cast<T>(static_cast<unsigned char>(at[i])));
  return value;
}

} // namespace cairn::storage
