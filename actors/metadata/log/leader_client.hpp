// Requests from any member to the leader: a single try (`call_leader`), or tries that follow the leader when it moves,
// until a deadline (`leader_client`, on the actor that owns it). Plain functions decide the next step.
#pragma once

#include "actors/link/peers.hpp"
#include "base/seams.hpp"
#include "cluster/layout/layout.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace cairn::actors {

struct log_status; // actors/metadata/log/replicated_log.hpp

// Who leads, as far as this node knows: itself, another node, or (neither) nobody.
struct leader_place {
  bool local = false;
  std::optional<uuid> remote;
};
leader_place leader_of(const log_status& log, const cluster::layout* layout); // `layout` may be null

// One try, and its number. nullopt: no other node is known to lead, and `reply` is not called. Errors of `reply`:
// actors/link/peers.hpp.
std::optional<link::request_number> call_leader(peers& network, const leader_place& leader, std::string request,
                                                steady_time deadline, link::reply_callback reply);

// ── tries until a deadline ──

struct leader_patience {
  std::chrono::milliseconds pause;    // between two tries
  std::chrono::milliseconds try_time; // of one; none lasts beyond the deadline
};

struct leader_step {
  enum class kind : std::uint8_t { local, call, wait, give_up };
  kind what = kind::give_up;
  steady_time until{}; // of a call
};
leader_step next_try(const leader_place& leader, steady_time deadline, const leader_patience& p, steady_time now);
// After a failed try that may be repeated: `wait` if there is time for another one.
leader_step after_failure(steady_time deadline, const leader_patience& p, steady_time now);

template <class Request> // with a `deadline`
class leader_client {
public:
  using request_ptr = std::shared_ptr<Request>;
  struct services {
    peers* network = nullptr;
    const cairn::clock* clock = nullptr;
    leader_patience patience;
    std::function<void(std::function<void()>)> post;                             // to the actor, from any thread
    std::function<void(std::chrono::milliseconds, std::function<void()>)> after; // on the actor
    // Finds who leads now, before each try; answered on the actor. If it does not answer, the request ends there.
    std::function<void(const request_ptr&, std::function<void(const leader_place&)>)> find;
    std::function<void(const request_ptr&)> serve_locally;                  // this node leads
    std::function<std::string(Request&)> bytes;                             // of the message to another node
    std::function<void(const request_ptr&, result<link::answer>)> answered; // by it
    std::function<void(const request_ptr&, const error&)> gave_up;          // the error of the last try
  };
  explicit leader_client(services s) : s_(std::move(s)) {}

  void ask(const request_ptr& r) { try_now(r, errc::timeout); }
  // Another node leads now. Requests that still wait for the former leader are cancelled, because it may not answer;
  // `answered` gets that as any other failure.
  void leader_moved(const leader_place& now) {
    for (const auto& [id, c] : calls_)
      if (c.to != now.remote) s_.network->cancel(c.to, c.number);
  }
  // Tries again after the pause; calls `gave_up` with `why`, the error of the last try, if no time is left.
  void again(const request_ptr& r, const error& why) {
    pause(r, after_failure(r->deadline, s_.patience, s_.clock->now()), why);
  }

private:
  void try_now(const request_ptr& r, const error& last) {
    s_.find(r, [this, r, last](const leader_place& leader) {
      const auto step = next_try(leader, r->deadline, s_.patience, s_.clock->now());
      if (step.what == leader_step::kind::local) return s_.serve_locally(r);
      if (step.what != leader_step::kind::call)
        return pause(r, step,
                     leader.local || leader.remote ? last : error{errc::no_leader, "the cluster has no leader now"});
      const auto id = ++last_call_;
      calls_[id].to = *leader.remote;
      auto answered = [this, r, id, post = s_.post](result<link::answer> a) {
        post([this, r, id, a = std::move(a)] {
          calls_.erase(id);
          s_.answered(r, a);
        });
      };
      const auto number = call_leader(*s_.network, leader, s_.bytes(*r), step.until, std::move(answered));
      if (const auto waits = calls_.find(id); waits != calls_.end()) waits->second.number = *number;
    });
  }
  void pause(const request_ptr& r, const leader_step& step, const error& why) {
    if (step.what == leader_step::kind::give_up) return s_.gave_up(r, why);
    s_.after(s_.patience.pause, [this, r, why] { try_now(r, why); });
  }

  struct call_in_progress {
    uuid to{};
    link::request_number number = 0;
  };
  services s_;
  std::map<std::uint64_t, call_in_progress> calls_;
  std::uint64_t last_call_ = 0;
};

} // namespace cairn::actors
