// Nodes that share a metadata log, in one process and in virtual time: the production replicated_log, raft_node,
// raft_log and snapshot_transfer over engines and disks in memory, and a network that delays, loses, doubles and cuts.
// Node n has the number n and the UUID {n + 1}. Everything is drawn from one seed.
#pragma once

#include "actors/metadata/log/replicated_log.hpp"
#include "actors/metadata/log/state_repair.hpp"
#include "base/files/memory_file_system.hpp"
#include "tests/actors/metadata/log/failing_kv.hpp"
#include "tests/actors/metadata/log/failing_log.hpp"
#include "tests/storage/chunks/chunk_store_fixture.hpp"
#include "tests/storage/metadata/store_fixture.hpp"

#include <functional>
#include <map>
#include <set>

namespace cairn::actors {

namespace meta = storage::metadata;
namespace raft = cluster::raft;
using namespace std::chrono_literals;

class virtual_loop final : public clock {
public:
  steady_time now() const override { return now_; }
  wall_ms wall() const override { return 1'700'000'000'000; }
  void at(std::chrono::nanoseconds wait, std::function<void()> run) { events_.emplace(now_ + wait, std::move(run)); }
  bool step() {
    if (events_.empty()) return false;
    auto next = events_.extract(events_.begin());
    now_ = std::max(now_, next.key());
    next.mapped()();
    return true;
  }
  void run(std::chrono::nanoseconds span) {
    const auto until = now_ + span;
    while (!events_.empty() && events_.begin()->first <= until) step();
    now_ = until;
  }
  // False: it did not happen within two minutes.
  bool until(const std::function<bool()>& happened) {
    const auto end = now_ + 120s;
    while (!happened())
      if (now_ > end || !step()) return false;
    return true;
  }

private:
  steady_time now_{1h};
  std::multimap<steady_time, std::function<void()>> events_;
};

// One lane; nothing happens any more after `alive` is false.
class loop_executor final : public executor {
public:
  loop_executor(virtual_loop& loop, std::shared_ptr<bool> alive, std::chrono::microseconds time)
      : loop_(loop), alive_(std::move(alive)), time_(time) {}
  void hang() { hangs_ = true; } // what is posted from now on is never done
  void take(std::chrono::microseconds time) { time_ = time; }
  void freeze() { frozen_ = true; } // what is posted from now on is done after thaw()
  void thaw() {
    frozen_ = false;
    for (auto& work : std::exchange(held_, {})) EXPECT_TRUE(post(loop_.now() + 1h, std::move(work)));
  }
  using executor::post;
  result<void> post(steady_time deadline, job work, const party_ptr&) override {
    if (hangs_) return {};
    if (frozen_) {
      held_.push_back(std::move(work));
      return {};
    }
    free_ = std::max(free_, loop_.now()) + time_;
    loop_.at(free_ - loop_.now(), [this, alive = alive_, deadline, work = std::move(work)] {
      if (*alive) work(loop_.now() > deadline);
    });
    return {};
  }
  std::size_t queued() const override { return 0; }
  std::chrono::nanoseconds longest_running() const override { return 0ns; }
  void stop() override {}

private:
  virtual_loop& loop_;
  std::shared_ptr<bool> alive_;
  std::chrono::microseconds time_;
  steady_time free_;
  bool hangs_ = false, frozen_ = false;
  std::vector<job> held_;
};

class log_cluster {
public:
  static uuid id_of(node_number n) { return uuid{std::uint8_t(n + 1)}; }

  class node final : public peers {
  public:
    node(log_cluster& cluster, node_number n) : number(n), cluster_(cluster) {
      EXPECT_TRUE(files.make_directories("/transfer"));
    }

    link::request_number call(const uuid& to, std::string request, steady_time deadline,
                              link::reply_callback reply) override {
      return cluster_.carry(*this, to, request, deadline, std::move(reply));
    }
    link::request_number call_bulk(const uuid&, std::string, slice, steady_time, link::reply_callback) override {
      ADD_FAILURE() << "no payloads travel";
      return 0;
    }
    link::request_number send_bulk(const uuid&, std::string, slice, steady_time, link::reply_callback) override {
      ADD_FAILURE() << "no payloads travel";
      return 0;
    }
    void cancel(const uuid&, link::request_number n) override { cluster_.cancel(*this, n); }
    bool up(const uuid&) const override { return true; }
    void set_members(const std::vector<peer_address>&) override {}

    log_index applied() { return meta::store::open(*state).value()->read().value()->applied(); }
    bool leads() const { return log && log->status().leads; }
    bool shows(const std::string& key) const { return store->read().value()->object("files", key).has_value(); }
    // Waits until everything that is applied is visible.
    bool has(const std::string& key) {
      EXPECT_TRUE(cluster_.loop.until([&] { return !log || log->visible() == log->applied(); }));
      return shows(key);
    }

