// A token of temporary credentials, as anybody may send it: never a crash, and what opens was sealed with this key for
// this access key.
#include "storage/metadata/commands/sts_session.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cairn::storage::metadata;
  const std::string_view sent{reinterpret_cast<const char*>(data), size};
  const token_keys keys{{std::string(token_key_bytes, 'k'), 0}};
  constexpr std::array<std::byte, token_nonce_bytes> nonce{};
  opened_token known{"secret", {true, "backup", "AROA1", "nightly", 1, 2, "{}"}};
  for (const bool has_tags : {false, true}) {
    if (has_tags) known.session.tags = {{"team", "blue", true}, {"stage", "", false}};
    const auto sealed = seal_token(keys.back(), nullptr, "ASIA1", known, nonce).value();
    const auto opened = open_token(keys, nullptr, "ASIA1", sent);
    if ((opened && *opened == known) != (sent == sealed)) std::abort();
    if (open_token(keys, nullptr, "ASIA2", sent)) std::abort();
    // The sealed token with some of its bytes changed by the input.
    auto changed = sealed;
    for (std::size_t i = 0; i + 1 < size && i < 16; i += 2) {
      auto& byte = changed[data[i] % changed.size()];
      byte = static_cast<char>(byte ^ data[i + 1]);
    }
    if (open_token(keys, nullptr, "ASIA1", changed).has_value() != (changed == sealed)) std::abort();
    // What a command's log may hold of a session is encoded in one way, and keeps the bounds.
    cairn::byte_reader r{sent};
    const auto session = read_session(r, has_tags);
    if (!r.finished()) continue;
    if (session.tags.size() > session_tags_max || packed_bytes(session.policy, session.tags) > session_packed_bytes_max)
      std::abort();
    cairn::byte_writer w{64};
    write_session(w, session, has_tags);
    if (w.view() != sent) std::abort();
  }
  return 0;
}
