#include "actors/metadata/metadata_state.hpp"

#include "actors/metadata/command_facts.hpp"
#include "base/log.hpp"
#include "cluster/layout/layout_view.hpp"

// The metadata actor as a member of a cluster: it owns the log, publishes the layout, and acknowledges layouts for its
// writer session.

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;

constexpr std::chrono::seconds read_again_after{1};

} // namespace

void metadata_state::start_log() {
  replicated_log::host_services host;
  host.post = on_actor();
  host.after = [this](std::chrono::milliseconds wait, std::function<void()> run) {
    self_->delayed_send(self_, wait, completion{std::move(run)});
  };
  host.clock = s_.clock;
  host.store = s_.store;
  host.applies = s_.writes;
  host.applying = [this](std::span<const meta::command> commands) { applying(commands); };
  host.applied = [this](std::span<const meta::command> commands, log_index index) { applied(commands, index); };
  host.replacing = [this] { cache_->begin_change_of_all(); };
  host.replaced = [this](log_index index) {
    cache_->end_change_of_all();
    applied_ = index;
    layout_changed_ = true;
    read_layout();
  };
  host.failed = [this](const std::optional<error>& why) {
    note_fault(fault_cause::failure, why ? to_string(*why) : std::string{});
  };
  applied_ = s_.log->applied;
  found_ = s_.log->found;
  known_at_start_ = s_.log->members;
  log_ = std::make_unique<replicated_log>(std::move(*s_.log), std::move(host), applied_);
  read_layout();
  log_->start();
}

// The session begins once this node's own state contains it, and the layout of that state or a newer one is published.
void metadata_state::begin_session_in_log() {
  session_asked_ = true;
  const auto deadline = now() + s_.commit_timeout;
  std::vector<meta::command> commands;
  if (found_) commands.push_back(*found_);
  commands.push_back(meta::begin_session{s_.node, s_.incarnation});
  log_->submit(std::move(commands), deadline, [this, deadline](const replicated_log::results& all) {
    for (const auto& r : all)
      if (r.refused) return session_refused(*r.refused);
    log_->barrier(deadline, [this, session = all.back().version](const result<log_index>& reached) {
      if (!reached) return session_refused(reached.error());
      read_layout([this, session] {
        if (s_.layout->get())
          session_begun(session);
        else
          session_refused({errc::no_leader, "this node does not know the layout yet"});
      });
    });
  });
}

void metadata_state::serve(const peer_call& call) {
  if (!log_) return call.request->respond(error{errc::unsupported, "this node is no member of a cluster"});
  log_->serve(call.kind, *call.request);
}

caf::result<log_status_ptr> metadata_state::status() const {
  if (!log_) return to_caf({errc::unsupported, "this node is no member of a cluster"});
  auto out = log_->status();
  out.oldest_hold = std::min(s_.holds->oldest(), applied_);
  out.feature_level = feature_level_;
  return std::make_shared<const log_status>(std::move(out));
}

std::uint8_t metadata_state::change(const log_change& c) {
  return std::uint8_t(log_ ? log_->change(c.node, c.kind) : cluster::raft::accepted::not_leader);
}

std::uint8_t metadata_state::transfer(node_number to) {
  return std::uint8_t(log_ ? log_->transfer(to) : cluster::raft::accepted::not_leader);
}

// ── the layout ──

