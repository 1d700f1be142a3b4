// The digests of one upload's body: its MD5, which becomes the ETag, and the request's own check (signature, announced
// checksums). Each digest processes the bytes in order, in its own jobs on the digest executor, so the two run
// concurrently: a signed body takes the time of the slower digest, not of both.
//
// Owned by the ingest actor and used on its thread. Only the jobs run elsewhere, and they may end after this object is
// gone. Errors: those of the check; busy and timeout of the executor. After the first error nothing is digested.
#pragma once

#include "actors/protocol/ports.hpp"
#include "base/digest.hpp"
#include "base/execution/executor.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace cairn::actors {

class body_digests {
public:
  class user {
  public:
    virtual ~user() = default;
    virtual void digested(std::uint32_t first, std::uint32_t end) = 0; // chunks [first, end) have passed all digests
    virtual void digest_failed(error why) = 0;                         // at most once
  };
  struct host_services {
    std::shared_ptr<cairn::executor> executor;
    const cairn::clock* clock = nullptr;
    // Runs a function on the actor, from any thread; drops it when the actor is gone.
    std::function<void(std::function<void()>)> on_actor;
  };

  // `check` may be null. `u` outlives this.
  void start(host_services host, std::shared_ptr<body_check> check, user& u);
  result<void> digest_now(bytes_view bytes);        // a body that is small enough for the caller's thread
  void add(slice chunk);                            // the next chunk
  std::uint32_t chunks() const { return through_; } // that have passed all digests
  void drop();                                      // stops digesting and releases the chunks
  // Call when chunks() is the number of all chunks: the check's error, or the MD5.
  result<storage::metadata::md5_digest> finish();

private:
  // One digest. Its function is called by one job at a time.
  struct digest {
    std::function<result<void>(bytes_view)> update;
    std::uint32_t done = 0; // chunks
    bool running = false;
  };
  void run(std::size_t which);
  void ran(std::size_t which, std::uint32_t chunks, const result<void>& good);
  void fail(error why);

  host_services host_;
  user* user_ = nullptr;
  std::shared_ptr<md5> md5_ = std::make_shared<md5>();
  std::shared_ptr<body_check> check_;
  std::vector<digest> digests_;
  std::deque<slice> waiting_; // from chunk through_ on
  std::uint32_t through_ = 0;
  bool over_ = false;
};

} // namespace cairn::actors