    const node_number number;
    std::unique_ptr<failing_kv> state = std::make_unique<failing_kv>(meta::table_count);
    std::unique_ptr<failing_log> disk = std::make_unique<failing_log>();
    memory_file_system files;
    std::shared_ptr<bool> alive = std::make_shared<bool>(false);
    std::unique_ptr<meta::store> store;
    std::unique_ptr<loop_executor> applies, log_writes, log_reads, transfers;
    std::unique_ptr<replicated_log> log; // null: down
    std::size_t replaced = 0;
    bool replacing = false;
    log_index reported_applied = 0;
    std::uint64_t incarnation = 0; // as its links say

  private:
    log_cluster& cluster_;
  };

  explicit log_cluster(std::size_t count, std::uint64_t seed = 1) : random(seed) {
    for (std::size_t n = 0; n < count; ++n) nodes.push_back(std::make_unique<node>(*this, node_number(n)));
  }
  ~log_cluster() {
    for (auto& n : nodes) crash(*n);
  }

  node& at(std::size_t n) { return *nodes[n]; }
  node* leader() {
    node* best = nullptr;
    for (auto& n : nodes)
      if (n->leads() && (!best || n->log->status().term > best->log->status().term)) best = n.get();
    return best;
  }

  // Node 0 begins the log, on whatever its state holds.
  void found() {
    auto& n = at(0);
    auto store = meta::store::open(*n.state).value();
    ASSERT_TRUE(n.disk->open()->begin(raft::raft_core::first_state(1, store->read().value()->applied())));
    start(n);
    ASSERT_TRUE(loop.until([&] { return n.leads(); }));
  }
  // As a start of the node does it. The error of a start that is refused.
  result<void> start(node& n) {
    crash(n);
    n.alive = std::make_shared<bool>(true);
    n.applies = std::make_unique<loop_executor>(loop, n.alive, 300us);
    n.log_writes = std::make_unique<loop_executor>(loop, n.alive, 200us);
    n.log_reads = std::make_unique<loop_executor>(loop, n.alive, 100us);
    n.transfers = std::make_unique<loop_executor>(loop, n.alive, 1ms);
    auto opened = meta::store::open(*n.state);
    if (!opened) return opened.error();
    n.store = std::move(*opened);

    replicated_log_services s;
    s.log = n.disk->open();
    s.transfer = {n.state.get(), &n.files, "/transfer", n.transfers.get(), piece_bytes};
    auto opened_log = open(n, &finish_install);
    if (!opened_log) return opened_log.error();
    s.log_bytes = opened_log->bytes;
    s.applied = opened_log->applied;
    s.node = std::move(opened_log->node);
    s.reopen = [this, &n]() -> result<actors::opened_log> {
      if (n.disk->failing() != errc{} || n.state->failing != errc{}) return error{errc::no_space, "still full"};
      return open(n, &complete_install);
    };
    s.reported = [this, &n] {
      cluster_state::applied_reports all;
      for (const auto& other : nodes)
        if (other.get() != &n && other->log) all[other->number] = {other->log->visible(), loop.now()};
      return all;
    };
    s.damage = n.state->damage;
    s.log_damage = n.disk->damage;
    s.repair = [this, &n](const raft::snapshot_record& record) {
      return repair_state({n.state.get(), &n.files, "/transfer", n.transfers.get(), piece_bytes}, *n.disk->log(),
                          record);
    };
    s.log_writes = n.log_writes.get();
    s.log_reads = n.log_reads.get();
    s.network = &n;
    s.compact_after_bytes = compact_after_bytes;
    s.entries_kept = entries_kept;
    for (const auto& m : nodes) s.members.push_back({m->number, {id_of(m->number), "", 0}});
    const auto applied = s.applied;
    n.reported_applied = applied;
    n.replacing = false;
    n.log = std::make_unique<replicated_log>(std::move(s), environment_of(n), applied);
    n.log->start();
    return {};
  }
  result<actors::opened_log> open(node& n, decltype(&finish_install) finish) {
    auto& log = *n.disk->log();
    auto stored = log.load(n.applied());
    if (!stored) return stored.error();
    const snapshot_transfer_services transfer{n.state.get(), &n.files, "/transfer", n.transfers.get(), piece_bytes};
    if (auto finished = finish(transfer, stored->snapshot ? stored->snapshot->index : 0, n.applied()); !finished)
      return finished.error();
    stored = log.load(n.applied());
    if (!stored) return stored.error();
    actors::opened_log out;
    out.bytes = stored->bytes;
    out.applied = n.applied();
    raft::node_options options;
    options.core.id = n.number + 1u;
    options.core.seed = std::uint32_t(random.next());
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(loop.now().time_since_epoch()).count();
    auto started = raft::raft_node::start(options, std::move(*stored), out.applied, raft::time_ms(ms));
    if (!started) return started.error();
    out.node = std::move(*started);
    return out;
  }
  void crash(node& n) {
    if (!n.log) return;
    *n.alive = false;
    n.log.reset();
    n.files.crash(random);
    n.disk->lose_power(random);
  }
  // A cluster of so many members, with a bucket.
  void begin(std::size_t members) {
    found();
    grow_to(members);
    ASSERT_FALSE(submit(at(0), {meta::create_bucket{.name = "files", .now = 1}})[0].refused);
  }
  // Members that are up and have caught up vote.
  void grow_to(std::size_t members) {
    for (std::size_t n = 1; n < members; ++n) {
      ASSERT_TRUE(start(at(n)));
      const auto change = [&](raft::change_kind kind) {
        return loop.until([&] {
          auto* l = leader();
          if (l && l->log->change(node_number(n), kind) == raft::accepted::yes) return true;
          loop.run(20ms);
          return false;
        });
      };
      ASSERT_TRUE(change(raft::change_kind::add_standby));
      ASSERT_TRUE(loop.until([&] { return at(n).applied() == leader()->applied(); }));
      ASSERT_TRUE(change(raft::change_kind::promote));
    }
    loop.run(1s);
  }

