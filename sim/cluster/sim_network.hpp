// The node links of a simulated cluster: `actors::peers` in virtual time, with the promises of
// actors/link/peer_link.hpp and no more. Between two nodes there are two links, one each way, over which requests go
// and replies come back.
//
// - A link is dialled by the asking node and admitted by both sides' membership_gate. While it is down, requests are
//   answered with connection_lost at once.
// - Small requests of a link arrive in order, payloads may overtake each other. Nothing is lost while a link lives (TCP
//   sees to that); a link that breaks, or whose peer dies, ends everything in flight with connection_lost, whether or
//   not it was done. A small request may be doubled, as one is that is asked again after an answer was lost.
// - A partition, also one of one direction, and a process that is frozen hold messages up. That may pass in time; after
//   silence_max the link is lost.
// - A payload may change on its way, as it can on links without TLS. (Whatever else changes, TLS or the grammar
// notices:
//   the link breaks.)
// - After a timeout the payload of a late reply may still land in its buffer.
//
// Not modelled: bandwidth, credit, TLS.
#pragma once

#include "actors/link/membership_gate.hpp"
#include "actors/link/peer_service.hpp"
#include "actors/link/peers.hpp"
#include "actors/link/redial_pause.hpp"
#include "sim/world/checks.hpp"
#include "sim/world/world.hpp"
#include "storage/metadata/commands/commands.hpp"

#include <map>
#include <set>
#include <span>

namespace cairn::sim {

struct network_plan {
  microseconds delay_min{50}, delay_max{1000};
  double late = 0; // chance a message that it takes up to late_max
  microseconds late_max{0};
  double breaks = 0;  // chance a message that its link breaks instead
  double doubled = 0; // chance a small request that it arrives once more, later; the second answer goes nowhere
  double changed = 0; // chance a payload that one of its bits flips
};

class sim_peers;

class sim_network {
public:
  static constexpr std::chrono::milliseconds silence_max{5000};

  sim_network(world& w, network_plan plan) : w_(w), plan_(plan) {}
  sim_network(const sim_network&) = delete;
  sim_network& operator=(const sim_network&) = delete;

  void set_plan(network_plan plan) { plan_ = plan; }
  void cut(const storage::uuid& a, const storage::uuid& b); // both ways
  void cut_one_way(const storage::uuid& from, const storage::uuid& to) { cuts_.insert({from, to}); }
  void mend(); // all cuts
  // Either way: a connection needs both, if only for its acknowledgements.
  bool is_cut(const storage::uuid& a, const storage::uuid& b) const {
    return cuts_.contains({a, b}) || cuts_.contains({b, a});
  }
  // Everything from and to the node takes so much longer.
  void slow_down(const storage::uuid& node, microseconds by) { slow_[node] = by; }
  void thawed(const storage::uuid& node, storage::steady_time frozen_since); // what waited for it goes on
  std::uint64_t changed() const noexcept { return changed_; }

  // A stranger's request to a node, to join; answered once unless the stranger's process has ended.
  void ask(const std::shared_ptr<sim_peers>& from, const storage::uuid& to, std::string request,
           actors::link::reply_callback reply);

private:
  friend class sim_peers;
  using node_pair = std::pair<storage::uuid, storage::uuid>; // from, to
  microseconds draw_delay();
  microseconds draw_delay(const storage::uuid& from, const storage::uuid& to);
  bool is_frozen(const storage::uuid& node) const;
  bool passes(const storage::uuid& from, const storage::uuid& to) const {
    return !cuts_.contains({from, to}) && !is_frozen(from) && !is_frozen(to);
  }
  void go_on(); // what passes now
  void may_change(std::span<std::byte> payload);
  sim_peers* process_of(const storage::uuid& node) const;

