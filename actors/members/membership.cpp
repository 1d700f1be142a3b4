#include "actors/members/membership.hpp"

#include "actors/link/peer_claims.hpp"
#include "actors/members/cluster_report.hpp"
#include "actors/members/join_service.hpp"
#include "actors/metadata/log/leader_client.hpp"
#include "actors/metadata/log/replicated_log.hpp"
#include "actors/protocol/cluster_messages.hpp"
#include "actors/protocol/errors.hpp"
#include "actors/upkeep/lost_chunks.hpp"
#include "base/files/node_identity.hpp"
#include "base/log.hpp"
#include "cluster/raft/log_servers.hpp"
#include "cluster/remembered_members.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;
namespace raft = cluster::raft;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds membership_tick = 1s, step_pause = 100ms, request_time = 5s, hold_max = 24h;

class membership_state {
public:
  explicit membership_state(membership_actor::pointer self) : self_(self) {}
  void start(membership_services services);
  void tick();
  void serve(const peer_call& call);
  member_reports_ptr reports();

private:
  struct sessions_seen {
    std::vector<meta::session_row> live;
    layout_epoch acknowledged = 0;
    std::optional<wall_ms> lock_time;
  };

  steady_time now() const { return s_.clock->now(); }
  auto on_actor() const {
    return
        [me = membership_actor{self_}](std::function<void()> run) { caf::anon_send(me, completion{std::move(run)}); };
  }
  void with_status(const std::function<void(const log_status&)>& then);
  void report(const log_status& log);
  void send_report(const log_status& log, std::string bytes);
  void ask_any(std::string request, link::reply_callback reply);
  void find_members();
  void refused(const std::string& why);
  void remember_members();
  void update_holds();
  // From when on a first report is due: a newcomer has as long for it as all members have under a new leader.
  steady_time expected_since(node_number n) const { return joined_.contains(n) ? joined_.at(n) : leads_since_; }
  void take_report(node_report r, std::uint32_t feature_level, const std::function<void(result<void>)>& answer);
  void accept_report(const log_status& log, const link::incoming_request& request);
  void pass_on(const log_status& log, peer_request kind, const link::incoming_request& request);
  void answer_members(const link::responder& respond) const;
  void make_join_service();

  void control_soon(std::chrono::milliseconds pause);
  void control();
  void transfer_leadership(const log_status& log, const cluster::layout& layout);
  void decide(const log_status& log, const sessions_seen& sessions);
  void note_auto_out(cluster::out_decision seen);
  void carry_out(cluster::controller_step step, const cluster::layout& layout);
  void commit_all(std::shared_ptr<std::vector<meta::command>> commands, std::size_t next,
                  const std::function<void(result<meta::command_result>)>& then);
  void step_done();

  membership_actor::pointer self_;
  membership_services s_;
  std::map<node_number, received_report> reports_;
  std::uint64_t term_led_ = 0;
  steady_time leads_since_;
  std::map<node_number, steady_time> joined_; // since this node leads
  std::unique_ptr<join_service> joins_;
  std::optional<cluster::remembered_members> remembered_;
  cluster::plan_base targets_planned_;
  cluster::out_decision auto_out_;
  bool controlling_ = false, soon_ = false, remembering_ = false, remember_failed_ = false;
  std::size_t asked_ = 0; // number of requests for the list of members
};
static_assert(!std::is_aggregate_v<membership_state>);

void membership_state::start(membership_services services) {
  s_ = std::move(services);
  make_join_service();
  remembered_.emplace(s_.remembered);
  self_->delayed_send(self_, step_pause, tick_atom_v);
}

void membership_state::make_join_service() {
  join_services j;
  j.store = s_.store;
  j.reads = s_.reads;
  j.layout = s_.layout;
  j.clock = s_.clock;
  j.cluster_name = s_.cluster_name;
  j.founding = s_.founding;
  j.on_actor = on_actor();
  j.commit = [this](std::vector<meta::command> commands, auto then) {
    commit_all(std::make_shared<std::vector<meta::command>>(std::move(commands)), 0, then);
  };
  j.change_log = [this](const log_change& change, const std::function<void(bool)>& then) {
    self_->request(s_.metadata, caf::infinite, change_atom_v, change)
        .then([then](std::uint8_t answer) { then(raft::accepted(answer) == raft::accepted::yes); },
              [then](caf::error&) { then(false); });
  };
  j.joined = [this](node_number n) {
    joined_[n] = now();
    control_soon(step_pause);
  };
  joins_ = std::make_unique<join_service>(std::move(j));
}

