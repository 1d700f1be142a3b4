// Writes the chunks of one upload to all their owners at once; a part of the ingest actor. Decisions about one chunk
// are in chunk_replicas.
//
// - A chunk is durable with its write quorum. A replica that is still being written then is a straggler: it keeps its
//   buffer, and its place in the upload's window until it ends or has been straggling for `grace`. So an upload holds
//   at most two windows of buffers, and only until the stuck owner's requests time out. Meanwhile chunks that do not
//   need that owner for their quorum are not sent to it; they are left to repair.
// - In a cluster an owner that answers busy is asked again after a pause, and one that answers stale_layout is asked
//   again under the newest layout. A chunk that a full disk of this node refuses goes to its next disk. Any other
//   failure of an owner is final for that chunk, as is any other failure of a standalone node's disk.
// - The commit lists the replicas that are not confirmed when the object is committed. Replicas that are confirmed
//   later are reported to the metadata when the last request has ended (ingest), so that they are not repaired.
#pragma once

#include "actors/protocol/node.hpp"
#include "actors/upload/chunk_replicas.hpp"

#include <set>

namespace cairn::actors {

class replica_writer {
public:
  static constexpr std::chrono::milliseconds grace{1000}, busy_pause{10}, layout_pause{50};
  static constexpr std::uint32_t attempts_max = 6, layout_attempts_max = 40; // of one owner, for one chunk

  class user {
  public:
    virtual ~user() = default;
    // The chunk is durable and its buffer may be released. Once per chunk.
    virtual void chunk_stored(std::uint32_t index) = 0;
    // The upload can't succeed. At most once.
    virtual void write_failed(error why) = 0;
    // A request ended: in_flight() and settled() may have changed. Called after the two above.
    virtual void write_ended() = 0;
  };

  replica_writer(ingest_actor::pointer self, user& u) : self_(self), user_(u) {}
  void start(const services& s, trace_scope trace);

  void write(const chunk_id& id, slice bytes);
  void tick(); // from the actor's tick: handles pauses and graces that have ended
  void stop(); // no request is sent again

  std::uint32_t sent() const noexcept { return sent_; } // chunks
  std::size_t in_flight() const noexcept { return in_flight_; }
  bool settled() const noexcept { return chunks_.empty(); } // every owner of every chunk has answered
  bool durable() const noexcept { return not_durable_ == 0; }
  steady_time last_durable() const noexcept { return last_durable_; } // when the last chunk became so
  // The replicas of all written chunks that are not confirmed now.
  unconfirmed_chunks unconfirmed() const;

private:
  struct chunk {
    slice bytes;
    chunk_replicas replicas;
    layout_epoch epoch = 0;
    bool durable = false, stored = false; // stored: reported to the user
    steady_time durable_since{};
    std::string failures{}; // for the error text
    errc worst{};
    std::map<node_number, std::uint32_t> attempts{}; // by owner that was asked again
  };
  struct pause {
    steady_time until;
    chunk_id id;
    node_number owner;
  };

  void send_to(const chunk_id& id, chunk& c, node_number owner);
  void record(trace_span sent, errc outcome) const;
  void answered(const chunk_id& id, node_number owner, const caf::error* failed);
  bool again(const chunk_id& id, chunk& c, node_number owner, errc code);
  void pause_for(const chunk_id& id, node_number owner, std::chrono::milliseconds time);
  void failed(const chunk_id& id, chunk& c, node_number owner, const error& why);
  void fail_upload(std::uint32_t index, const chunk& c, const error& why);
  void evaluate(std::uint32_t index);
  void wake_in(std::chrono::milliseconds time);

  ingest_actor::pointer self_;
  user& user_;
  std::shared_ptr<const chunk_router> stores_;
  const clock* clock_ = nullptr;
  trace_scope trace_;
  node_metrics* metrics_ = nullptr;
  std::map<std::uint32_t, chunk> chunks_; // not settled yet
  unconfirmed_chunks missing_;            // of settled chunks
  std::set<node_number> stalled_owners_;  // straggled beyond the grace and have not answered since
  std::vector<pause> pauses_;
  std::uint32_t sent_ = 0, not_durable_ = 0;
  steady_time last_durable_{};
  std::size_t in_flight_ = 0;
  bool stopped_ = false;
  std::optional<steady_time> wakes_at_;
};

} // namespace cairn::actors
