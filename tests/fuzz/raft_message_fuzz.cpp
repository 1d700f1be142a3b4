// Consensus messages, configurations and the check before the engine on arbitrary bytes: never a crash, and what is
// accepted is the one encoding of its value.
#include "cluster/raft/raft_message.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace raft = cairn::cluster::raft;
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  if (const auto c = raft::decode_configuration(bytes); c && raft::encode(*c) != bytes) std::abort();
  const auto m = raft::decode_message(bytes);
  if (!m) return 0;
  if (raft::encode(*m) != bytes) std::abort();
  (void)raft::what_is_wrong(*m, 7);
  if (const auto* a = std::get_if<raft::append_request>(&*m)) {
    std::size_t entries = 0;
    for (const auto& part : raft::split(raft::append_request{*a})) {
      entries += part.entries.size();
      if (raft::encode(raft::message{part}).size() > raft::message_bytes_max) std::abort();
    }
    if (entries != a->entries.size()) std::abort();
  }
  return 0;
}