void membership_state::tick() {
  self_->delayed_send(self_, membership_tick, tick_atom_v);
  if (const auto why = s_.refusal ? s_.refusal() : std::nullopt) refused(*why);
  remember_members();
  with_status([this](const log_status& log) {
    s_.state->leads.store(log.leads);
    if (log.leads && term_led_ != log.term) {
      term_led_ = log.term;
      leads_since_ = now();
      reports_.clear();
      joined_.clear();
      s_.state->forget_applied();
      joins_->forget();
      targets_planned_ = {};
      auto_out_ = {};
    }
    if (!log.leads) term_led_ = 0;
    s_.layout->age_addresses(!log.leads && log.leader, now());
    if (s_.feature_level) s_.feature_level(log.feature_level);
    if (s_.remember_applied) s_.remember_applied(log.applied);
    report(log);
    if (log.leads) control();
  });
}

void membership_state::with_status(const std::function<void(const log_status&)>& then) {
  self_->request(s_.metadata, caf::infinite, status_atom_v)
      .then([then](const log_status_ptr& log) { then(*log); }, [](caf::error&) {});
}

// ── reports ──

void membership_state::report(const log_status& log) {
  node_report r;
  r.node = s_.self;
  r.oldest_hold = log.oldest_hold;
  r.settled = s_.layout->settled_epoch();
  r.applied = log.applied;
  const auto use = s_.disks();
  std::tie(r.used_bytes, r.capacity_bytes, r.data_bytes) = std::tie(use.used_bytes, use.capacity_bytes, use.data_bytes);
  r.takes_writes = use.takes_writes;
  std::tie(r.complete_epoch, r.complete) = s_.state->complete();
  r.lost = s_.state->lost();
  r.lost_count = r.lost.size();
  // An older leader takes no report with a field that it does not know.
  if (s_.certificate_end && log.feature_level >= meta::feature_level_of_invitations)
    r.certificate_end = s_.certificate_end();
  if (r.lost.size() > lost_reported_max) r.lost.resize(lost_reported_max);
  if (log.feature_level >= meta::feature_level_of_object_lock) r.wall = s_.clock->wall();
  if (log.feature_level >= meta::feature_level_of_reported_faults) r.closed_disks = use.closed;
  if (log.failure && log.feature_level >= meta::feature_level_of_reported_faults)
    r.fault = to_string(log.failure->code);
  if (log.leads) return take_report(std::move(r), meta::feature_level, [](const result<void>&) {});
  send_report(log, encode(r));
}

void membership_state::send_report(const log_status& log, std::string bytes) {
  bytes.insert(bytes.begin(), char(peer_request::report));
  auto answered = [this, back = on_actor()](const result<link::answer>& a) {
    if (a || a.error().code != errc::precondition_failed) return;
    back([this, why = a.error().text] { refused(why); });
  };
  const auto layout = s_.layout->get();
  const auto leader = leader_of(log, layout.get());
  if (call_leader(*s_.network, leader, bytes, now() + request_time, answered) && s_.network->up(*leader.remote)) return;
  find_members();
  // A leader cannot reach this node at its old address. Each member takes the new one from the node itself.
  if (layout && log.self < layout->members.size() && cluster::has_moved(layout->members[log.self], s_.self.address))
    ask_any(std::move(bytes), std::move(answered));
}

// Asks one of the members that this node reaches, or of the configured addresses.
void membership_state::ask_any(std::string request, link::reply_callback reply) {
  auto reached = s_.layout->others();
  std::erase_if(reached, [this](const uuid& id) { return !s_.network->up(id); });
  if (!reached.empty())
    s_.network->call(reached[asked_ % reached.size()], std::move(request), now() + request_time, std::move(reply));
  else if (s_.ask_configured)
    s_.ask_configured(std::move(request), std::move(reply));
}

// The consensus engine finds the leader, unless it joined or moved while this node was down: then a member names it.
void membership_state::find_members() {
  auto answered = [this, back = on_actor()](result<link::answer> a) {
    back([this, a = std::move(a)] {
      auto members = a ? decode_members(a->bytes) : result<known_members>{a.error()};
      if (!members) return;
      for (const auto& m : *members)
        if (!s_.network->up(m.id)) s_.layout->note_address(m.id, m.address);
      const auto known = s_.layout->get();
      s_.layout->learn(plausible_members(std::move(*members),
                                         known ? std::span{known->members} : std::span<const meta::node_row>{}));
    });
  };
  ask_any(std::string(1, char(peer_request::members)), std::move(answered));
  ++asked_;
}

