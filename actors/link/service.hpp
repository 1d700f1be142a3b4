// The requests that a node serves to its peers over the link: bytes with an optional payload, each answered once.
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
  std::string bytes; // at most meta_max of the lane
  slice payload;     // no owner: none
};

// Answers one request; only the first answer counts. Copies share the request. When the last copy is destroyed without
// an answer, the requester gets errc::cancelled. Any thread.
class responder {
public:
  using sender = std::function<void(result<answer>&&)>;
  using flag = std::shared_ptr<std::atomic<bool>>;
  // The connection sets `gone` when the requester does not wait any more.
  responder(sender send, flag gone) : slot_(std::make_shared<slot>(std::move(send), std::move(gone))) {}

  void operator()(result<answer> a) const { slot_->answer_with(std::move(a)); }
  // The requester has cancelled, or its connection is gone. An answer is still required.
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
  slice payload;               // in the buffer from acquire()
  steady_time deadline;        // the requester's, on this node's clock
  std::uint32_t reply_max = 0; // the largest payload of the answer; a larger one is answered too_large
  responder respond;
};

// Called on the connections' strands, from several threads at once; must not block.
class link_service {
public:
  virtual ~link_service() = default;
  // A buffer of at least `bytes` for the payload of this request; null: the requester gets busy. Called only within the
  // peer's credit.
  virtual buffer_ptr acquire(const peer& from, std::string_view request, std::uint32_t bytes) = 0;
  virtual void on_request(incoming_request request) = 0;
};

} // namespace cairn::actors::link
