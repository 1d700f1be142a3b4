// What a node serves to its peers over the link: requests of bytes with an optional payload, each answered once.
#pragma once

#include "actors/link/wire/hello.hpp"
#include "base/memory/buffer_pool.hpp"
#include "base/seams.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace cairn::actors::link {

struct answer {
  std::string bytes;      // at most meta_max of the lane
  storage::slice payload; // no owner: none
};

// Answers one request: the first answer counts. Copies share; when the last one goes away unanswered, the requester
// gets errc::cancelled. Any thread.
class responder {
public:
  using sender = std::function<void(result<answer>&&)>;
  using flag = std::shared_ptr<std::atomic<bool>>;
  // `gone` is set by the connection when nobody waits any more.
  responder(sender send, flag gone) : slot_(std::make_shared<slot>(std::move(send), std::move(gone))) {}

  void operator()(result<answer> a) const { slot_->answer_with(std::move(a)); }
  // Nobody waits any more: the requester cancelled, or its connection is gone. The answer is due all the same.
  bool cancelled() const { return slot_->gone->load(std::memory_order_relaxed); }

private:
  struct slot {
    slot(sender s, flag g) : send(std::move(s)), gone(std::move(g)) {}
    ~slot() { answer_with(error{errc::cancelled, "the request was dropped"}); }
    slot(const slot&) = delete;
    slot& operator=(const slot&) = delete;
    void answer_with(result<answer>&& a) {
      if (!answered.exchange(true)) send(std::move(a));
    }
    sender send;
    flag gone;
    std::atomic<bool> answered{false};
  };
  std::shared_ptr<slot> slot_;
};

struct incoming_request {
  peer from;
  std::string bytes;
  storage::slice payload;        // in the buffer that acquire() gave
  storage::steady_time deadline; // of the requester, on this node's clock
  std::uint32_t reply_max = 0;   // the largest payload of the answer; a larger one becomes too_large
  responder respond;
};

// Called on the connections' strands, from several threads at once; must not block.
class link_service {
public:
  virtual ~link_service() = default;
  // A buffer for the payload of this request, at least `bytes` large; null: the requester gets busy. Called only within
  // the credit that the peer was given.
  virtual storage::buffer_ptr acquire(const peer& from, std::string_view request, std::uint32_t bytes) = 0;
  virtual void on_request(incoming_request request) = 0;
};

} // namespace cairn::actors::link
