#include "actors/runtime/asio_scheduler.hpp"

#include "actors/runtime/actor_timers.hpp"
#include "actors/runtime/message_types.hpp"
#include "base/third_party/asio.hpp"
#include "base/third_party/caf_scheduler.hpp"

#include <array>
#include <atomic>
#include <thread>
#include <utility>

namespace cairn::actors {

namespace {

constexpr std::size_t no_shard = ~std::size_t{0};
thread_local std::size_t current_shard = no_shard;

// The first job that a running job makes runnable runs next on the same thread. It bypasses the context's queue and
// wakes no other thread, whose start may cost more than the job: a chain of messages stays on the core that has its
// data. Every further job is posted, so that independent work spreads. A chain ends after chain_max jobs, so that
// sockets are served too.
constexpr int chain_max = 16;
struct chain {
  caf::resumable* next = nullptr;
  bool running = false;
};
thread_local chain current_chain;

// Counts the jobs that were queued and those that have run, so that stop() can wait for the last one: an actor that
// ends after its system was destroyed crashes. Each thread counts in its own slot, because a shared counter would move
// between the cores' caches.
class job_count {
public:
  void queued() { mine().queued.fetch_add(1, std::memory_order_relaxed); }
  void finished() { mine().finished.fetch_add(1, std::memory_order_release); }
  bool none_left() const {
    std::uint64_t done = 0, all_queued = 0;
    for (const auto& s : slots_) done += s.finished.load(std::memory_order_acquire);
    for (const auto& s : slots_) all_queued += s.queued.load(std::memory_order_acquire);
    return done == all_queued;
  }

private:
  struct alignas(64) slot {
    std::atomic<std::uint64_t> queued{0}, finished{0};
  };
  slot& mine() {
    static std::atomic<std::size_t> threads{0};
    thread_local const std::size_t number = threads.fetch_add(1, std::memory_order_relaxed);
    return slots_[number % slots_.size()];
  }
  std::array<slot, 32> slots_;
};

class asio_coordinator final : public caf::scheduler::abstract_coordinator {
public:
  explicit asio_coordinator(caf::actor_system& system)
      : abstract_coordinator(system), shards_(dynamic_cast<const node_actor_config&>(system.config()).shards()) {}

  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>) {
    return new asio_coordinator(system);
  }

  caf::actor_clock& clock() noexcept override { return timers_; }

protected:
  void start() override {
    timer_ = std::thread([this] { timers_.run(); });
    abstract_coordinator::start();
  }

  void stop() override {
    stop_actors();
    while (!jobs_.none_left()) std::this_thread::yield(); // the last jobs take microseconds
    timers_.stop();
    timer_.join();
  }

  void enqueue(caf::resumable* job) override {
    // Spawning leaves a reference to the system's logger in the thread, and the system's destructor waits until all
    // such references are gone. Our threads outlive the system; every spawn calls enqueue.
    if (caf::logger::current_logger() != nullptr) caf::logger::set_current_actor_system(nullptr);
    std::size_t shard = current_shard;
    if (shard == no_shard) shard = next_.fetch_add(1, std::memory_order_relaxed) % shards_.size();
    jobs_.queued();
    if (current_chain.running && current_chain.next == nullptr)
      current_chain.next = job;
    else
      post(shard, job);
  }

private:
  void post(std::size_t shard, caf::resumable* job) {
    boost::asio::post(*shards_[shard], [this, job] { run_chain(job); });
  }

  void run_chain(caf::resumable* job) {
    current_chain.running = true;
    for (int left = chain_max; job != nullptr; --left) {
      if (left == 0) current_chain.running = false; // jobs that this one makes runnable go through the queue
      run(job);
      jobs_.finished();
      job = std::exchange(current_chain.next, nullptr);
    }
    current_chain.running = false;
  }

  struct unit final : caf::execution_unit {
    asio_coordinator& owner;
    unit(caf::actor_system* system, asio_coordinator& c) : execution_unit(system), owner(c) {}
    void exec_later(caf::resumable* job) override { owner.enqueue(job); }
  };

  void run(caf::resumable* job) {
    unit here{&system(), *this}; // one per call: an execution unit is not thread-safe
    switch (job->resume(&here, max_throughput_)) {
      case caf::resumable::resume_later: enqueue(job); break;
      case caf::resumable::done:
      case caf::resumable::awaiting_message: caf::intrusive_ptr_release(job); break;
      case caf::resumable::shutdown_execution_unit: break;
    }
  }

  const std::vector<boost::asio::io_context*> shards_;
  std::atomic<std::size_t> next_{0};
  job_count jobs_;
  actor_timers timers_;
  std::thread timer_;
};

} // namespace

node_actor_config::node_actor_config(std::vector<boost::asio::io_context*> shards) : shards_(std::move(shards)) {
  register_message_types(*this);
  load<asio_coordinator>();
  set("scheduler.max-threads", std::size_t{1});
  set("scheduler.max-throughput", std::size_t{16}); // with the default one busy actor can occupy a thread
}

void enter_shard(std::size_t shard) {
  current_shard = shard;
}

} // namespace cairn::actors
