// The node links of a simulated cluster: `actors::peers` in virtual time, with the contract of
// actors/link/peer_link.hpp and nothing more. Between two nodes there are two links, one in each direction, over which
// requests and their replies travel.
//
// - The asking node dials a link, and the membership_gate of both sides admits it. While the link is down, requests are
//   answered with connection_lost at once.
// - Small requests of a link arrive in order; payloads may overtake each other. Nothing is lost while a link is up (as
//   with TCP). A link that breaks, or whose peer ends, answers everything in flight with connection_lost, whether it
//   was executed or not. A small request may arrive twice, like a request that is repeated after its answer was lost.
// - A partition, also a one-way partition, and a frozen process delay messages. If that lasts longer than silence_max,
//   the link is lost.
// - A payload may be corrupted in transit, as on links without TLS. (TLS or the grammar detects any other corruption,
//   and the link breaks.)
// - After a timeout the payload of a late reply may still be written into its buffer.
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
  double late = 0; // probability that a message takes up to late_max longer
  microseconds late_max{0};
  double breaks = 0;  // probability that a message breaks its link
  double doubled = 0; // probability that a small request arrives a second time, later; the second answer is dropped
  double changed = 0; // probability that a bit of a payload flips
};

class sim_peers;

class sim_network {
public:
  static constexpr std::chrono::milliseconds silence_max{5000};

  sim_network(world& w, network_plan plan) : w_(w), plan_(plan) {}
  sim_network(const sim_network&) = delete;
  sim_network& operator=(const sim_network&) = delete;

  void set_plan(network_plan plan) { plan_ = plan; }
  void cut(const uuid& a, const uuid& b); // both ways
  void cut_one_way(const uuid& from, const uuid& to) { cuts_.insert({from, to}); }
  void heal(); // removes all cuts
  // True for a cut in either direction: a connection needs both, if only for its acknowledgements.
  bool is_cut(const uuid& a, const uuid& b) const { return cuts_.contains({a, b}) || cuts_.contains({b, a}); }
  // Adds this time to everything from and to the node.
  void slow_down(const uuid& node, microseconds by) { slow_[node] = by; }
  void thawed(const uuid& node, steady_time frozen_since); // delivers what waited for it
  std::uint64_t changed() const noexcept { return changed_; }

  // A request to join from a node without a cluster; answered once unless the asking process has ended.
  void ask(const std::shared_ptr<sim_peers>& from, const uuid& to, std::string request,
           actors::link::reply_callback reply);

private:
  friend class sim_peers;
  using node_pair = std::pair<uuid, uuid>; // from, to
  microseconds draw_delay();
  microseconds draw_delay(const uuid& from, const uuid& to);
  bool is_frozen(const uuid& node) const;
  bool passes(const uuid& from, const uuid& to) const {
    return !cuts_.contains({from, to}) && !is_frozen(from) && !is_frozen(to);
  }
  void deliver_held(); // delivers what can pass now
  void may_change(std::span<std::byte> payload);
  sim_peers* process_of(const uuid& node) const;

  world& w_;
  network_plan plan_;
  std::set<node_pair> cuts_;
  std::map<uuid, microseconds> slow_;
  std::uint64_t changed_ = 0;
  std::map<uuid, sim_peers*> processes_; // of running processes
};

// The network of one process. Ends with the process: nothing is answered any more.
class sim_peers final : public actors::peers, public std::enable_shared_from_this<sim_peers> {
public:
  struct identity {
    uuid node{};
    std::uint64_t incarnation = 0;
    std::uint32_t feature_level = storage::metadata::feature_level; // of the process's build
  };
  sim_peers(sim_network& n, identity self, std::shared_ptr<actors::peer_service> service, machine& host);
  ~sim_peers() override { shut_down(true); }

  void begin(); // other processes can reach it from now on
  void set_cluster(const uuid& cluster) { cluster_ = cluster; }
  // `at_once`: the peers notice at once (the process ended) and not after a silence (the machine ended).
  void shut_down(bool at_once);

  actors::link::request_number call(const uuid& to, std::string request, steady_time deadline,
                                    actors::link::reply_callback reply) override;
  actors::link::request_number call_bulk(const uuid& to, std::string request, slice into, steady_time deadline,
                                         actors::link::reply_callback reply) override;
  actors::link::request_number send_bulk(const uuid& to, std::string request, slice payload, steady_time deadline,
                                         actors::link::reply_callback reply) override;
  void cancel(const uuid& to, actors::link::request_number n) override;
  bool up(const uuid& node) const override;
  void set_members(const std::vector<actors::peer_address>& members) override;
  std::optional<std::string> refusal() const; // why a member refuses this process permanently

private:
  friend class sim_network;
  struct pending {
    actors::link::reply_callback reply; // null: the request was answered
    slice payload, into;
    std::shared_ptr<std::atomic<bool>> gone;
  };
  struct one_link {
    uuid to{};
    bool up = false;
    std::uint64_t life = 0; // rises when the link is established or lost
    std::uint64_t peer_incarnation = 0;
    steady_time last_small_out{}, last_small_in{};
    bool silent = false; // a silence timer runs
    std::map<actors::link::request_number, pending> open;
    struct stopped {
      bool back = false;
      std::function<void()> arrive;
    };
    std::vector<stopped> held; // messages delayed by a partition or a frozen process
    actors::link::redial_pause pause;
    bool dialling = false;
    std::optional<std::string> refusal; // permanent
  };
  using link_ptr = std::shared_ptr<one_link>;

  actors::link::request_number send(const uuid& to, std::string request, pending p, steady_time deadline,
                                    actors::link::lane lane);
  void refuse(actors::link::reply_callback reply, error why);
  // Runs `arrive` after the transit time in the given direction, unless the link was lost meanwhile.
  void travel(const link_ptr& l, bool back, actors::link::lane lane, std::function<void()> arrive);
  void arrived(const link_ptr& l, bool back, const std::function<void()>& arrive);
  void hold(const link_ptr& l, bool back, std::function<void()> arrive);
  bool passes(const link_ptr& l, bool back) const {
    return back ? n_.passes(l->to, self_.node) : n_.passes(self_.node, l->to);
  }
  // Runs `what` after the delay, unless this process has ended or the link was lost; after a thaw if it is frozen then.
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
  result<void> admit(const sim_peers& other) const { return gate_.admit(other.as_peer(), cluster_); }
  actors::link::peer as_peer() const;

  sim_network& n_;
  const identity self_;
  const std::shared_ptr<actors::peer_service> service_;
  machine& host_;
  uuid cluster_{};
  actors::membership_gate gate_;
  std::map<uuid, link_ptr> links_;
  actors::link::request_number next_ = 1;
  bool alive_ = true;
};

} // namespace cairn::sim
