// The requests that one link has in flight: numbers, deadlines, credit, the buffers that replies are received into.
// Plain class without locks, sockets or clocks; peer_link owns one and does what it says.
//
// A request is answered once: by its reply, by `timeout` at its deadline, by `cancelled`, or by the error of the link
// that was lost. After a timeout or a cancellation its entry stays, without callback and buffer, until the peer's reply
// arrives (which is received and forgotten), because its credit is outstanding until then.
#pragma once

#include "actors/link/peer_credit.hpp"
#include "actors/link/service.hpp"
#include "actors/link/wire/send_queue.hpp"

#include <array>
#include <deque>
#include <map>
#include <unordered_map>

namespace cairn::actors::link {

using reply_callback = std::function<void(result<answer>)>;
using request_number = std::uint64_t; // from 1; 0: none

struct outgoing_request {
  lane on = lane::control;
  std::string bytes;
  storage::slice payload; // no owner: none
  storage::slice into;    // where a payload of the reply goes; no owner: none is wanted
  storage::steady_time deadline;
  reply_callback reply;
};

class request_table {
public:
  struct finished {
    reply_callback reply;
    result<answer> outcome;
    void operator()() { reply(std::move(outcome)); }
  };
  struct to_send {
    request_number number;
    std::size_t connection; // 0: control, from 1: bulk
    message what;
  };

  // `requests_max`: of each lane, so that what waits on one never keeps a vote or a heartbeat from the other.
  explicit request_table(std::size_t requests_max) : requests_max_(requests_max) {}

  void link_up(std::uint64_t credit_bytes, std::size_t bulk_connections);
  std::vector<finished> link_lost(const error& why); // all of them; numbers go on

  // The request, unless refused: too_large (its bytes, or more payload than the whole credit), busy (too many in
  // flight), timeout (its deadline has passed). Refused ones are not called back.
  result<request_number> add(outgoing_request& r, storage::steady_time now);
  // Requests whose turn has come: control ones at once, bulk ones in order as far as the credit goes.
  std::vector<to_send> take_sendable(storage::steady_time now);
  // take_sendable's request could not be sent.
  std::optional<finished> not_sent(request_number n, error why);

  // For a reply or its fragment: where its piece goes, no owner to forget it. corrupt: the peer breaks the rules.
  result<storage::slice> place(const frame_header& header);
  // A whole frame of a reply arrived; the request is over when that was the last.
  result<std::optional<finished>> arrived(const frame_header& header, std::string meta);

  struct expired {
    std::vector<finished> answers;
    std::vector<to_send> cancels;
  };
  expired expire(storage::steady_time now);
  expired cancel(request_number n);

  std::size_t in_flight() const { return requests_.size(); }
  std::size_t waiting_for_credit() const { return waiting_.size(); }
  std::uint64_t outstanding_bytes() const { return credit_ ? credit_->outstanding() : 0; }

private:
  struct entry {
    reply_callback reply; // null: nobody waits any more
    storage::slice into;
    storage::steady_time deadline;
    lane on{};
    std::size_t connection = 0;
    std::uint64_t charge = 0;
    std::optional<message> unsent;
    bool begun = false; // the reply
    std::uint32_t total = 0, received = 0;
    std::uint8_t code = 0;
    std::string meta;
  };
  using entries = std::unordered_map<request_number, entry>;

  result<storage::slice> begin_reply(entry& e, const frame_header& header);
  finished finish(entry& e) const;
  void abandon(request_number n, entry& e, const error& why, expired& out);
  entries::iterator erase(entries::iterator at);
  std::size_t least_loaded() const;
  to_send cancel_frame(request_number n, const entry& e) const;

  const std::size_t requests_max_;
  request_number next_ = 1;
  entries requests_;
  std::array<std::size_t, 2> in_lane_{};       // of them, by lane
  std::deque<request_number> ready_, waiting_; // control; bulk
  std::optional<peer_credit> credit_;
  std::vector<std::uint64_t> load_; // outstanding bytes of each bulk connection
};

} // namespace cairn::actors::link
