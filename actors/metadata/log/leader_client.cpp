#include "actors/metadata/log/leader_client.hpp"

#include "actors/metadata/log/replicated_log.hpp"

#include <algorithm>

namespace cairn::actors {

leader_place leader_of(const log_status& log, const cluster::layout* layout) {
  if (log.leads) return {true, {}};
  if (!layout || !log.leader || *log.leader == log.self || *log.leader >= layout->members.size()) return {};
  return {false, layout->members[*log.leader].id};
}

std::optional<link::request_number> call_leader(peers& network, const leader_place& leader, std::string request,
                                                steady_time deadline, link::reply_callback reply) {
  if (!leader.remote) return std::nullopt;
  return network.call(*leader.remote, std::move(request), deadline, std::move(reply));
}

leader_step after_failure(steady_time deadline, const leader_patience& p, steady_time now) {
  return {now + p.pause < deadline ? leader_step::kind::wait : leader_step::kind::give_up, {}};
}

leader_step next_try(const leader_place& leader, steady_time deadline, const leader_patience& p, steady_time now) {
  if (now >= deadline) return {};
  if (leader.local) return {leader_step::kind::local, {}};
  if (leader.remote) return {leader_step::kind::call, std::min(deadline, now + p.try_time)};
  return after_failure(deadline, p, now);
}

} // namespace cairn::actors
