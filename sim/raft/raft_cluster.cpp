#include "sim/raft/raft_cluster.hpp"

#include "base/codec.hpp"
#include "cluster/raft/raft_message.hpp"

#include <algorithm>

namespace cairn::sim {

namespace {

constexpr std::uint64_t segment_bytes = 64 << 10; // small, so that logs have several
constexpr std::size_t batch_bytes = 16 << 10;

std::uint64_t mixed(std::uint64_t hash, const raft::entry& e) {
  run_digest d;
  d.add(hash);
  d.add(e.term);
  for (const char c : e.view()) d.add(static_cast<unsigned char>(c));
  return d.value();
}

} // namespace

raft_cluster::raft_cluster(const raft_options& options, dice& d, run_digest& digest, checks& problems)
    : options_(options), dice_(d), digest_(digest), problems_(problems) {
  raft::configuration first;
  for (unsigned i = 1; i <= (options_.grows ? 1 : options_.voters); ++i)
    first.servers.push_back({i, raft::server_role::voter});
  for (unsigned i = 1; i <= options_.servers; ++i) {
    auto s = std::make_unique<server>();
    s->id = i;
    open_log(*s);
    s->clock_offset = dice_.below(1000000);
    s->clock_rate = static_cast<unsigned>(dice_.between(900, 1100));
    if (first.find(i) != nullptr) {
      raft::stored_state state = raft::raft_core::first_state(i);
      state.entries[0].bytes = raft::share(encode(first));
      problems_.expect(s->log->begin(state).has_value(), "a new log could not be begun");
    }
    servers_.push_back(std::move(s));
  }
  for (const auto& s : servers_) start(s->id);
}

raft_cluster::~raft_cluster() = default;

bool raft_cluster::up(raft::server_id id) const {
  return of(id).node != nullptr;
}

raft::raft_node* raft_cluster::node(raft::server_id id) {
  return of(id).node.get();
}

raft::time_ms raft_cluster::local_time(raft::server_id id) const {
  return of(id).clock_offset + now_ * of(id).clock_rate / 1000;
}

raft::server_id raft_cluster::leader() const {
  raft::server_id best = 0;
  for (const auto& s : servers_) {
    if (!s->node || s->node->engine().role() != raft::role::leader) continue;
    if (best == 0 || s->node->engine().term() > of(best).node->engine().term()) best = s->id;
  }
  return best;
}

void raft_cluster::run(raft::time_ms span) {
  const raft::time_ms end = now_ + span;
  while (!problems_.failed()) {
    server* next = nullptr;
    raft::time_ms due = ~raft::time_ms{0};
    for (const auto& s : servers_) {
      if (!s->node || s->frozen) continue;
      const raft::time_ms local = local_time(s->id), deadline = s->node->deadline();
      const raft::time_ms at =
          now_ + (deadline > local ? ((deadline - local) * 1000 + s->clock_rate - 1) / s->clock_rate : 0);
      if (at < due) due = at, next = s.get();
    }
    const raft::time_ms event_at = events_.empty() ? ~raft::time_ms{0} : events_.top().at;
    if (std::min(due, event_at) > end) break;
    if (event_at <= due) {
      auto what = events_.top().run;
      now_ = events_.top().at;
      events_.pop();
      what();
    } else {
      now_ = due;
      next->node->tick(local_time(next->id));
      pump(*next);
    }
  }
  now_ = end;
}

void raft_cluster::start(raft::server_id id) {
  server& s = of(id);
  if (s.node || problems_.failed()) return;
  if (!calm_ && dice_.chance(0.2)) rot(s);
  open_log(s);
  auto stored = s.log->load(s.state.applied);
  if (!stored) return problems_.fail("log of server " + std::to_string(id) + ": " + stored.error().text);
  if (s.staged && stored->snapshot && s.staged->record.index == stored->snapshot->index &&
      s.staged->record.index > s.state.applied)
    s.state = s.committed = s.staged->state; // the record was stored, and the state was not replaced yet
  votes_.started(id, stored->vote);
  auto options = options_.node;
  options.core.id = id;
  options.core.seed = static_cast<std::uint32_t>(dice_.next());
  auto node = raft::raft_node::start(options, std::move(*stored), s.state.applied, local_time(id));
  if (!node) return problems_.fail("start of server " + std::to_string(id) + ": " + node.error().text);
  s.node = std::move(*node);
  ++s.life;
  s.storing = s.applying = s.fetching = false;
  s.commit = 0;
  pump(s);
}

void raft_cluster::crash(raft::server_id id) {
  server& s = of(id);
  if (!s.node) return;
  s.node.reset();
  ++s.life;
  s.frozen = false;
  s.delayed.clear();
  if (!s.in_store.empty() && dice_.chance(0.6)) interrupt_write(s);
  if (dice_.chance(0.5)) {
    s.log.reset();
    s.files->crash(random_);
  }
  open_log(s);
  s.in_store.clear();
  s.to_store.clear();
  s.to_apply.clear();
  s.state = s.committed;
}

void raft_cluster::open_log(server& s) {
  s.log = std::make_unique<raft::raft_log>(
      *s.files, "/log", random_, raft::log_options{.segment_bytes = segment_bytes, .batch_bytes = batch_bytes});
}

// The process ends, or its disk fails, between two operations of the write that is in progress.
void raft_cluster::interrupt_write(server& s) {
  auto left = std::make_shared<std::uint64_t>(dice_.below(8));
  const auto code = dice_.chance(0.3) ? errc::no_space : errc::io_error;
  s.files->set_fault([left, code](disk_operation, const std::string&) -> std::optional<error> {
    if (*left == 0) return error{code, "planned"};
    --*left;
    return std::nullopt;
  });
  torn_ += !s.log->write(s.in_store);
  s.files->set_fault({});
}

// A bit of anything but the last batch, which a start could not tell from an interrupted write, and of no more than the
// files have. The bit flips back afterwards, because what this server has acknowledged is needed.
void raft_cluster::rot(server& s) {
  open_log(s);
  const auto before = s.log->load(0);
  const auto segments = s.log->segments();
  if (!before || !segments || segments->empty()) return;
  const auto& segment = dice_.pick(*segments);
  auto end = segment.end;
  if (segment.header.number == segments->back().header.number) {
    auto number = segment.header.first_batch;
    end = 0; // a header without batches may be of a segment that was being made
    for (auto at = raft::log_page_bytes; at < segment.end; ++number) {
      end = at;
      at = (*raft::read_batch(segment, at, number))->next;
    }
  }
  if (end == 0) return;
  const auto path = raft::segment_path("/log", segment.header.number);
  const auto bit = dice_.below(end * 8);
  s.files->flip_bit(path, bit);
  open_log(s);
  const auto after = s.log->load(0);
  rotten_ += !after;
  problems_.expect(after ? after->entries.size() == before->entries.size() : after.error() == errc::corrupt,
                   "a damaged log was cut off");
  s.files->flip_bit(path, bit);
}

void raft_cluster::freeze(raft::server_id id, raft::time_ms span) {
  server& s = of(id);
  if (!s.node || s.frozen) return;
  ++freezes_;
  s.frozen = true;
  after(span, [this, &s, life = s.life] {
    if (s.life == life) thaw(s);
  });
}

// Events that waited run before the server's timers, in their order.
void raft_cluster::thaw(server& s) {
  if (!std::exchange(s.frozen, false)) return;
  for (auto& what : std::exchange(s.delayed, {})) what();
}

void raft_cluster::heal() {
  cuts_.clear();
  for (const auto& s : servers_) thaw(*s);
}

// Crashes the voter after it has sent its vote; it restarts before the vote is counted.
void raft_cluster::crash_after_vote(const raft::envelope& envelope) {
  if (calm_ || !dice_.chance(options_.crashes_voting)) return;
  ++dead_voters_;
  server& s = of(envelope.from);
  after_alive(s, 0, [this, &s] {
    crash(s.id);
    after(1 + dice_.below(60), [this, &s] { start(s.id); });
  });
}

void raft_cluster::submit(raft::server_id id) {
  server& s = of(id);
  if (!s.node) return;
  const raft::ticket t = ++last_ticket_;
  commands_.insert(t);
  std::string bytes = "command " + std::to_string(t);
  if (dice_.chance(0.05)) bytes.resize(bytes.size() + dice_.below(4000), 'x');
  run_alive(s, s.life, [this, &s, t, bytes] {
    s.node->submit({{bytes, t}}, local_time(s.id));
    pump(s);
  });
}

void raft_cluster::read(raft::server_id id) {
  server& s = of(id);
  if (!s.node) return;
  const raft::ticket t = ++last_ticket_;
  reads_[t] = {seen_};
  run_alive(s, s.life, [this, &s, t] {
    s.node->read(t, local_time(s.id));
    pump(s);
  });
}

void raft_cluster::change(raft::server_id leader, raft::server_id id, raft::change_kind kind) {
  server& s = of(leader);
  if (!s.node || s.frozen) return;
  if (s.node->change(id, kind, local_time(leader)) == raft::accepted::yes) ++changes_;
  pump(s);
}

void raft_cluster::transfer(raft::server_id leader, raft::server_id to) {
  server& s = of(leader);
  if (!s.node || s.frozen) return;
  (void)s.node->transfer(to, local_time(leader));
  pump(s);
}

// --- the part of a server's owner

void raft_cluster::pump(server& s) {
  if (!s.node) return;
  auto u = s.node->take();
  observe(s);
  if (const auto& failure = s.node->engine().failure()) return problems_.fail(failure->text);
  for (auto& w : u.writes) s.to_store.push_back(std::move(w));
  for (auto& c : u.to_apply) s.to_apply.push_back(std::move(c));
  take_answers(s, u.answers);
  for (const auto& envelope : u.messages) post(envelope);
  for (auto& wanted : u.reads) {
    after_alive(s, disk_delay(), [this, &s, wanted] {
      auto entries = s.log->read(wanted.head.previous + 1, wanted.count, 2000);
      if (!entries) return problems_.fail("catch-up read: " + entries.error().text);
      ++catch_ups_;
      s.node->filled(raft::catch_up{wanted}, std::move(*entries));
      pump(s);
    });
  }
  if (u.offer && !s.fetching) fetch(s, u.offer->from);
  store_next(s);
  apply_next(s);
}

void raft_cluster::store_next(server& s) {
  if (s.storing || s.to_store.empty()) return;
  s.storing = true;
  s.in_store = std::exchange(s.to_store, {});
  after_alive(s, disk_delay(), [this, &s] {
    if (options_.storage_errors && !calm_ && dice_.chance(0.003)) return crash(s.id);
    s.storing = false;
    const auto batch = std::exchange(s.in_store, {});
    problems_.expect(s.log->write(batch).has_value(), "a log write failed");
    for (const auto& w : batch) {
      if (!w.snapshot) continue;
      if (dice_.chance(0.1) && !calm_) return crash(s.id);
      if (!problems_.expect(s.staged && s.staged->record.index == w.snapshot->index, "another state was staged"))
        return;
      s.state = s.committed = s.staged->state;
      ++installs_;
    }
    s.node->stored(batch.back().number, local_time(s.id));
    pump(s);
  });
}

void raft_cluster::apply_next(server& s) {
  // A state that is about to be replaced gets no entries.
  if (s.applying || s.to_apply.empty()) return;
  s.applying = true;
  after_alive(s, dice_.below(5), [this, &s] {
    s.applying = false;
    while (!s.to_apply.empty()) {
      const raft::committed c = std::move(s.to_apply.front());
      s.to_apply.pop_front();
      if (c.index <= s.state.applied) continue;
      if (c.index != s.state.applied + 1)
        return problems_.fail("an entry was skipped on server " + std::to_string(s.id));
      s.state = {c.index, mixed(s.state.hash, c.content)};
      acknowledge(s, c);
      s.node->applied(c.index, local_time(s.id));
      if (dice_.chance(0.1)) break;
    }
    const auto& engine = s.node->engine();
    if (dice_.chance(0.3)) s.committed = s.state;
    const auto durable = s.committed.applied;
    if (durable >= engine.snapshot_index() + options_.compact_every && !engine.installing()) {
      const auto keep = durable - std::min<raft::index_t>(durable - 1, dice_.below(12));
      compactions_ += s.node->compact(durable, keep, local_time(s.id));
    }
    pump(s);
  });
}

void raft_cluster::fetch(server& s, raft::server_id from) {
  s.fetching = true;
  after_alive(s, 20 + dice_.below(400), [this, &s, from] {
    s.fetching = false;
    server& source = of(from);
    if (!source.node || source.frozen || source.node->engine().installing() || cuts_.contains({from, s.id})) return;
    if (source.committed.applied < source.node->engine().snapshot_index() || source.committed.applied == 0) return;
    s.staged = staged_state{source.node->engine().snapshot_at(source.committed.applied), source.committed};
    s.fetching = true; // a staged state stays until it is installed or abandoned
    after_alive(s, dice_.below(300), [this, &s] { install(s, 5); });
  });
}

void raft_cluster::install(server& s, unsigned tries) {
  const auto answer = s.node->install(s.staged->record, local_time(s.id));
  if (answer == raft::install_answer::not_now && tries > 0) {
    after_alive(s, 200, [this, &s, tries] { install(s, tries - 1); });
  } else {
    if (answer == raft::install_answer::begun) s.to_apply.clear();
    s.fetching = answer == raft::install_answer::begun;
    if (s.fetching) after_alive(s, 3000, [&s] { s.fetching = false; });
  }
  pump(s);
}

void raft_cluster::post(const raft::envelope& envelope) {
  if (votes_.sent(envelope) && options_.crashes_voting > 0) crash_after_vote(envelope);
  if (cuts_.contains({envelope.from, envelope.to}) || envelope.to == 0 || envelope.to > servers_.size()) return;
  if (!calm_ && dice_.chance(options_.loss)) return;
  const int copies = !calm_ && dice_.chance(options_.doubled) ? 2 : 1;
  const std::string bytes = encode(envelope.body);
  for (int i = 0; i < copies; ++i) {
    const raft::time_ms late = !calm_ && dice_.chance(0.04) ? dice_.below(2500) : 0;
    after(1 + dice_.below(calm_ ? 3 : options_.delay_ms) + late, [this, bytes, from = envelope.from, to = envelope.to] {
      server& s = of(to);
      if (cuts_.contains({from, to})) return;
      run_alive(s, s.life, [this, &s, bytes, from] {
        auto m = raft::decode_message(bytes);
        if (!m) return problems_.fail("a message does not decode");
        s.node->receive(from, std::move(*m), local_time(s.id));
        pump(s);
      });
    });
  }
}

// --- the oracle

void raft_cluster::observe(server& s) {
  const auto& engine = s.node->engine();
  if (engine.commit() < s.commit) problems_.fail("the commit index fell on server " + std::to_string(s.id));
  s.commit = engine.commit();
  if (engine.role() != raft::role::leader) return;
  const auto [known, fresh] = leaders_.try_emplace(engine.term(), s.id);
  if (!fresh && known->second != s.id) problems_.fail("two leaders in term " + std::to_string(engine.term()));
}

void raft_cluster::acknowledge(server& s, const raft::committed& c) {
  digest_.add(c.index * 1000 + s.id);
  const auto [known, fresh] = ledger_.try_emplace(c.index, known_entry{c.content.term, std::string{c.content.view()}});
  if (!fresh && (known->second.term != c.content.term || known->second.bytes != c.content.view()))
    problems_.fail("logs diverge at index " + std::to_string(c.index));
  const auto [hash, first] = hashes_.try_emplace(c.index, s.state.hash);
  if (!first && hash->second != s.state.hash) problems_.fail("states diverge at index " + std::to_string(c.index));
  if (c.tickets.empty()) return;
  byte_reader r{c.content.view()};
  const auto count = r.count(1);
  if (!problems_.expect(count == c.tickets.size(), "an entry has other commands than tickets")) return;
  for (const raft::ticket t : c.tickets) {
    const auto bytes = r.string();
    const std::string expected = "command " + std::to_string(t);
    problems_.expect(bytes.substr(0, expected.size()) == expected, "a ticket was answered for another command");
    problems_.expect(commands_.erase(t) == 1, "a command was answered twice");
    acknowledged_.insert(t);
  }
  if (!options_.membership && !durable_on_majority(s, c))
    problems_.fail("index " + std::to_string(c.index) + " was acknowledged before a majority had stored it");
  seen_ = std::max(seen_, c.index);
}

bool raft_cluster::durable_on_majority(const server& s, const raft::committed& c) {
  std::size_t have = 0;
  for (const auto& member : s.node->engine().configuration().servers) {
    if (member.role != raft::server_role::voter) continue;
    const server& m = of(member.id);
    const auto entries = m.log->read(c.index, 1);
    const bool stored = entries && !entries->empty() && entries->front().term == c.content.term;
    have += stored || m.committed.applied >= c.index;
  }
  return have > s.node->engine().configuration().voters() / 2;
}

void raft_cluster::take_answers(server& s, const std::vector<raft::answer>& answers) {
  for (const auto& a : answers) {
    ++answers_[static_cast<int>(a.what)];
    digest_.add(a.to * 4 + static_cast<std::uint64_t>(a.what));
    const auto asked = reads_.find(a.to);
    if (asked == reads_.end()) {
      problems_.expect(commands_.erase(a.to) == 1, "a command was answered twice");
      problems_.expect(a.what != raft::outcome::read, "a command was answered as a read");
      continue;
    }
    if (a.what == raft::outcome::read) {
      ++reads_served_;
      if (s.state.applied < asked->second.seen || a.index > s.state.applied)
        problems_.fail("a read at index " + std::to_string(s.state.applied) + " is older than what was known, " +
                       std::to_string(asked->second.seen));
      seen_ = std::max(seen_, s.state.applied);
    }
    reads_.erase(asked);
  }
}

void raft_cluster::check_converged() {
  if (problems_.failed()) return;
  const raft::server_id lead = leader();
  if (!problems_.expect(lead != 0, "no leader after all faults were repaired")) return;
  const server& l = of(lead);
  const auto& engine = l.node->engine();
  problems_.expect(engine.leads(), "the leader has committed nothing after all faults were repaired");
  problems_.expect(l.state.applied == engine.last_index(), "the leader has not applied its log");
  problems_.expect(l.state.applied >= seen_, "an acknowledged command is lost");
  for (const auto& member : engine.configuration().servers) {
    const server& m = of(member.id);
    if (m.state.applied == l.state.applied && m.state.hash == l.state.hash) continue;
    problems_.fail("server " + std::to_string(member.id) + " is at " + std::to_string(m.state.applied) +
                   ", its leader " + std::to_string(lead) + " at " + std::to_string(l.state.applied));
  }
  std::set<raft::ticket> found;
  for (const auto& [index, e] : ledger_) {
    if (e.bytes.find("command ") == std::string::npos) continue;
    byte_reader r{e.bytes};
    for (auto left = r.count(1); left > 0 && r.ok(); --left)
      found.insert(std::stoull(std::string{r.string().substr(8)}));
  }
  for (const raft::ticket t : acknowledged_) problems_.expect(found.contains(t), "an acknowledged command is lost");
}

// The state of every server, as text.
std::string raft_cluster::standing() const {
  std::string out;
  for (const auto& s : servers_) {
    if (!s->node) continue;
    const auto& e = s->node->engine();
    out += "; " + std::to_string(s->id) + ": role " + std::to_string(static_cast<int>(e.role())) + " term " +
           std::to_string(e.term()) + " leader " + std::to_string(e.leader()) + " kept " +
           std::to_string(e.first_kept()) + " snapshot " + std::to_string(e.snapshot_index()) + " applied " +
           std::to_string(s->state.applied) + " commit " + std::to_string(e.commit()) + " stored " +
           std::to_string(e.last_stored()) + " last " + std::to_string(e.last_index()) +
           (e.installing() ? " installing" : "") + " voters";
    for (const auto& member : e.configuration().servers)
      out += (member.role == raft::server_role::voter ? " " : " -") + std::to_string(member.id);
  }
  return out;
}

std::string raft_cluster::summary() const {
  return "acknowledged " + std::to_string(acknowledged_.size()) + ", unknown " + std::to_string(answers_[0]) +
         ", refused " + std::to_string(answers_[1] + answers_[2]) + ", reads " + std::to_string(reads_served_) +
         ", leaders " + std::to_string(leaders_.size()) + ", compactions " + std::to_string(compactions_) +
         ", installs " + std::to_string(installs_) + ", catch-ups " + std::to_string(catch_ups_) + ", changes " +
         std::to_string(changes_) + ", freezes " + std::to_string(freezes_) + ", voters lost " +
         std::to_string(dead_voters_) + ", writes torn " + std::to_string(torn_) + ", logs damaged " +
         std::to_string(rotten_);
}

} // namespace cairn::sim
