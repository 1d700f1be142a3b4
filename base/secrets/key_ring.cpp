#include "base/secrets/key_ring.hpp"

#include <algorithm>
#include <cstring>

namespace cairn::secrets {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view line) {
  const auto first = line.find_first_not_of(blanks);
  return first == line.npos ? std::string_view{} : line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

std::array<std::byte, nonce_bytes> fresh_nonce(random_source& random) {
  const std::array drawn{random.next(), random.next()};
  std::array<std::byte, nonce_bytes> nonce{};
  std::memcpy(nonce.data(), drawn.data(), nonce.size());
  return nonce;
}

} // namespace

result<key_ring> key_ring::read(std::string_view text) {
  key_ring ring;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto line = trimmed(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    const auto key = sealing_key::read(line);
    if (!key) return error{errc::invalid_argument, "line " + std::to_string(number) + ": " + key.error().text};
    if (ring.has(key->id())) continue;
    if (ring.keys_.size() == keys_max)
      return error{errc::invalid_argument, "more than " + std::to_string(keys_max) + " keys"};
    ring.keys_.push_back(*key);
  }
  if (ring.keys_.empty()) return error{errc::invalid_argument, "there is no key in it"};
  return ring;
}

std::string key_ring::seal(std::string_view plain, std::string_view bound_to, random_source& random) const {
  return secrets::seal(keys_.front(), plain, bound_to, fresh_nonce(random));
}

result<std::string> key_ring::open(std::string_view sealed, std::string_view bound_to) const {
  const auto id = key_id_of(sealed);
  const auto* const key = find(id);
  if (key == nullptr && !id.empty()) return error{errc::not_found, "the secret is sealed with the key " + id};
  return secrets::open(key != nullptr ? *key : keys_.front(), sealed, bound_to);
}

const sealing_key* key_ring::find(std::string_view id) const {
  const auto found = std::ranges::find_if(keys_, [id](const sealing_key& key) { return key.id() == id; });
  return found == keys_.end() ? nullptr : &*found;
}

} // namespace cairn::secrets
