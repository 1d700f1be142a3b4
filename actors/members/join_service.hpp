// The leader's handling of join requests. cluster/admission.hpp decides whether a node may join, from rows of the
// metadata. A node that has a certificate but no invitation is listed in `cairn cluster status` until an operator
// invites it or it stops asking; it has no number until then. A part of the membership actor, used on its thread.
#pragma once

#include "actors/link/service.hpp"
#include "actors/metadata/log/replicated_log.hpp"
#include "actors/protocol/cluster_messages.hpp"
#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/layout_holder.hpp"
#include "base/execution/executor.hpp"

namespace cairn::actors {

struct join_services {
  storage::metadata::store* store = nullptr;
  executor* reads = nullptr;
  std::shared_ptr<layout_holder> layout;
  const cairn::clock* clock = nullptr;
  std::string cluster_name;
  cluster::founding_rules founding;
  std::function<void(std::function<void()>)> on_actor; // may be called on any thread
  // Commits the commands one after the other; `then` gets the answer to the last one, or the first refusal.
  std::function<void(std::vector<storage::metadata::command>,
                     std::function<void(result<storage::metadata::command_result>)> then)>
      commit;
  std::function<void(log_change, std::function<void(bool accepted)> then)> change_log;
  std::function<void(node_number)> joined;
};

class join_service {
public:
  static constexpr std::size_t waiting_max = 16;

  explicit join_service(join_services services) : s_(std::move(services)) {}

  // `certified`: the sender's certificate on the request's connection proves its identity.
  void take(join_request request, bool certified, const link::responder& respond, const log_status& log);
  std::vector<waiting_node> waiting();
  void forget() { waiting_.clear(); } // after a change of leader

private:
  void decide(const join_request& request, bool certified, const link::responder& respond, const log_status& log,
              const result<storage::metadata::admission_rows>& rows);
  void note_waiting(const join_request& request);
  void rejoin(const join_request& request, const link::responder& respond, const log_status& log);
  void add(const join_request& request, const std::optional<storage::metadata::used_invitation>& by,
           const link::responder& respond);

  join_services s_;
  std::map<uuid, waiting_node> waiting_;
};

known_members members_of(const cluster::layout& layout);

} // namespace cairn::actors
