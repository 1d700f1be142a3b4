// Blocking work (disk, LMDB) runs on an executor, not on the socket threads: a bounded queue in front of a fixed number
// of threads, which take the parties' jobs in turns. In simulation, jobs complete at a virtual time, in order. A job
// that is still queued at its deadline is called with `expired` and must not do its work.
#pragma once

#include "base/error.hpp"
#include "base/execution/fair_queue.hpp"
#include "base/seams.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace cairn {

class executor {
public:
  // Called exactly once on an executor thread. `expired`: the deadline passed while the job was queued, or the executor
  // was stopped. Must not throw. Results go back as actor messages.
  using job = std::function<void(bool expired)>;

  virtual ~executor() = default;
  // `party`: whose job it is. busy when the queue, or the party's share of it, is full; stopping after stop(); in both
  // cases the job is not called.
  virtual result<void> post(steady_time deadline, job work, const party_ptr& party) = 0;
  result<void> post(steady_time deadline, job work) { return post(deadline, std::move(work), nullptr); }
  virtual std::size_t queued() const = 0;
  // The running time of the job that has been running for the longest, so that a hanging disk is noticed.
  virtual std::chrono::nanoseconds longest_running() const = 0;
  // Calls the queued jobs with `expired` and waits for the running ones. Idempotent.
  virtual void stop() = 0;
};

std::unique_ptr<executor> make_thread_executor(std::string name, std::size_t threads, std::size_t queue_max);

} // namespace cairn
