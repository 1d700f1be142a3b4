// Epoch-based reclamation of erased space. A read pins the current generation before it looks up a location. Erased
// space belongs to the generation in which its index row was removed. It may be punched when every read that pinned
// that generation or an earlier one has ended; later reads cannot find it. At most two generations have running reads,
// so a read that hangs only delays punching.
//
// enter() from any thread, never blocks; generation() and advance() only from the writer.
#pragma once

#include <atomic>
#include <cstdint>

namespace cairn::storage {

class read_pins {
public:
  class pin {
  public:
    explicit pin(std::atomic<std::uint64_t>& count) : count_(count) {}
    pin(const pin&) = delete;
    pin& operator=(const pin&) = delete;
    ~pin() { count_.fetch_sub(1, std::memory_order_release); }

  private:
    std::atomic<std::uint64_t>& count_;
  };

  // Space erased in generations before `first` (by an earlier process) may be punched at once.
  explicit read_pins(std::uint64_t first) : generation_(first), free_(first - 1) {}

  pin enter() {
    while (true) {
      const auto generation = generation_.load();
      auto& count = counts_[generation % 2].value;
      count.fetch_add(1);
      if (generation_.load() == generation) return pin{count};
      count.fetch_sub(1); // the generation advanced in between: its space may already be punched
    }
  }

  std::uint64_t generation() const { return generation_.load(); }

  // Advances the generation if no read of the previous one runs. Returns the newest generation whose space may be
  // punched.
  std::uint64_t advance() {
    const auto now = generation_.load();
    if (counts_[(now + 1) % 2].value.load() != 0) return free_;
    generation_.store(now + 1);
    free_ = counts_[now % 2].value.load() == 0 ? now : now - 1;
    return free_;
  }

private:
  struct alignas(64) padded {
    std::atomic<std::uint64_t> value{0};
  };
  std::atomic<std::uint64_t> generation_;
  std::uint64_t free_;
  padded counts_[2];
};

} // namespace cairn::storage
