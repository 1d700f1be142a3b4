// Blocking work (disk, LMDB) leaves the socket threads through an executor: a bounded queue in front of a fixed number
// of threads; in simulation jobs complete at a virtual time. A job that is still queued at its deadline is not run but
// told.
#pragma once

#include "base/error.hpp"
#include "base/seams.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace cairn::storage {

class executor {
public:
  // Called exactly once on an executor thread, with `expired` when the deadline passed in the queue or the executor
  // stopped first. Must not throw. Answers travel back as actor messages.
  using job = std::function<void(bool expired)>;

  virtual ~executor() = default;
  // busy when the queue is full; the job is then not called.
  virtual result<void> post(steady_time deadline, job work) = 0;
  virtual std::size_t queued() const = 0;
  // How long the longest-running job has been running; a disk overdue for 30 s counts as failed.
  virtual std::chrono::nanoseconds longest_running() const = 0;
  // Runs what is queued as expired, waits for what is running. Idempotent.
  virtual void stop() = 0;
};

std::unique_ptr<executor> make_thread_executor(std::string name, std::size_t threads, std::size_t queue_max);

} // namespace cairn::storage
