#include "base/sockets/handshake_reader.hpp"

#include "base/third_party/asio.hpp"

#include <utility>

namespace cairn::sockets {

namespace {

constexpr std::chrono::milliseconds charge_again{100};

} // namespace

void handshake_reader::begin(handshake_steps steps) {
  steps_ = std::move(steps);
  records_ = {};
  taken_ = 0;
}

void handshake_reader::end(bool complete) {
  if (const auto steps = std::exchange(steps_, {}); complete && steps.completed) steps.completed(taken_);
}

void handshake_reader::read_some(boost::asio::mutable_buffer into, handler done) {
  if (!steps_.charge && !steps_.turn) return socket_.async_read_some(into, std::move(done));
  socket_.async_read_some(into,
                          [this, into, done = std::move(done)](const error_code& failed, std::size_t bytes) mutable {
                            if (failed || records_.take({static_cast<const std::byte*>(into.data()), bytes}) == 0)
                              return done(failed, bytes); // nothing to compute
                            ++taken_;
                            charge(nullptr, std::move(done), bytes);
                          });
}

// Charges the step, now or later. A connection that was closed meanwhile ends here.
void handshake_reader::charge(std::shared_ptr<timer> again, handler done, std::size_t bytes) {
  if (!socket_.is_open()) return done(boost::asio::error::operation_aborted, 0);
  if (!steps_.charge || steps_.charge()) return take_turn(std::move(done), bytes);
  if (!again) again = std::make_shared<timer>(socket_.get_executor());
  auto& waits = *again;
  waits.expires_after(charge_again);
  waits.async_wait([this, again = std::move(again), done = std::move(done), bytes](const error_code&) mutable {
    charge(std::move(again), std::move(done), bytes);
  });
}

void handshake_reader::take_turn(handler done, std::size_t bytes) {
  const auto on = socket_.get_executor();
  if (!steps_.turn) return boost::asio::post(on, [done = std::move(done), bytes] { done({}, bytes); });
  steps_.turn([on, done = std::move(done), bytes](std::shared_ptr<void> mine) {
    boost::asio::post(on, [done, bytes, mine = std::move(mine)] { done({}, bytes); });
  });
}

} // namespace cairn::sockets