  using results = replicated_log::results;
  results submit(node& n, std::vector<meta::command> commands, std::chrono::milliseconds time = 30s) {
    std::optional<results> out;
    const auto wanted = commands.size();
    n.log->submit(std::move(commands), loop.now() + time, [&out](results r) { out = std::move(r); });
    EXPECT_TRUE(loop.until([&] { return out.has_value(); })) << "never answered";
    if (out && (*out)[0].refused) last_refusal = to_string(*(*out)[0].refused);
    if (!out) return results(wanted, meta::command_result{.refused = error{errc::timeout, "never answered"}});
    EXPECT_EQ(out->size(), wanted);
    return *out;
  }
  result<log_index> barrier(node& n, std::chrono::milliseconds time = 30s,
                            replicated_log::needs what = replicated_log::needs::visible) {
    std::optional<result<log_index>> out;
    n.log->barrier(loop.now() + time, what, [&out](result<log_index> r) { out = std::move(r); });
    EXPECT_TRUE(loop.until([&] { return out.has_value(); })) << "never answered";
    return out.value_or(error{errc::timeout, "never answered"});
  }
  bool converged() {
    std::set<log_index> seen;
    bool replacing = false;
    for (auto& n : nodes) {
      if (!n->log) continue;
      seen.insert(n->log->visible());
      replacing = replacing || n->replacing;
    }
    return seen.size() == 1 && !replacing && leader() != nullptr && leader()->log->status().commit == *seen.begin();
  }
  void expect_equal_states() {
    ASSERT_TRUE(loop.until([&] { return converged(); }));
    std::optional<meta::table_rows> first;
    for (auto& n : nodes) {
      if (!n->log) continue;
      EXPECT_FALSE(n->log->failure()) << "node " << n->number;
      EXPECT_FALSE(n->replacing);
      auto rows = meta::dump(*n->state);
      if (!first)
        first = std::move(rows);
      else
        EXPECT_TRUE(*first == rows) << "node " << n->number << " has another state";
    }
  }

  virtual_loop loop;
  seeded_random random;
  std::vector<std::unique_ptr<node>> nodes;
  double loss = 0, doubled = 0;
  std::map<link::request_number, std::weak_ptr<link::reply_callback>> open_calls;
  link::request_number last_call = 0;
  std::set<std::pair<node_number, node_number>> cuts; // from, to
  std::string last_refusal;
  std::size_t piece_bytes = 4096;
  std::uint64_t compact_after_bytes = 64 << 20;
  log_index entries_kept = 20'000;
  std::uint32_t feature_level = meta::feature_level; // of the links
  // Sees each request that arrives; false: it is lost.
  std::function<bool(const node& from, const node& to, peer_request kind)> watch;

private:
  replicated_log::host_services environment_of(node& n) {
    replicated_log::host_services host;
    host.post = [this, alive = n.alive](std::function<void()> run) {
      loop.at(10us, [alive, run = std::move(run)] {
        if (*alive) run();
      });
    };
    host.after = [this, alive = n.alive](std::chrono::milliseconds wait, std::function<void()> run) {
      loop.at(wait, [alive, run = std::move(run)] {
        if (*alive) run();
      });
    };
    host.clock = &loop;
    host.store = n.store.get();
    host.applies = n.applies.get();
    host.applying = [&n](std::span<const meta::command>) {
      EXPECT_FALSE(n.replacing) << "applied while the state was being replaced";
    };
    host.applied = [&n](std::span<const meta::command>, log_index index) {
      EXPECT_GE(index, n.reported_applied);
      n.reported_applied = index;
    };
    host.replacing = [&n] { n.replacing = true; };
    host.replaced = [&n](log_index index) {
      EXPECT_TRUE(index >= n.reported_applied || n.state->damage->count() > 0);
      n.reported_applied = index;
      n.replacing = false;
      ++n.replaced;
    };
    return host;
  }

