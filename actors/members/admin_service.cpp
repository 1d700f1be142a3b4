#include "actors/members/admin_service.hpp"

#include "actors/members/cluster_report.hpp"
#include "actors/members/command_plan.hpp"
#include "actors/members/node_names.hpp"
#include "actors/metadata/log/leader_client.hpp"
#include "actors/protocol/errors.hpp"
#include "actors/protocol/operator_messages.hpp"
#include "actors/upkeep/backfill_pages.hpp"
#include "actors/upkeep/lost_chunks.hpp"
#include "base/log.hpp"
#include "cluster/admission.hpp"
#include "cluster/raft/log_servers.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds admin_tick_interval = 1s, status_time = 2s, command_time = 20s, retry_pause = 200ms,
                                    answer_margin = 1s; // for the answer's way back through another node

error not_all_votes() {
  return {errc::timeout, "not all votes were changed in time: `cairn cluster status` shows who votes; ask again"};
}

constexpr const char* removed_here =
    ". It is the node that was asked: `cairn cluster status` on another one shows whether its vote was taken away";

using status_reply = std::function<void(result<cluster_status>)>;
using command_reply = std::function<void(result<std::string>)>;

class admin_service_state {
public:
  explicit admin_service_state(admin_service_actor::pointer self) : self_(self) {}
  void start(admin_services services);
  void tick();
  caf::result<cluster_status_ptr> status();
  caf::result<std::string> execute(const admin_command& c);
  void serve(const peer_call& call);

private:
  struct pending_command {
    admin_command command;
    steady_time deadline;
    command_reply reply;
    bool served = false;     // received from another node, not executed yet: refused unless this node leads
    log_status_ptr log = {}; // as of the last try
  };
  using pending_command_ptr = std::shared_ptr<pending_command>;

  steady_time now() const { return s_.clock->now(); }
  auto on_actor() const {
    return [me = admin_service_actor{self_}](std::function<void()> run) {
      caf::anon_send(me, completion{std::move(run)});
    };
  }
  auto linked() const {
    return [network = s_.network](const cluster::member& m) { return network->up(m.id); };
  }
  void with_log(const std::function<void(result<log_status_ptr>)>& then);

  void own_status(const log_status_ptr& log, const status_reply& reply);
  void asked_status(const log_status_ptr& log, const status_reply& reply);
  bool removes_this_node(const admin_command& c) const;
  static bool find_numbers(const pending_command_ptr& pending, const cluster::layout& layout);
  void forwarded(const pending_command_ptr& pending, const result<link::answer>& a);
  leader_client<pending_command>::services command_route();
  void carry_out(const pending_command_ptr& pending, const log_status& log);
  void change(const pending_command_ptr& pending, command_plan plan, layout_ptr layout);
  void commit(const pending_command_ptr& pending, std::shared_ptr<std::vector<meta::command>> commands,
              std::size_t next, const std::string& done);
  void finish(const pending_command_ptr& pending, const std::string& done);
  void transfer_leadership(const pending_command_ptr& pending, const log_status& log);
  void await_vote_taken(const pending_command_ptr& pending);
  void request_repair_scan(const pending_command_ptr& pending);
  void invite(const pending_command_ptr& pending, const log_status& log);
  void change_voters(const pending_command_ptr& pending, const log_status& log, const cluster::layout& layout);
  void check_lost(const pending_command_ptr& pending);
  void forget(const pending_command_ptr& pending, const reported_losses& losses);

  admin_service_actor::pointer self_;
  admin_services s_;
  std::optional<leader_client<pending_command>> commands_;
};
static_assert(!std::is_aggregate_v<admin_service_state>);

void admin_service_state::start(admin_services services) {
  s_ = std::move(services);
  commands_.emplace(command_route());
  self_->delayed_send(self_, admin_tick_interval, tick_atom_v);
}

void admin_service_state::with_log(const std::function<void(result<log_status_ptr>)>& then) {
  self_->request(s_.metadata, caf::infinite, status_atom_v)
      .then([then](const log_status_ptr& log) { then(log); }, [then](caf::error& e) { then(from_caf(e)); });
}

// ── status ──

// The status that metrics and `state` show: computed from what this node knows itself, without asking the leader.
void admin_service_state::tick() {
  self_->delayed_send(self_, admin_tick_interval, tick_atom_v);
  with_log([this](const result<log_status_ptr>& log) {
    if (!log) return;
    own_status(*log, [this](result<cluster_status> s) {
      if (s) s_.state->set_status(std::make_shared<const cluster_status>(std::move(*s)));
    });
  });
}

