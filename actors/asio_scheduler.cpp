#include "actors/asio_scheduler.hpp"

#include "actors/messages.hpp"

#include <boost/asio/post.hpp>

#include <caf/detail/thread_safe_actor_clock.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <atomic>
#include <thread>

namespace cairn::actors {

namespace {

constexpr std::size_t no_shard = ~std::size_t{0};
thread_local std::size_t current_shard = no_shard;

class asio_coordinator final : public caf::scheduler::abstract_coordinator {
public:
  explicit asio_coordinator(caf::actor_system& system)
      : abstract_coordinator(system), shards_(dynamic_cast<const node_actor_config&>(system.config()).shards()) {}

  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>) {
    return new asio_coordinator(system);
  }

  caf::actor_clock& clock() noexcept override { return clock_; }

protected:
  void start() override {
    timer_ = std::thread([this] { clock_.run_dispatch_loop(); });
    abstract_coordinator::start();
  }

  void stop() override {
    stop_actors();
    clock_.cancel_dispatch_loop();
    timer_.join();
  }

  void enqueue(caf::resumable* job) override {
    std::size_t shard = current_shard;
    if (shard == no_shard) shard = next_.fetch_add(1, std::memory_order_relaxed) % shards_.size();
    boost::asio::post(*shards_[shard], [this, job] { run(job); });
  }

private:
  struct unit final : caf::execution_unit {
    asio_coordinator& owner;
    unit(caf::actor_system* system, asio_coordinator& c) : execution_unit(system), owner(c) {}
    void exec_later(caf::resumable* job) override { owner.enqueue(job); }
  };

  void run(caf::resumable* job) {
    unit here{&system(), *this}; // one a call: an execution unit is not thread-safe
    switch (job->resume(&here, max_throughput_)) {
      case caf::resumable::resume_later: enqueue(job); break;
      case caf::resumable::done:
      case caf::resumable::awaiting_message: caf::intrusive_ptr_release(job); break;
      case caf::resumable::shutdown_execution_unit: break;
    }
  }

  const std::vector<boost::asio::io_context*> shards_;
  std::atomic<std::size_t> next_{0};
  caf::detail::thread_safe_actor_clock clock_;
  std::thread timer_;
};

} // namespace

node_actor_config::node_actor_config(std::vector<boost::asio::io_context*> shards) : shards_(std::move(shards)) {
  add_message_types<caf::id_block::cairn>();
  load<asio_coordinator>();
  set("scheduler.max-threads", std::size_t{1});
  set("scheduler.max-throughput", std::size_t{16}); // the default lets one busy actor keep a thread
}

void enter_shard(std::size_t shard) { current_shard = shard; }

} // namespace cairn::actors
