// The threads that run sockets and actors: `shards` io_contexts with `threads` threads in total. Start-up code and
// benchmarks own one; it is created before the actor system and destroyed after it.
#pragma once

#include "base/third_party/asio.hpp"

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace cairn::actors {

class io_shards {
public:
  // threads 0: one per core. shards 0: one for every four threads, at least one. At least one thread per shard.
  io_shards(std::uint32_t shards, std::uint32_t threads);
  ~io_shards(); // stop()
  io_shards(const io_shards&) = delete;
  io_shards& operator=(const io_shards&) = delete;

  std::vector<boost::asio::io_context*> contexts() const;
  std::size_t threads() const { return threads_; }
  void start();
  // Stops the contexts after the handlers that are running, and joins the threads. Idempotent.
  void stop();

private:
  using guard = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;
  std::size_t threads_;
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
  std::vector<guard> guards_;
  std::vector<std::thread> running_;
};

} // namespace cairn::actors
