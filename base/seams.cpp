#include "base/seams.hpp"

#include "base/error.hpp"

#include <sys/random.h>

#include <array>
#include <thread>

namespace cairn {

namespace {

class operating_system_clock final : public clock {
public:
  steady_time now() const override { return std::chrono::steady_clock::now(); }
  wall_ms wall() const override {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  }
};

class operating_system_random final : public random_source {
public:
  std::uint64_t next() override {
    thread_local std::array<std::uint64_t, 32> drawn; // 256 bytes: getrandom(2) returns up to so many uninterrupted
    thread_local std::size_t used = drawn.size();
    if (used == drawn.size()) {
      const auto got = getrandom(drawn.data(), sizeof drawn, 0);
      CAIRN_ASSERT(got == ssize_t(sizeof drawn));
      used = 0;
    }
    return drawn[used++];
  }
};

} // namespace

const clock& system_clock() {
  static const operating_system_clock instance;
  return instance;
}

random_source& system_random() {
  static operating_system_random instance;
  return instance;
}

void block_thread(std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time);
}

} // namespace cairn