void admin_service_state::own_status(const log_status_ptr& log, const status_reply& reply) {
  auto ask = [this, log, reply](const member_reports_ptr& reports) {
    const auto layout = s_.layout->get();
    if (!layout) return reply(error{errc::no_leader, "this node does not know the cluster's layout yet"});
    // The job does not use the state of the actor, which may have ended by then.
    auto job = [log, reply, reports, layout, linked = linked(), store = s_.store, clock = s_.clock,
                name = s_.cluster_name, down_after = s_.down_after, back = on_actor()](bool expired) {
      result<cluster_status> out = error{errc::timeout, "the metadata was not reached in time"};
      if (auto view = expired ? result<std::unique_ptr<meta::view>>{out.error()} : store->read()) {
        known_cluster k;
        k.layout = layout.get();
        k.log = log.get();
        k.reports = reports.get();
        k.name = name;
        k.now = clock->now();
        k.wall = clock->wall();
        k.down_after = down_after;
        k.linked = linked;
        k.repairs_waiting = (*view)->repairs_waiting();
        const auto losses = losses_of(*reports);
        const auto live = still_live(**view, losses.chunks);
        k.chunks_lost = live ? live->size() : losses.chunks.size();
        out = report_cluster(k);
        out->deletions_held = (*view)->deletions_held();
      } else {
        out = view.error();
      }
      back([reply, out = std::move(out)] { reply(out); });
    };
    if (auto posted = s_.reads->post(now() + status_time, std::move(job)); !posted) reply(posted.error());
  };
  self_->request(s_.membership, caf::infinite, status_atom_v).then(std::move(ask), [reply](caf::error& e) {
    reply(from_caf(e));
  });
}

// The leader's status; this node's own if no leader is known or it does not answer.
void admin_service_state::asked_status(const log_status_ptr& log, const status_reply& reply) {
  std::string bytes(1, char(peer_request::membership));
  bytes += encode(admin_request{status_request{}});
  auto answered = [this, log, reply, back = on_actor()](result<link::answer> a) {
    back([this, log, reply, a = std::move(a)] {
      auto theirs = a ? decode_cluster_status(a->bytes) : result<cluster_status>{a.error()};
      if (!theirs) return own_status(log, reply);
      theirs->self = log->self;
      reply(std::move(theirs));
    });
  };
  const auto leader = leader_of(*log, s_.layout->get().get());
  if (!call_leader(*s_.network, leader, std::move(bytes), now() + status_time, std::move(answered)))
    own_status(log, reply);
}

caf::result<cluster_status_ptr> admin_service_state::status() {
  auto promise = self_->make_response_promise<cluster_status_ptr>();
  with_log([this, promise](const result<log_status_ptr>& log) mutable {
    if (!log) {
      promise.deliver(to_caf(log.error()));
      return;
    }
    asked_status(*log, [promise](result<cluster_status> s) mutable {
      if (s)
        promise.deliver(cluster_status_ptr{std::make_shared<const cluster_status>(std::move(*s))});
      else
        promise.deliver(to_caf(s.error()));
    });
  });
  return promise;
}

// ── commands ──

caf::result<std::string> admin_service_state::execute(const admin_command& requested) {
  auto promise = self_->make_response_promise<std::string>();
  auto c = requested;
  // Only the operator receives the token. The log and the other nodes receive its hash.
  std::string token;
  if (c.kind == admin_verb::add && c.invited == uuid{}) {
    token = cluster::make_join_token(*s_.random);
    c.token = cluster::hash_of_token(token);
  }
  commands_->ask(std::make_shared<pending_command>(
      pending_command{c, now() + command_time, [promise, token](result<std::string> done) mutable {
                        if (done)
                          promise.deliver(token.empty() ? std::move(*done) : std::move(token));
                        else
                          promise.deliver(to_caf(done.error()));
                      }}));
  return promise;
}

