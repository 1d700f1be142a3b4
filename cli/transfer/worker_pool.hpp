// The threads of a transfer of many files: each has a connection of its own. Tasks wait in a bounded queue: `submit`
// blocks while it is full, so a listing of any length runs only a little ahead of the transfers. A task that has many
// parts shares them with threads that are free (`share`); it works on them itself too, so it never waits for a thread.
#pragma once

#include "cli/client/command_support.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace cairn::cli {

class worker_pool {
public:
  using task = std::function<void(http_client&)>;
  using part_work = std::function<result<void>(http_client&, std::uint64_t index)>;

  static result<std::unique_ptr<worker_pool>> start(const s3_endpoint& endpoint, unsigned threads);
  ~worker_pool(); // drops the tasks that did not begin, waits for the others

  void submit(task work); // by one thread, which is none of the pool's
  void finish();          // likewise: until every task ended

  // By a task: work(0) … work(count - 1) on this and other threads. Ends when no call runs any more; answers the first
  // failure, after which no further call begins.
  result<void> share(http_client& mine, std::uint64_t count, const part_work& work);

private:
  worker_pool() = default;
  void run(http_client& client);

  static constexpr std::size_t waiting_tasks_max = 64;
  std::mutex mutex_;
  std::condition_variable work_came_, work_went_;
  std::deque<task> helps_, tasks_; // helps_: invitations to parts of files that began; at most threads² of them
  unsigned running_ = 0;
  bool ending_ = false;
  std::vector<std::unique_ptr<http_client>> clients_;
  std::vector<std::thread> threads_;
};

} // namespace cairn::cli
