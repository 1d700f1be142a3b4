#include "net/wire/grammar/base64.hpp"

#include <cstdint>

namespace cairn::net {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::optional<std::uint32_t> value_of(char c) {
  if (c == '+') c = '-';
  if (c == '/') c = '_';
  const auto at = alphabet.find(c);
  return at == alphabet.npos ? std::nullopt : std::optional{static_cast<std::uint32_t>(at)};
}

} // namespace

std::string base64url_encode(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out.push_back(alphabet[(bits >> (count - 6)) & 63]);
  }
  if (count > 0) out.push_back(alphabet[(bits << (6 - count)) & 63]);
  return out;
}

std::string base64_encode(std::string_view bytes) {
  auto out = base64url_encode(bytes);
  for (auto& c : out) c = c == '-' ? '+' : c == '_' ? '/' : c;
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (const auto padding = text.find('='); padding != text.npos) {
    const auto pad = text.substr(padding);
    if (text.size() % 4 != 0 || (pad != "=" && pad != "==")) return std::nullopt;
    text = text.substr(0, padding);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto value = value_of(c);
    if (!value) return std::nullopt;
    bits = (bits << 6) | *value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count));
      bits &= (1u << count) - 1;
    }
  }
  return bits == 0 ? std::optional{std::move(out)} : std::nullopt;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  return text.find_first_of("+/=") == text.npos ? base64_decode(text) : std::nullopt;
}

} // namespace cairn::net