leader_client<admin_service_state::pending_command>::services admin_service_state::command_route() {
  leader_client<pending_command>::services r;
  r.network = s_.network;
  r.clock = s_.clock;
  r.patience = {retry_pause, command_time};
  r.post = on_actor();
  r.after = [this](std::chrono::milliseconds pause, std::function<void()> run) {
    self_->delayed_send(self_, pause, completion{std::move(run)});
  };
  r.find = [this](const pending_command_ptr& pending, const std::function<void(const leader_place&)>& then) {
    with_log([this, pending, then](const result<log_status_ptr>& log) {
      if (!log) return pending->reply(log.error());
      if (pending->served && !(*log)->leads) return pending->reply(error{errc::no_leader, "this node does not lead"});
      if (removes_this_node(pending->command)) return pending->reply(removed_text(s_.layout->self()) + removed_here);
      pending->log = *log;
      then(leader_of(**log, s_.layout->get().get()));
    });
  };
  r.serve_locally = [this](const pending_command_ptr& pending) {
    pending->served = false;
    carry_out(pending, *pending->log);
  };
  r.bytes = [](const pending_command& pending) {
    return std::string(1, char(peer_request::membership)) + encode(admin_request{pending.command});
  };
  r.answered = [this](const pending_command_ptr& pending, const result<link::answer>& a) { forwarded(pending, a); };
  r.gave_up = [](const pending_command_ptr& pending, const error& why) { pending->reply(why); };
  return r;
}

// A removed node is not informed whether its vote was taken away.
bool admin_service_state::removes_this_node(const admin_command& c) const {
  const auto layout = s_.layout->get();
  if (c.kind != admin_verb::remove || !layout) return false;
  const auto numbered = with_numbers(*layout, c);
  return numbered && numbered->node == s_.layout->self() &&
         (is_removed(*layout, *numbered) || !s_.state->refusal().empty());
}

// False: the command names an unknown node, and the error has been sent.
bool admin_service_state::find_numbers(const pending_command_ptr& pending, const cluster::layout& layout) {
  auto numbered = with_numbers(layout, pending->command);
  if (numbered)
    pending->command = std::move(*numbered);
  else
    pending->reply(numbered.error());
  return numbered.has_value();
}

void admin_service_state::forwarded(const pending_command_ptr& pending, const result<link::answer>& a) {
  if (a) return pending->reply(decode_done(a->bytes));
  // All commands are idempotent.
  if (a.error().code == errc::no_leader || a.error().code == errc::connection_lost) {
    pending->command.repeated = !pending->command.names.empty();
    return commands_->again(pending, a.error());
  }
  // A leader of an older build takes numbers only.
  const auto layout = s_.layout->get();
  if (a.error().code != errc::unsupported || pending->command.names.empty() || !layout)
    return pending->reply(a.error());
  if (find_numbers(pending, *layout)) commands_->ask(pending);
}

void admin_service_state::carry_out(const pending_command_ptr& pending, const log_status& log) {
  const auto layout = s_.layout->get();
  if (!layout) return commands_->again(pending, {errc::no_leader, "the leader is still starting"});
  if (!find_numbers(pending, *layout)) return;
  if (pending->command.kind == admin_verb::repair) return request_repair_scan(pending);
  if (pending->command.kind == admin_verb::voters) return change_voters(pending, log, *layout);
  if (pending->command.kind == admin_verb::lost || pending->command.kind == admin_verb::forget)
    return check_lost(pending);
  if (pending->command.kind == admin_verb::add) return invite(pending, log);
  if (pending->command.kind == admin_verb::deletions) {
    const bool held = pending->command.number != 0;
    return commit(pending, std::make_shared<std::vector<meta::command>>(1, meta::hold_deletions{held}), 0,
                  held ? "no chunk is deleted until `cairn cluster deletions release`" : "deletion is resumed");
  }
  if (is_removed(*layout, pending->command)) return await_vote_taken(pending); // by an earlier try
  auto plan = plan_command(*layout, pending->command);
  if (!plan) return pending->reply(plan.error());
  if (!plan->change) return pending->reply(std::move(plan->done));
  // A leader can't take itself out of the log.
  if (pending->command.kind == admin_verb::remove && pending->command.node == log.self)
    return transfer_leadership(pending, log);
  change(pending, std::move(*plan), layout);
}

void admin_service_state::invite(const pending_command_ptr& pending, const log_status& log) {
  if (log.feature_level < meta::feature_level_of_invitations)
    return commands_->again(pending, {errc::no_leader, "nodes can be added once all members run this version"});
  const auto now_ms = s_.clock->wall();
  const auto& c = pending->command;
  const wall_ms expires = now_ms + std::int64_t{c.number} * 1000;
  const bool approves = c.invited != uuid{};
  log::info("an operator invites a node",
            {{"node", approves ? cairn::to_string(c.invited) : "any, with a token"}, {"seconds", c.number}});
  commit(pending,
         std::make_shared<std::vector<meta::command>>(1, meta::invite_node{{c.token, c.invited, expires}, now_ms}), 0,
         "node " + cairn::to_string(c.invited) + " may join, with its certificate, once");
}

// ── who votes ──