// `then` runs when the layout of the current state, or a newer one, is published.
void metadata_state::read_layout(const std::function<void()>& then) {
  if (layout_asked_ && !then) return; // the layout is read again after that read
  layout_asked_ = true;
  layout_changed_ = false;
  auto served = std::make_shared<std::vector<std::function<void()>>>(std::exchange(layout_waiters_, {}));
  const auto then_later = [this, then] {
    if (then) self_->delayed_send(self_, read_again_after, completion{[this, then] { read_layout(then); }});
  };
  auto job = [this, then, then_later, served, store = s_.store, back = on_actor()](bool expired) {
    result<cluster::layout> fresh = error{errc::timeout, "the read expired in the metadata's queue"};
    log_index at = 0;
    std::uint8_t level = 0;
    if (!expired) {
      auto view = store->read();
      if (view) {
        fresh = cluster::read_layout(**view);
        at = (*view)->applied();
        level = (*view)->feature_level();
      } else {
        fresh = view.error();
      }
    }
    auto shared = std::make_shared<result<cluster::layout>>(std::move(fresh));
    back([this, then, then_later, served, shared, at, level] {
      layout_asked_ = false;
      feature_level_ = std::max(feature_level_, level);
      const bool unreadable =
          !*shared && shared->error().code != errc::not_found; // not_found: this node has not caught up so far
      if (unreadable && !layout_unreadable_)
        log::error("the layout can't be read", {{"error", to_string(shared->error())}});
      layout_unreadable_ = unreadable;
      if (*shared) publish(std::make_shared<const cluster::layout>(std::move(**shared)), at);
      if (unreadable)
        then_later();
      else if (then)
        then();
      for (const auto& go : *served) go();
      if (layout_changed_) return read_layout();
      for (const auto& go : std::exchange(layout_waiters_, {})) go();
    });
  };
  if (auto posted = s_.reads->post(now() + s_.commit_timeout, std::move(job)); !posted) {
    layout_asked_ = false;
    layout_changed_ = true; // the next entry or tick tries again
    layout_waiters_.insert(layout_waiters_.end(), served->begin(), served->end());
    then_later();
  }
}

// `go` runs when the layout of the current state is published, so that a client that was told of an object finds its
// chunks: an older layout may name owners that have dropped them.
void metadata_state::with_layout(std::function<void()> go) {
  if (!log_ || (!layout_asked_ && !layout_changed_)) return go();
  layout_waiters_.push_back(std::move(go));
}

void metadata_state::publish(layout_ptr fresh, log_index at) {
  if (at < published_at_) return; // of two concurrent reads the later one finished first
  published_at_ = at;
  s_.layout->set(fresh);
  connect(*fresh);
}

// The nodes that may talk to this node. A removed member may while the log's configuration still contains it: to remove
// one of two voters, both must vote.
void metadata_state::connect(const cluster::layout& layout) {
  std::vector<log_member> members;
  removed_connected_ = false;
  connected_moved_ = s_.layout->moved();
  for (const auto& m : layout.members) {
    const bool removed = m.state == meta::node_state::removed;
    const bool connected = !removed || log_->holds_log(m.number);
    removed_connected_ = removed_connected_ || (removed && connected);
    const auto moved = connected_moved_->find(m.number);
    members.push_back(
        {m.number, {m.id, moved == connected_moved_->end() ? m.address : moved->second, m.incarnation, !connected}});
  }
  // A state from before a member joined does not contain that member, which may lead and have what this node lacks.
  const auto add_later = [&](const log_member& m) {
    if (m.number >= layout.members.size() && std::ranges::find(members, m.number, &log_member::number) == members.end())
      members.push_back(m);
  };
  for (const auto& m : known_at_start_) add_later(m);
  connected_learned_ = s_.layout->learned();
  if (connected_learned_)
    for (const auto& m : *connected_learned_) add_later({m.number, {m.id, m.address, 0}});
  log_->set_members(members);
}

// Acknowledges the newest layout under which all running uploads began: whatever this session writes from now on goes
// to the owners of that layout.
void metadata_state::acknowledge_layout() {
  if (removed_connected_ || s_.layout->learned() != connected_learned_ || s_.layout->moved() != connected_moved_) {
    const auto known = s_.layout->get();
    connect(known ? *known
                  : cluster::layout{}); // without a layout: the members known at the start, and those learned since
  }
  if (layout_changed_) read_layout();
  const auto settled = s_.layout->settled_epoch();
  if (session_ == 0 || acknowledging_ || settled <= acknowledged_) return;
  acknowledging_ = true;
  log_->submit({meta::acknowledge_epoch{session_, settled}}, now() + s_.commit_timeout,
               [this, settled, session = session_](const replicated_log::results& all) {
                 acknowledging_ = false;
                 const auto& refused = all.front().refused;
                 if (!refused && session == session_) acknowledged_ = std::max(acknowledged_, settled);
                 if (refused && refused->code == errc::session_ended && session == session_) lose_session();
               });
}

// The cluster ended this node's session because the node was away for too long. Its uploads are dead; a new session
// begins.
void metadata_state::lose_session() {
  if (session_ == 0) return;
  log::warn("the cluster ended this node's writer session", {{"session", session_}});
  session_ = 0;
  acknowledged_ = 0;
  if (s_.session_began) s_.session_began->store(false);
  begin_session();
}

} // namespace cairn::actors