// Kept on disk, so that a restart does not serve the old copy of the metadata; else the next refusal tries again.
void membership_state::refused(const std::string& why) {
  if (!s_.state->refusal().empty()) return;
  s_.state->refuse(why);
  log::error("the cluster refuses this node: start with an empty data directory, as a new node", {{"reason", why}});
  if (!s_.remember_refusal) return;
  auto job = [this, why, remember = s_.remember_refusal, back = on_actor()](bool expired) {
    expired ? back([this] { s_.state->refuse({}); }) : remember(why);
  };
  if (!s_.reads->post(now() + request_time, std::move(job))) s_.state->refuse({});
}

// The node uses this file to find the other members when it cannot read its metadata. After a failed write the next
// tick tries again.
void membership_state::remember_members() {
  const auto layout = s_.layout->get();
  if (!layout || remembering_ || !s_.remember_members) return;
  auto wanted = remembered_->observe(layout->members);
  if (!wanted) return;
  remembering_ = true;
  auto job = [this, members = std::move(*wanted), remember = s_.remember_members, back = on_actor()](bool expired) {
    const auto kept = expired ? result<void>{error{errc::timeout, "the disk is overdue"}} : remember(members);
    back([this, members, kept] {
      remembering_ = false;
      if (kept) remembered_->written(members);
      if (!kept && !remember_failed_)
        log::warn("the file of the cluster's members was not written", {{"error", to_string(kept.error())}});
      remember_failed_ = !kept;
    });
  };
  if (!s_.reads->post(now() + request_time, std::move(job))) remembering_ = false;
}

void membership_state::take_report(node_report r, std::uint32_t feature_level,
                                   const std::function<void(result<void>)>& answer) {
  const auto layout = s_.layout->get();
  const auto m = layout ? std::ranges::find(layout->members, r.node.id, &cluster::member::id)
                        : decltype(layout->members.begin()){};
  if (!layout || m == layout->members.end())
    return answer(error{errc::no_leader, "this leader does not know the node yet"});
  if (m->state == cluster::member_state::removed)
    return answer(error{errc::precondition_failed, "the node was removed from the cluster"});
  if (!may_start_as(r.node.incarnation, m->incarnation))
    return answer(error{errc::precondition_failed, "an older incarnation than the cluster has seen: is this a restored "
                                                   "disk?"});
  auto& received =
      reports_.try_emplace(m->number, received_report{.healthy_at = expected_since(m->number)}).first->second;
  s_.state->note_applied(m->number, {r.applied, now()});
  received = {now(), r.fault.empty() ? now() : received.healthy_at, std::move(r),
              feature_level != 0 ? feature_level : received.feature_level};
  update_holds();
  answer({});
}

void membership_state::update_holds() {
  const auto layout = s_.layout->get();
  if (!layout) return;
  log_index oldest = ~log_index{0};
  for (const auto& m : layout->members) {
    if (m.number == s_.layout->self() || m.state == cluster::member_state::removed ||
        m.state == cluster::member_state::out)
      continue;
    const auto known = reports_.find(m.number);
    const auto silent = now() - (known == reports_.end() ? expected_since(m.number) : known->second.at);
    if (silent < hold_max) oldest = std::min(oldest, known == reports_.end() ? 0 : known->second.report.oldest_hold);
  }
  s_.state->others_oldest_hold.store(oldest);
}

member_reports_ptr membership_state::reports() {
  auto out = std::make_shared<member_reports>();
  out->leads = term_led_ != 0;
  if (out->leads) {
    out->by_node = reports_;
    out->waiting = joins_->waiting();
    out->auto_out = auto_out_;
  }
  return out;
}

// ── requests of other nodes ──

void membership_state::serve(const peer_call& call) {
  if (call.kind == peer_request::members) return answer_members(call.request->respond);
  with_status([this, call](const log_status& log) {
    const auto& request = *call.request;
    if (call.kind == peer_request::report) return accept_report(log, request);
    if (call.kind != peer_request::join)
      return request.respond(error{errc::unsupported, "not a request for membership"});
    auto join = decode_join(request.bytes);
    if (!join) return request.respond(join.error());
    // A join request from a member was forwarded: that member has checked the sender's link.
    if (!request.from.member)
      if (auto own = check_sender(request.from, join->node.id); !own) return request.respond(own.error());
    if (!log.leads) return pass_on(log, call.kind, request);
    joins_->take(std::move(*join), request.from.certified, request.respond, log);
  });
}

