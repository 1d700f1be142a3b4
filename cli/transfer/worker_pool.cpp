#include "cli/transfer/worker_pool.hpp"

#include <algorithm>
#include <optional>

namespace cairn::cli {

namespace {

// The parts of one task. Lives until the last thread that was invited has looked at it.
struct shared_parts {
  std::uint64_t count = 0, next = 0;
  unsigned running = 0;
  std::optional<error> failure;
  worker_pool::part_work work;
  std::mutex mutex;
  std::condition_variable idle;

  void take_all(http_client& client) {
    std::unique_lock lock(mutex);
    ++running;
    while (next < count && !failure) {
      const auto index = next++;
      lock.unlock();
      auto outcome = work(client, index);
      lock.lock();
      if (!outcome && !failure) failure = outcome.error();
    }
    --running;
    idle.notify_all();
  }
};

} // namespace

result<std::unique_ptr<worker_pool>> worker_pool::start(const s3_endpoint& endpoint, unsigned threads) {
  std::unique_ptr<worker_pool> pool(new worker_pool);
  for (unsigned i = 0; i < threads; ++i) {
    auto client = client_for(endpoint);
    if (!client) return client.error();
    pool->clients_.push_back(std::move(*client));
  }
  auto& made = *pool;
  for (const auto& client : made.clients_) made.threads_.emplace_back([&made, &own = *client] { made.run(own); });
  return pool;
}

worker_pool::~worker_pool() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    tasks_.clear();
  }
  work_came_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void worker_pool::submit(task work) {
  std::unique_lock lock(mutex_);
  work_went_.wait(lock, [&] { return tasks_.size() < waiting_tasks_max; });
  tasks_.push_back(std::move(work));
  work_came_.notify_one();
}

void worker_pool::finish() {
  std::unique_lock lock(mutex_);
  work_went_.wait(lock, [&] { return tasks_.empty() && helps_.empty() && running_ == 0; });
}

result<void> worker_pool::share(http_client& mine, std::uint64_t count, const part_work& work) {
  const auto parts = std::make_shared<shared_parts>();
  parts->count = count;
  parts->work = work;
  {
    const std::lock_guard lock(mutex_);
    for (std::uint64_t i = 1; i < std::min<std::uint64_t>(count, threads_.size()); ++i)
      helps_.push_back([parts](http_client& client) { parts->take_all(client); });
  }
  work_came_.notify_all();
  parts->take_all(mine);
  std::unique_lock lock(parts->mutex);
  parts->idle.wait(lock, [&] { return parts->running == 0; });
  parts->next = parts->count; // invitations that no thread has taken yet find nothing to do
  parts->work = nullptr;
  if (parts->failure) return *parts->failure;
  return {};
}

void worker_pool::run(http_client& client) {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_came_.wait(lock, [&] { return ending_ || !helps_.empty() || !tasks_.empty(); });
    auto& queue = helps_.empty() ? tasks_ : helps_;
    if (queue.empty()) return;
    auto work = std::move(queue.front());
    queue.pop_front();
    ++running_;
    lock.unlock();
    work(client);
    work = nullptr;
    lock.lock();
    --running_;
    work_went_.notify_all();
  }
}

} // namespace cairn::cli
