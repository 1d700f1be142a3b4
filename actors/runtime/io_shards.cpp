#include "actors/runtime/io_shards.hpp"

#include "actors/runtime/asio_scheduler.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

// They take turns with the shard's queue, but an idle one helps out; docs/benchmarks.md counts both.
constexpr std::uint32_t threads_sharing_a_shard = 4;

} // namespace

io_shards::io_shards(std::uint32_t shards, std::uint32_t threads) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  if (shards == 0) shards = std::max(1u, threads / threads_sharing_a_shard);
  threads_ = std::max(threads, shards);
  for (std::uint32_t i = 0; i < shards; ++i)
    contexts_.push_back(std::make_unique<boost::asio::io_context>(static_cast<int>((threads_ + shards - 1) / shards)));
}

io_shards::~io_shards() {
  stop();
}

std::vector<boost::asio::io_context*> io_shards::contexts() const {
  std::vector<boost::asio::io_context*> out;
  for (const auto& c : contexts_) out.push_back(c.get());
  return out;
}

void io_shards::start() {
  for (const auto& c : contexts_) guards_.emplace_back(c->get_executor());
  for (std::size_t i = 0; i < threads_; ++i)
    running_.emplace_back([this, shard = i % contexts_.size()] {
      enter_shard(shard);
      contexts_[shard]->run();
    });
}

void io_shards::stop() {
  guards_.clear();
  for (const auto& c : contexts_) c->stop();
  for (auto& t : running_) t.join();
  running_.clear();
}

} // namespace cairn::actors