void membership_state::accept_report(const log_status& log, const link::incoming_request& request) {
  // Reports are not forwarded: the leader accepts a report only over the node's own link. The next report goes to the
  // leader.
  auto r = decode_report(request.bytes);
  if (!r) return request.respond(r.error());
  if (auto own = check_sender(request.from, r->node.id); !own) return request.respond(own.error());
  if (request.from.member && (log.leads || !log.leader)) s_.layout->note_address(r->node.id, r->node.address);
  if (!log.leads) return request.respond(error{errc::no_leader, "this node does not lead"});
  r->node.incarnation = request.from.incarnation; // the incarnation with which the link was accepted
  take_report(std::move(*r), request.from.feature_level, [respond = request.respond](const result<void>& taken) {
    taken ? respond(link::answer{}) : respond(taken.error());
  });
}

void membership_state::pass_on(const log_status& log, peer_request kind, const link::incoming_request& request) {
  const auto leader = leader_of(log, s_.layout->get().get());
  if (!call_leader(*s_.network, leader, std::string(1, char(kind)) + request.bytes, request.deadline, request.respond))
    request.respond(error{errc::no_leader, "the cluster has no leader now"});
}

void membership_state::answer_members(const link::responder& respond) const {
  if (const auto layout = s_.layout->get()) return respond(link::answer{encode(members_of(*layout)), {}});
  respond(error{errc::no_leader, "this node does not know the cluster yet"});
}

// ── the membership controller ──

void membership_state::control_soon(std::chrono::milliseconds pause) {
  if (std::exchange(soon_, true)) return;
  self_->delayed_send(self_, pause, completion{[this] {
                        soon_ = false;
                        control();
                      }});
}

void membership_state::control() {
  if (std::exchange(controlling_, true)) return;
  auto job = [this, store = s_.store, back = on_actor()](bool expired) {
    auto seen = std::make_shared<result<sessions_seen>>(error{errc::timeout, "not reached"});
    if (auto view = expired ? result<std::unique_ptr<meta::view>>{error{errc::timeout, ""}} : store->read()) {
      sessions_seen s;
      auto rows = (*view)->sessions();
      auto epoch = (*view)->acknowledged_epoch();
      if (rows && epoch) {
        std::ranges::copy_if(*rows, std::back_inserter(s.live), [](const auto& row) { return !row.ended; });
        s.acknowledged = *epoch;
        s.lock_time = (*view)->lock_time();
        *seen = std::move(s);
      }
    }
    back([this, seen] {
      controlling_ = false;
      if (!*seen) return; // the next tick tries again
      with_status([this, seen](const log_status& log) {
        if (log.leads && !controlling_) decide(log, **seen);
      });
    });
  };
  if (!s_.reads->post(now() + request_time, std::move(job))) controlling_ = false;
}

// A leader that was removed cannot remove itself from the log's configuration, and its writer session has ended.
void membership_state::transfer_leadership(const log_status& log, const cluster::layout& layout) {
  const auto is_healthy = [this](const cluster::member& m) {
    const auto known = reports_.find(m.number);
    return known != reports_.end() && now() - known->second.healthy_at < s_.controller.down_after;
  };
  if (const auto to = successor(log, layout, is_healthy))
    self_->request(s_.metadata, caf::infinite, transfer_atom_v, *to).then([](std::uint8_t) {}, [](caf::error&) {});
}

