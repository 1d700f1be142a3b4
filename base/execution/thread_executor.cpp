#include "base/execution/executor.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <pthread.h>

namespace cairn {

namespace {

// Workers that take the parties' jobs in turns, and one more thread that expires queued jobs: all
// workers may hang on a failing disk when a deadline passes.
class thread_executor final : public executor {
public:
  thread_executor(std::string name, std::size_t threads, std::size_t queue_max)
      : name_(std::move(name)), queue_max_(queue_max), running_(threads) {
    CAIRN_ASSERT(threads > 0 && queue_max > 0);
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { work(i); });
    threads_.emplace_back([this] { expire(); });
  }
  ~thread_executor() override { stop(); }

  result<void> post(steady_time deadline, job work, const party_ptr& party) override {
    bool earlier = false;
    {
      const std::lock_guard guard{mutex_};
      if (stopping_) return error{errc::stopping, name_ + " executor"};
      if (!queue_.has_room(party, queue_max_)) return error{errc::busy, name_ + " executor: queue is full"};
      queue_.push({deadline, std::move(work)}, party);
      earlier = !next_expiry_ || deadline < *next_expiry_;
    }
    work_arrived_.notify_one();
    if (earlier) expiry_changed_.notify_one();
    return {};
  }

  std::size_t queued() const override {
    const std::lock_guard guard{mutex_};
    return queue_.size();
  }

  std::chrono::nanoseconds longest_running() const override {
    const std::lock_guard guard{mutex_};
    std::optional<steady_time> first;
    for (const auto& since : running_)
      if (since && (!first || *since < *first)) first = since;
    return first ? std::chrono::nanoseconds{system_clock().now() - *first} : std::chrono::nanoseconds{0};
  }

  void stop() override {
    const std::lock_guard one_at_a_time{stop_mutex_};
    {
      const std::lock_guard guard{mutex_};
      stopping_ = true;
    }
    work_arrived_.notify_all();
    expiry_changed_.notify_all();
    for (auto& thread : threads_) {
      CAIRN_ASSERT(thread.get_id() != std::this_thread::get_id()); // a job must not call stop()
      if (thread.joinable()) thread.join();
    }
  }

private:
  struct entry {
    steady_time deadline;
    job work;
  };

  void name_thread() const { pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str()); }

  void work(std::size_t self) {
    name_thread();
    std::unique_lock guard{mutex_};
    while (true) {
      work_arrived_.wait(guard, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      auto next = queue_.pop();
      const auto now = system_clock().now();
      const bool expired = stopping_ || next.deadline <= now;
      running_[self] = now;
      guard.unlock();
      next.work(expired);
      next.work = nullptr; // destroys what the job captured, outside the lock
      guard.lock();
      running_[self].reset();
    }
  }

  void expire() {
    name_thread();
    std::unique_lock guard{mutex_};
    while (!stopping_) {
      next_expiry_.reset();
      queue_.visit([this](const entry& e) {
        if (!next_expiry_ || e.deadline < *next_expiry_) next_expiry_ = e.deadline;
      });
      if (!next_expiry_) {
        expiry_changed_.wait(guard);
        continue;
      }
      if (*next_expiry_ > system_clock().now()) {
        expiry_changed_.wait_until(guard, *next_expiry_);
        continue;
      }
      call_expired(guard);
    }
  }

  void call_expired(std::unique_lock<std::mutex>& guard) {
    const auto now = system_clock().now();
    auto expired_jobs = queue_.take_if([now](const entry& e) { return e.deadline <= now; });
    guard.unlock();
    for (auto& e : expired_jobs) e.work(true);
    expired_jobs.clear();
    guard.lock();
  }

  const std::string name_;
  const std::size_t queue_max_;
  mutable std::mutex mutex_;
  std::condition_variable work_arrived_, expiry_changed_;
  fair_queue<entry> queue_;
  std::vector<std::optional<steady_time>> running_; // by worker: when its job began
  std::optional<steady_time> next_expiry_;          // what expire() waits for
  bool stopping_ = false;
  std::mutex stop_mutex_;
  std::vector<std::thread> threads_;
};

} // namespace

std::unique_ptr<executor> make_thread_executor(std::string name, std::size_t threads, std::size_t queue_max) {
  return std::make_unique<thread_executor>(std::move(name), threads, queue_max);
}

} // namespace cairn
