// The rate limits of a request (net/limits/rate_limiter.hpp): admission, and the pace of its bytes. While a request is
// paced it has no deadline, and the time does not count for limits.transfer_rate_min.
#include "net/wire/http_session.hpp"

#include "base/third_party/asio.hpp"

#include <algorithm>
#include <utility>

namespace cairn::net {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// A pause is at most so long before the limits, which SIGHUP may have changed, are asked again.
constexpr std::chrono::nanoseconds pause_step = std::chrono::seconds{1};

} // namespace

struct pace_wait {
  using timer_type = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                                session_strand>;
  explicit pace_wait(const session_strand& on) : timer(on) {}
  timer_type timer;
  bool cancelled = false;
};

std::optional<std::chrono::seconds> http_session::limit(config::rate_of of, std::string_view name) {
  if (!shared_->rates.limits(of)) return std::nullopt;
  const auto there = info_.chunked ? buffer_.size() : std::min<std::uint64_t>(buffer_.size(), body_left_);
  const auto try_after = shared_->rates.admit(of, name, there, shared_->clock.now(), rate_ticket_);
  if (!try_after) return std::nullopt;
  rate_ticket_.end(); // the refusal is not paced
  shared_->metrics.rate_limited[static_cast<std::size_t>(of)].fetch_add(1, std::memory_order_relaxed);
  return std::max(std::chrono::ceil<std::chrono::seconds>(*try_after), std::chrono::seconds{1});
}

// Calls `then` once the bytes so far are paid for: at once if they are, or when it was cancelled.
void http_session::pace(std::shared_ptr<pace_wait>& slot, after_pace then) {
  const auto now = shared_->clock.now();
  const auto time = rate_ticket_.pause(now);
  if (time <= std::chrono::nanoseconds{0}) return then(false);
  if (!std::exchange(paced_, true)) shared_->metrics.transfers_paced.fetch_add(1, std::memory_order_relaxed);
  if (!slot) slot = std::make_shared<pace_wait>(executor());
  slot->cancelled = false;
  wait_for_pace(slot, now + time, std::move(then));
}

void http_session::wait_for_pace(const std::shared_ptr<pace_wait>& slot, steady_time until, after_pace then) {
  const auto begun = shared_->clock.now();
  slot->timer.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::clamp<std::chrono::nanoseconds>(until - begun, std::chrono::nanoseconds{0}, pause_step)));
  slot->timer.async_wait([self = shared_from_this(), slot, until, begun,
                          then = std::move(then)](const error_code& failed) mutable {
    const auto now = self->shared_->clock.now();
    self->paced_time_.fetch_add(std::max<std::chrono::nanoseconds>(now - begun, std::chrono::nanoseconds{0}).count(),
                                std::memory_order_relaxed);
    const bool ends = failed || slot->cancelled || now >= until || self->rate_ticket_.pause(now).count() == 0;
    if (!ends) return self->wait_for_pace(slot, until, std::move(then));
    then(failed || slot->cancelled);
  });
}

void http_session::cancel_pace(const std::shared_ptr<pace_wait>& slot) {
  if (!slot) return;
  slot->cancelled = true; // also for a wait whose handler is queued already
  slot->timer.cancel();
}

http_session::two_targets http_session::first_of(two_targets buffers, std::size_t most) {
  for (auto& buffer : buffers) {
    buffer = asio::buffer(buffer, most);
    most -= buffer.size();
  }
  return buffers;
}

void http_session::read_paced(two_targets into, body_handler done) {
  pace(read_pace_, [self = shared_from_this(), into, done = std::move(done)](bool cancelled) mutable {
    if (cancelled || self->closed_) return done(asio::error::operation_aborted, 0);
    const auto part = first_of(into, self->rate_ticket_.piece_bytes());
    self->arm(wait::body);
    self->stream_->async_read_some(part, [self, done = std::move(done)](const error_code& failed, std::size_t n) {
      self->rate_ticket_.count(n, self->shared_->clock.now());
      done(failed, n);
    });
  });
}

void http_session::cancel_read() {
  cancel_pace(read_pace_);
  error_code ignored; // the handler runs also after an error
  stream_->socket().cancel(ignored);
}

bool http_session::is_paced(const pending_write& w) const {
  return w.what != pending_write::kind::interim && rate_ticket_.paces();
}

// The next piece of the first write, behind the bytes that are sent.
void http_session::write_paced(std::size_t sent) {
  writing_ = true;
  hold_writes();
  pace(write_pace_, [self = shared_from_this(), sent](bool) {
    if (self->drop_writes_if_closed()) return;
    const auto most = self->rate_ticket_.piece_bytes();
    if (self->takes_turns()) return self->write_in_turn(sent, most);
    self->write_piece(sent, most);
  });
}

} // namespace cairn::net
