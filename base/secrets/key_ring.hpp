// The sealing keys of a node: one seals, all open, so that a key can be replaced while secrets are still sealed with
// the one before. Immutable; any thread may use it. Errors as in sealing.hpp.
#pragma once

#include "base/seams.hpp"
#include "base/secrets/sealing.hpp"

#include <vector>

namespace cairn::secrets {

class key_ring {
public:
  static constexpr std::size_t keys_max = 16;

  // One key a line; empty lines, and those that begin with '#', are skipped. invalid_argument: a line that is no key,
  // no key, more than keys_max.
  static result<key_ring> read(std::string_view text);

  std::string id() const { return keys_.front().id(); } // of the key that seals
  bool has(std::string_view id) const { return find(id) != nullptr; }
  std::string seal(std::string_view plain, std::string_view bound_to, random_source& random) const;
  result<std::string> open(std::string_view sealed, std::string_view bound_to) const;

private:
  key_ring() = default;
  const sealing_key* find(std::string_view id) const;

  std::vector<sealing_key> keys_; // not empty; the first seals
};

} // namespace cairn::secrets