  bool chance(double p) { return double(random.next() % 1'000'000) < p * 1e6; }
  std::chrono::microseconds delay() { return std::chrono::microseconds(100 + random.next() % 3000); }

  link::request_number carry(node& from, const uuid& to, const std::string& request, steady_time deadline,
                             link::reply_callback reply) {
    auto once = std::make_shared<link::reply_callback>(std::move(reply));
    const auto answer = [once, alive = from.alive](result<link::answer> a) {
      if (*alive && *once) std::exchange(*once, {})(std::move(a));
    };
    auto* target = find(to);
    open_calls[++last_call] = once;
    if (!target || !target->log || cuts.contains({from.number, target->number})) {
      loop.at(delay(), [answer] { answer(error{errc::connection_lost, "not reachable"}); });
      return last_call;
    }
    loop.at(deadline - loop.now(), [answer] { answer(error{errc::timeout, "no answer in time"}); });
    if (chance(loss)) return last_call;
    for (int copies = chance(doubled) ? 2 : 1; copies > 0; --copies) {
      loop.at(delay(),
              [this, &from, target, request, deadline, answer] { arrive(from, *target, request, deadline, answer); });
    }
    return last_call;
  }
  void cancel(node& from, link::request_number n) {
    const auto call = open_calls.find(n);
    const auto once = call == open_calls.end() ? nullptr : call->second.lock();
    if (!once) return;
    loop.at(delay(), [once, alive = from.alive] {
      if (*alive && *once) std::exchange(*once, {})(error{errc::cancelled, "cancelled by the requester"});
    });
  }
  void arrive(node& from, node& to, const std::string& request, steady_time deadline,
              const std::function<void(result<link::answer>)>& answer) {
    const auto kind = peer_request(request.front());
    if (watch && !watch(from, to, kind)) return;
    if (!to.log) return answer(error{errc::connection_lost, "it went down"});
    link::peer who;
    who.node = id_of(from.number);
    who.member = true;
    who.feature_level = feature_level;
    who.incarnation = from.incarnation;
    auto back = [this, answer, f = from.number, t = to.number](result<link::answer>&& a) {
      if (chance(loss) || cuts.contains({t, f})) return;
      loop.at(delay(), [answer, a = std::move(a)] { answer(a); });
    };
    to.log->serve(kind, {who,
                         request.substr(1),
                         {},
                         deadline,
                         0,
                         link::responder{std::move(back), std::make_shared<std::atomic<bool>>(false)}});
  }
  node* find(const uuid& id) {
    for (auto& n : nodes)
      if (id_of(n->number) == id) return n.get();
    return nullptr;
  }
};

// What a gateway says: commits of one session, each with its stamp.
class log_client {
public:
  log_client(log_cluster& cluster, log_cluster::node& through, std::uint8_t id) : cluster_(cluster) {
    through.incarnation = id; // a node begins sessions of its own only; one before, of the same node, ends
    const auto began = cluster_.submit(through, {meta::begin_session{log_cluster::id_of(through.number), id}});
    EXPECT_FALSE(began[0].refused);
    session_ = began[0].version;
  }
  meta::put_object put(const std::string& key, const std::string& bytes = "bytes", bool if_absent = false) {
    ++sequence_;
    meta::put_object c{.stamp = {session_, sequence_, sequence_ > 100 ? sequence_ - 100 : 0},
                       .bucket = "files",
                       .key = key,
                       .now = 2000,
                       .size = bytes.size(),
                       .content = bytes};
    c.condition.if_absent = if_absent;
    return c;
  }
  template <class Command>
  Command stamped(Command c) {
    c.stamp = put("").stamp;
    return c;
  }
  std::uint64_t session() const { return session_; }

private:
  log_cluster& cluster_;
  std::uint64_t session_ = 0, sequence_ = 0;
};

} // namespace cairn::actors
