#include "actors/runtime/io_shards.hpp"

#include "actors/runtime/asio_scheduler.hpp"

#include <algorithm>

namespace cairn::actors {

io_shards::io_shards(std::uint32_t shards, std::uint32_t threads) {
  const std::uint32_t wanted = threads != 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
  if (shards == 0) shards = wanted;
  threads_per_shard_ = std::max(1u, wanted / shards);
  for (std::uint32_t i = 0; i < shards; ++i)
    contexts_.push_back(std::make_unique<boost::asio::io_context>(static_cast<int>(threads_per_shard_)));
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
  for (std::size_t shard = 0; shard < contexts_.size(); ++shard) {
    guards_.emplace_back(contexts_[shard]->get_executor());
    for (std::size_t i = 0; i < threads_per_shard_; ++i)
      running_.emplace_back([this, shard] {
        enter_shard(shard);
        contexts_[shard]->run();
      });
  }
}

void io_shards::stop() {
  guards_.clear();
  for (const auto& c : contexts_) c->stop();
  for (auto& t : running_) t.join();
  running_.clear();
}

} // namespace cairn::actors