void membership_state::decide(const log_status& log, const sessions_seen& sessions) {
  const auto layout = s_.layout->get();
  if (!layout) return;
  if (log.self < layout->members.size() && layout->members[log.self].state == cluster::member_state::removed)
    return transfer_leadership(log, *layout);
  cluster::controller_view view;
  view.now = layout.get();
  view.servers = log.servers;
  view.self = log.self;
  view.live = sessions.live;
  view.acknowledged = sessions.acknowledged;
  view.wall = s_.clock->wall();
  view.feature_level = log.feature_level;
  view.lock_time = sessions.lock_time;
  view.reports.resize(layout->members.size());
  for (const auto& m : layout->members) {
    auto& n = view.reports[m.number];
    const auto known = reports_.find(m.number);
    if (const auto lost = log.lost.find(m.number); lost != log.lost.end()) n.lost_log = lost->second;
    n.has_report = known != reports_.end();
    // A member that reports a failed log does not count: it votes on nothing and follows no layout.
    n.since_last_report = std::chrono::duration_cast<std::chrono::milliseconds>(
        now() - (n.has_report ? known->second.healthy_at : expected_since(m.number)));
    if (!n.has_report) continue;
    const auto& r = known->second.report;
    n.failed = !r.fault.empty();
    std::tie(n.incarnation, n.address) = std::tie(r.node.incarnation, r.node.address);
    n.feature_level = known->second.feature_level;
    std::tie(n.used_bytes, n.capacity_bytes, n.data_bytes, n.wall) =
        std::tie(r.used_bytes, r.capacity_bytes, r.data_bytes, r.wall);
    std::tie(n.complete_epoch, n.complete) = std::tie(r.complete_epoch, r.complete);
  }
  update_holds();
  note_auto_out(cluster::auto_out(view, s_.controller));
  if (auto step = cluster::next_step(view, s_.controller, targets_planned_)) {
    controlling_ = true;
    carry_out(std::move(*step), *layout);
  }
}

void membership_state::note_auto_out(cluster::out_decision seen) {
  seen.out.clear(); // these are executed, not waiting
  if (seen.paused != auto_out_.paused && seen.paused != cluster::out_pause::none)
    log::warn("members that are away for long are not taken out: cairn cluster status says why",
              {{"reason", cluster::to_string(seen.paused)}, {"members", seen.waiting.size()}});
  auto_out_ = std::move(seen);
}

void membership_state::carry_out(cluster::controller_step step, const cluster::layout& layout) {
  if (auto* c = std::get_if<cluster::step::commit>(&step))
    return commit_all(std::make_shared<std::vector<meta::command>>(std::move(c->commands)), 0,
                      [this](const result<meta::command_result>&) { step_done(); });
  if (auto* c = std::get_if<cluster::step::change_log>(&step)) {
    self_->request(s_.metadata, caf::infinite, change_atom_v, log_change{c->node, c->kind})
        .then([this](std::uint8_t) { step_done(); }, [this](caf::error&) { step_done(); });
    return;
  }
  auto job = [this, change = std::get<cluster::step::plan>(step).change, layout, back = on_actor()](bool expired) {
    auto plan = std::make_shared<result<cluster::layout_plan>>(error{errc::timeout, "not reached"});
    if (!expired) *plan = cluster::plan_change(layout, change);
    back([this, plan, base = cluster::plan_base_of(layout)]() mutable {
      if (!*plan || (*plan)->commands.empty()) {
        if (*plan) targets_planned_ = std::move(base);
        return step_done();
      }
      auto commands = std::make_shared<std::vector<meta::command>>(std::move((*plan)->commands));
      commit_all(commands, 0, [this](const result<meta::command_result>&) { step_done(); });
    });
  };
  if (!s_.reads->post(now() + request_time, std::move(job))) step_done();
}

void membership_state::step_done() {
  controlling_ = false;
  control_soon(step_pause);
}

// Commits the commands one after the other; `then` gets the answer to the last one, or the first refusal.
void membership_state::commit_all(std::shared_ptr<std::vector<meta::command>> commands, std::size_t next,
                                  const std::function<void(result<meta::command_result>)>& then) {
  auto box = std::make_shared<const meta::command>((*commands)[next]);
  self_->request(s_.metadata, caf::infinite, commit_atom_v, command_box{std::move(box)})
      .then(
          [this, commands, next, then](const committed& c) {
            if (next + 1 == commands->size()) return then(c.result);
            commit_all(commands, next + 1, then);
          },
          [then](caf::error& e) {
            const auto why = from_caf(e);
            log::warn("a change of the membership was refused", {{"error", to_string(why)}});
            then(why);
          });
}

membership_actor::behavior_type membership(membership_actor::stateful_pointer<membership_state> self,
                                           membership_services services) {
  auto* state = &self->state;
  state->start(std::move(services));
  return {
      [state](peer_atom, const peer_call& call) { state->serve(call); },
      [state](status_atom) { return state->reports(); },
      [](completion& c) { c.run(); },
      [state](tick_atom) { state->tick(); },
  };
}

} // namespace

membership_actor spawn_membership(caf::actor_system& system, membership_services services) {
  return system.spawn(membership, std::move(services));
}

} // namespace cairn::actors