void admin_service_state::change_voters(const pending_command_ptr& pending, const log_status& log,
                                        const cluster::layout& layout) {
  voters_view v{&layout, log.servers, std::vector<bool>(layout.members.size())};
  for (const auto& m : layout.members) v.up[m.number] = m.number == log.self || s_.network->up(m.id);
  const auto& wanted = pending->command.nodes;
  if (auto may = may_vote(v, wanted); !may) return pending->reply(may.error());
  const auto change = next_voter_change(v, wanted);
  if (!change && committed_voters(log) == wanted)
    return pending->reply("these nodes vote now: " + numbers_text(wanted));
  if (!change) return commands_->again(pending, not_all_votes());
  if (change->node == log.self) return transfer_leadership(pending, log); // the next leader demotes this node
  self_->request(s_.metadata, caf::infinite, change_atom_v, log_change{change->node, change->kind})
      .then([this, pending](std::uint8_t) { commands_->again(pending, not_all_votes()); },
            [pending](caf::error& why) { pending->reply(from_caf(why)); });
}

// A removal is complete when a majority has committed a configuration in which the node has no vote: until then a crash
// of the node would count against the quorum. The membership controller demotes the node.
void admin_service_state::await_vote_taken(const pending_command_ptr& pending) {
  with_log([this, pending](const result<log_status_ptr>& log) {
    if (!log) return pending->reply(log.error());
    const auto node = pending->command.node;
    const auto voters = committed_voters(**log);
    if (std::ranges::find(voters, node) == voters.end() && !(*log)->servers.is_voter(cluster::server_of(node)))
      return pending->reply(removed_text(node));
    if (now() + answer_margin >= pending->deadline)
      return pending->reply(
          error{errc::timeout, removed_text(node) + ". Its vote is still being taken away, which needs a majority of " +
                                   "the voters " + numbers_text(voters) +
                                   " to be up: `cairn cluster status` shows when it is done"});
    self_->delayed_send(self_, retry_pause, completion{[this, pending] { await_vote_taken(pending); }});
  });
}

// ── lost chunks ──

void admin_service_state::check_lost(const pending_command_ptr& pending) {
  self_->request(s_.membership, caf::infinite, status_atom_v)
      .then(
          [this, pending](const member_reports_ptr& reports) {
            auto losses = std::make_shared<reported_losses>(losses_of(*reports));
            auto job = [this, pending, losses, store = s_.store, back = on_actor()](bool expired) {
              result<std::string> text = error{errc::timeout, "the metadata was not reached in time"};
              if (!expired) text = report_lost(*store, *losses);
              back([this, pending, losses, text = std::move(text)] {
                const bool gives_up = text && pending->command.kind == admin_verb::forget && !losses->chunks.empty();
                gives_up ? forget(pending, *losses) : pending->reply(text);
              });
            };
            if (auto posted = s_.reads->post(pending->deadline, std::move(job)); !posted)
              pending->reply(posted.error());
          },
          [pending](caf::error& why) { pending->reply(from_caf(why)); });
}

void admin_service_state::forget(const pending_command_ptr& pending, const reported_losses& losses) {
  const auto count = losses.chunks.size();
  log::warn("lost chunks are given up", {{"chunks", count}});
  commit(pending, std::make_shared<std::vector<meta::command>>(1, give_up(losses.chunks)), 0,
         std::to_string(count) + (count == 1 ? " chunk is" : " chunks are") + " given up; nothing waits for " +
             (count == 1 ? "it" : "them") + " any more" + (losses.more ? ". There are more: ask again" : ""));
}

void admin_service_state::transfer_leadership(const pending_command_ptr& pending, const log_status& log) {
  const auto layout = s_.layout->get();
  const auto to = layout ? successor(log, *layout, linked()) : std::nullopt;
  if (!to) return pending->reply(error{errc::precondition_failed, "no other node could lead the cluster"});
  auto retried = [this, pending](std::uint8_t) {
    commands_->again(pending, {errc::no_leader, "leadership is being transferred"});
  };
  self_->request(s_.metadata, caf::infinite, transfer_atom_v, *to).then(std::move(retried), [pending](caf::error& why) {
    pending->reply(from_caf(why));
  });
}

