// The requests that one link has in flight: numbers, deadlines, credit, and the buffers for the replies. A plain class
// without locks, sockets or clocks; peer_link owns one and carries out its decisions.
//
// A request is answered once: by its reply, by `timeout` at its deadline, by `cancelled`, or by the error of the lost
// link. After a timeout or a cancellation its entry stays, without callback and buffer, until the peer's reply has
// arrived (it is received and discarded), because its credit is outstanding until then.
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
  slice payload; // no owner: none
  slice into;    // the buffer for the reply's payload; no owner: none wanted
  steady_time deadline;
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

  // `requests_max`: per lane, so that requests that wait on one lane never delay a vote or a heartbeat on the other.
  explicit request_table(std::size_t requests_max) : requests_max_(requests_max) {}

  void link_up(std::uint64_t credit_bytes, std::size_t bulk_connections);
  std::vector<finished> link_lost(const error& why); // answers all requests; numbering continues

  // Adds the request, or refuses it: too_large (its bytes, or more payload than the whole credit), busy (too many in
  // flight), timeout (its deadline has passed). A refused request is not called back.
  result<request_number> add(outgoing_request& r, steady_time now);
  // The requests to send now: control requests at once, bulk requests in order as far as the credit allows.
  std::vector<to_send> take_sendable(steady_time now);
  // A request from take_sendable could not be sent.
  std::optional<finished> not_sent(request_number n, error why);

  // The place for a piece of a reply; no owner: discard the piece. corrupt: the peer violates the protocol.
  result<slice> place(const frame_header& header);
  // A whole frame of a reply has arrived; the request is finished when that was the last one.
  result<std::optional<finished>> arrived(const frame_header& header, std::string meta);

  struct expired {
    std::vector<finished> answers;
    std::vector<to_send> cancels;
  };
  expired expire(steady_time now);
  expired cancel(request_number n);

  std::size_t in_flight() const { return requests_.size(); }
  std::size_t waiting_for_credit() const { return waiting_.size(); }
  std::uint64_t outstanding_bytes() const { return credit_ ? credit_->outstanding() : 0; }

private:
  struct entry {
    reply_callback reply; // null: abandoned
    slice into;
    steady_time deadline;
    lane on{};
    std::size_t connection = 0;
    std::uint64_t charge = 0;
    std::optional<message> unsent;
    bool begun = false; // the reply has begun
    std::uint32_t total = 0, received = 0;
    std::uint8_t code = 0;
    std::string meta;
  };
  using entries = std::unordered_map<request_number, entry>;

  result<slice> begin_reply(entry& e, const frame_header& header);
  finished finish(entry& e) const;
  void abandon(request_number n, entry& e, const error& why, expired& out);
  entries::iterator erase(entries::iterator at);
  std::size_t least_loaded() const;
  to_send cancel_frame(request_number n, const entry& e) const;

  const std::size_t requests_max_;
  request_number next_ = 1;
  entries requests_;
  std::array<std::size_t, 2> in_lane_{};       // number of requests, by lane
  std::deque<request_number> ready_, waiting_; // control; bulk
  std::optional<peer_credit> credit_;
  std::vector<std::uint64_t> load_; // outstanding bytes of each bulk connection
};

} // namespace cairn::actors::link