  world& w_;
  network_plan plan_;
  std::set<node_pair> cuts_;
  std::map<storage::uuid, microseconds> slow_;
  std::uint64_t changed_ = 0;
  std::map<storage::uuid, sim_peers*> processes_; // that run
};

// One process's part of it. Dies with the process: nothing is answered any more.
class sim_peers final : public actors::peers, public std::enable_shared_from_this<sim_peers> {
public:
  struct identity {
    storage::uuid node{};
    std::uint64_t incarnation = 0;
    std::uint32_t feature_level = storage::metadata::feature_level; // of its build
  };
  sim_peers(sim_network& n, identity self, std::shared_ptr<actors::peer_service> service, machine& home);
  ~sim_peers() override { die(true); }

  void begin(); // from now on others reach it
  void set_cluster(const storage::uuid& cluster) { cluster_ = cluster; }
  // `at_once`: the peers notice now (the process died), not after a silence (the machine did).
  void die(bool at_once);

  actors::link::request_number call(const storage::uuid& to, std::string request, storage::steady_time deadline,
                                    actors::link::reply_callback reply) override;
  actors::link::request_number call_bulk(const storage::uuid& to, std::string request, storage::slice into,
                                         storage::steady_time deadline, actors::link::reply_callback reply) override;
  actors::link::request_number send_bulk(const storage::uuid& to, std::string request, storage::slice payload,
                                         storage::steady_time deadline, actors::link::reply_callback reply) override;
  void cancel(const storage::uuid& to, actors::link::request_number n) override;
  bool up(const storage::uuid& node) const override;
  void set_members(const std::vector<actors::peer_address>& members) override;

private:
  friend class sim_network;
  struct pending {
    actors::link::reply_callback reply; // null: nobody waits any more
    storage::slice payload, into;
    std::shared_ptr<std::atomic<bool>> gone;
  };
  struct one_link {
    storage::uuid to{};
    bool up = false;
    std::uint64_t life = 0; // rises when the link is lost or made
    std::uint64_t peer_incarnation = 0;
    storage::steady_time last_small_out{}, last_small_in{};
    bool silent = false; // a silence is being counted
    std::map<actors::link::request_number, pending> open;
    struct stopped {
      bool back = false;
      std::function<void()> arrive;
    };
    std::vector<stopped> held_up; // by a partition or a frozen process
    actors::link::redial_pause pause;
    bool dialling = false;
  };
  using link_ptr = std::shared_ptr<one_link>;

  actors::link::request_number send(const storage::uuid& to, std::string request, pending p,
                                    storage::steady_time deadline, actors::link::lane lane);
  void refuse(actors::link::reply_callback reply, error why);
  // After the way there or back; `arrive` runs unless the link was lost meanwhile.
  void travel(const link_ptr& l, bool back, actors::link::lane lane, std::function<void()> arrive);
  void arrived(const link_ptr& l, bool back, const std::function<void()>& arrive);
  void hold_up(const link_ptr& l, bool back, std::function<void()> arrive);
  bool passes(const link_ptr& l, bool back) const {
    return back ? n_.passes(l->to, self_.node) : n_.passes(self_.node, l->to);
  }
  // After the delay, unless this process has ended or the link was lost; when this process is frozen, afterwards.
  template <class F>
  void later(microseconds delay, const link_ptr& l, F what);
  void deliver(const link_ptr& l, actors::link::request_number n, std::string request, actors::link::lane lane,
               std::chrono::nanoseconds left);
  void deliver_again(const link_ptr& l, std::string request, std::chrono::nanoseconds left);
  void answered(const link_ptr& l, actors::link::request_number n, actors::link::lane lane,
                result<actors::link::answer> a);
  void finish(const link_ptr& l, actors::link::request_number n, result<actors::link::answer> a,
              std::string_view bytes);
  void overdue(const link_ptr& l, actors::link::request_number n);
  void lose(const link_ptr& l, const std::string& why);
  void dial_later(const link_ptr& l);
  void dial(const link_ptr& l);
  bool admits(const sim_peers& other) const;
  actors::link::peer as_peer() const;

  sim_network& n_;
  const identity self_;
  const std::shared_ptr<actors::peer_service> service_;
  machine& home_;
  storage::uuid cluster_{};
  actors::membership_gate gate_;
  std::map<storage::uuid, link_ptr> links_;
  actors::link::request_number next_ = 1;
  bool alive_ = true;
};

} // namespace cairn::sim
