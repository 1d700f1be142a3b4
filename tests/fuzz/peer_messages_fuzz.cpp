// What peers say about membership and to operators, on arbitrary bytes: never a crash, no allocation beyond what is
// there, and what is accepted says the same after one more way out and back.
#include "actors/protocol/cluster_messages.hpp"
#include "actors/protocol/operator_messages.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

template <class Decode>
void check(std::string_view bytes, Decode decode) {
  using cairn::actors::encode;
  const auto m = decode(bytes);
  if (!m) return;
  const std::string again = encode(*m);
  const auto second = decode(again);
  if (!second || encode(*second) != again) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cairn::actors;
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  check(bytes, decode_join);
  check(bytes, decode_join_answer);
  check(bytes, decode_members);
  check(bytes, decode_report);
  check(bytes, decode_snapshot_request);
  check(bytes, decode_admin_request);
  check(bytes, decode_cluster_status);
  (void)decode_submit(bytes);
  (void)decode_outcomes(bytes);
  (void)decode_barrier(bytes);
  (void)decode_snapshot_piece(bytes);
  (void)decode_done(bytes);
  return 0;
}