void admin_service_state::change(const pending_command_ptr& pending, command_plan plan, layout_ptr layout) {
  auto job = [this, pending, plan = std::move(plan), layout, back = on_actor()](bool expired) {
    auto made = std::make_shared<result<cluster::layout_plan>>(error{errc::timeout, "the plan was not made in time"});
    if (!expired) *made = cluster::plan_change(*layout, *plan.change);
    back([this, pending, made, done = plan.done] {
      if (!*made) return pending->reply(made->error());
      if ((*made)->commands.empty()) return pending->reply(done);
      log::info("the layout changes", {{"change", done}});
      commit(pending, std::make_shared<std::vector<meta::command>>(std::move((*made)->commands)), 0, done);
    });
  };
  if (auto posted = s_.reads->post(pending->deadline, std::move(job)); !posted) pending->reply(posted.error());
}

// The first command is the admin command. The others set targets: if a concurrent change invalidates these, the
// membership controller plans them again.
void admin_service_state::commit(const pending_command_ptr& pending,
                                 std::shared_ptr<std::vector<meta::command>> commands, std::size_t next,
                                 const std::string& done) {
  auto box = std::make_shared<const meta::command>((*commands)[next]);
  self_->request(s_.metadata, caf::infinite, commit_atom_v, command_box{std::move(box)})
      .then(
          [this, pending, commands, next, done](const committed&) {
            if (next + 1 < commands->size()) return commit(pending, commands, next + 1, done);
            finish(pending, done);
          },
          [this, pending, next, done](caf::error& why) {
            if (next > 0) return finish(pending, done);
            pending->reply(from_caf(why));
          });
}

void admin_service_state::finish(const pending_command_ptr& pending, const std::string& done) {
  if (pending->command.kind == admin_verb::remove) return await_vote_taken(pending);
  pending->reply(done);
}

// ── missing replicas ──

void admin_service_state::request_repair_scan(const pending_command_ptr& pending) {
  const auto layout = s_.layout->get();
  std::string bytes(1, char(peer_request::membership));
  bytes += encode(admin_request{repair_scan_request{}});
  struct round {
    std::size_t open = 1, asked = 0, answered = 0;
  };
  auto r = std::make_shared<round>();
  const auto one_done = [pending, r] {
    if (--r->open > 0) return;
    pending->reply(std::to_string(r->answered) + " of " + std::to_string(r->asked) +
                   " nodes scan for missing replicas; `cairn cluster status` shows the result");
  };
  for (const auto& m : layout->members) {
    if (m.state == cluster::member_state::removed || m.weight == 0) continue;
    ++r->asked;
    if (m.number == s_.layout->self()) {
      s_.state->scans_requested.fetch_add(1);
      ++r->answered;
      continue;
    }
    ++r->open;
    s_.network->call(m.id, bytes, now() + status_time, [r, one_done, back = on_actor()](const result<link::answer>& a) {
      back([r, one_done, ok = a.has_value()] {
        r->answered += ok;
        one_done();
      });
    });
  }
  one_done();
}

void admin_service_state::serve(const peer_call& call) {
  auto asked = decode_admin_request(call.request->bytes);
  const auto respond = call.request->respond;
  if (!asked) return respond(asked.error());
  if (std::holds_alternative<repair_scan_request>(*asked)) {
    s_.state->scans_requested.fetch_add(1);
    return respond(link::answer{encode_done("")});
  }
  if (const auto* c = std::get_if<admin_command>(&*asked)) {
    auto reply = [respond](const result<std::string>& done) {
      respond(done ? result<link::answer>{link::answer{encode_done(*done), {}}} : result<link::answer>{done.error()});
    };
    return commands_->ask(
        std::make_shared<pending_command>(pending_command{*c, call.request->deadline, std::move(reply), true}));
  }
  with_log([this, respond](const result<log_status_ptr>& log) {
    if (!log) return respond(log.error());
    if (!(*log)->leads) return respond(error{errc::no_leader, "this node does not lead"});
    own_status(*log, [respond](const result<cluster_status>& s) {
      respond(s ? result<link::answer>{link::answer{encode(*s), {}}} : result<link::answer>{s.error()});
    });
  });
}

admin_service_actor::behavior_type admin_service(admin_service_actor::stateful_pointer<admin_service_state> self,
                                                 admin_services services) {
  auto* state = &self->state;
  state->start(std::move(services));
  return {
      [state](status_atom) { return state->status(); },
      [state](admin_command_atom, const admin_command& c) { return state->execute(c); },
      [state](peer_atom, const peer_call& call) { state->serve(call); },
      [](completion& c) { c.run(); },
      [state](tick_atom) { state->tick(); },
  };
}

} // namespace

admin_service_actor spawn_admin_service(caf::actor_system& system, admin_services services) {
  return system.spawn(admin_service, std::move(services));
}

} // namespace cairn::actors
