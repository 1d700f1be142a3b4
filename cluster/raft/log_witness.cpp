#include "cluster/raft/log_witness.hpp"

#include "base/files/node_identity.hpp"

#include <utility>

namespace cairn::cluster::raft {

void log_witness::reset() {
  term_ = 0;
  starts_.clear();
  lost_.clear();
}

bool log_witness::note(server_id server, std::uint64_t incarnation, term_t term, index_t match,
                       const append_answer& a) {
  if (a.term != term || a.rejected == rejected_as_stale) return false;
  if (term != term_) reset();
  term_ = term;
  const auto [known, is_new] = starts_.try_emplace(server, start{incarnation, 0});
  auto& s = known->second;
  if (!is_new && is_later_start(incarnation, s.incarnation)) s = {incarnation, match};
  if (incarnation != s.incarnation || a.rejected == 0 || a.last >= s.acknowledged) return false;
  return std::exchange(lost_[server], incarnation) != incarnation;
}

} // namespace cairn::cluster::raft
