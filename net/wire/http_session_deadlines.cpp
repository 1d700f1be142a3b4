// Ends slow or stalled connections: deadlines, the minimum rate, eviction.
#include "base/third_party/asio.hpp"
#include "net/wire/http_session.hpp"

namespace cairn::net {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto lingering_time = std::chrono::seconds{5};
constexpr auto unread_grace = std::chrono::milliseconds{100};
constexpr std::uint64_t small_body_rate =
    1024; // minimum for bodies that are collected in memory, independent of the settings
// Before this time a connection counts neither as stalled, nor as silent once its first bytes have arrived.
constexpr std::chrono::nanoseconds stalled_after = std::chrono::seconds{1};
// A new connection has at least this time for its first bytes, however many new connections follow.
constexpr std::chrono::nanoseconds silent_after = std::chrono::milliseconds{200};

} // namespace

void http_session::arm(wait what) {
  waiting_.store(what, std::memory_order_relaxed);
  steady_time::duration time = shared_->idle_timeout.load(std::memory_order_relaxed);
  if (what == wait::head) time = shared_->header_timeout.load(std::memory_order_relaxed);
  if (what == wait::linger) time = lingering_time;
  const auto now = shared_->clock.now();
  if (what == wait::body && measured_ && body_begun_ == steady_time{}) body_begun_ = now;
  armed_at_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  deadline_.store((now + time).time_since_epoch().count(), std::memory_order_relaxed);
}

bool http_session::overdue(steady_time now) const {
  const auto deadline = deadline_.load(std::memory_order_relaxed);
  return deadline != 0 && deadline <= now.time_since_epoch().count();
}

bool http_session::too_slow(steady_time now) {
  const auto what = waiting_.load(std::memory_order_relaxed);
  const bool waits = deadline_.load(std::memory_order_relaxed) != 0 && (what == wait::body || what == wait::write);
  pace_limits limits{shared_->transfer_rate_min.load(std::memory_order_relaxed),
                     shared_->transfer_rate_window.load(std::memory_order_relaxed)};
  if (collects_.load(std::memory_order_relaxed))
    limits.bytes_per_second = std::max(limits.bytes_per_second, small_body_rate);
  const std::chrono::nanoseconds paced{paced_time_.load(std::memory_order_relaxed)};
  return pace_.too_slow(now, transfers_.load(std::memory_order_relaxed), moved_.load(std::memory_order_relaxed),
                        {waits, paced}, limits);
}

void http_session::next_transfer() {
  holds(0);
  charge_ = {};
  rate_ticket_.end();
  paced_ = false;
  collects_.store(false, std::memory_order_relaxed);
  transfers_.store(transfers_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

steady_time http_session::armed_at() const {
  return steady_time{steady_time::duration{armed_at_.load(std::memory_order_relaxed)}};
}

session_activity http_session::activity(steady_time now) const {
  session_activity seen;
  seen.party = party_.load(std::memory_order_relaxed);
  seen.transfer = transfers_.load(std::memory_order_relaxed);
  if (deadline_.load(std::memory_order_relaxed) == 0) return seen; // the session does not wait for the client
  seen.since = std::max<std::chrono::nanoseconds>(now - armed_at(), std::chrono::nanoseconds{0});
  seen.held_bytes = held_.load(std::memory_order_relaxed);
  seen.bytes_per_second = pace_.rate(moved_.load(std::memory_order_relaxed));
  const auto what = waiting_.load(std::memory_order_relaxed);
  if (what == wait::head && seen.since >= (seen.transfer == 0 ? silent_after : stalled_after))
    seen.kind = standing::silent;
  if (what == wait::idle || what == wait::linger) seen.kind = standing::idle;
  if (what != wait::body && what != wait::write) return seen;
  seen.slow = seen.bytes_per_second < slow_rate;
  if (seen.since >= stalled_after || seen.slow) seen.kind = standing::stalled;
  return seen;
}

void http_session::evict(end_reason why, const session_activity& seen) {
  asio::post(executor(), [self = shared_from_this(), why, seen] { self->end(why, seen); });
}

void http_session::end(end_reason why, const session_activity& seen) {
  const auto now = shared_->clock.now();
  if (closed_ || deadline_.load(std::memory_order_relaxed) == 0) return;
  if (why == end_reason::deadline && !overdue(now)) return;
  if (why != end_reason::deadline && seen.transfer != transfers_.load(std::memory_order_relaxed)) return;
  const auto what = waiting_.load(std::memory_order_relaxed);
  error_code unknown; // after an error the input counts as empty, and the client as late
  if (why != end_reason::rate && !seen.slow && what != wait::linger && what != wait::write &&
      stream_->socket().available(unknown) > 0) {
    // The client has sent bytes that this node has not read yet: the check is repeated after the read.
    if (why == end_reason::deadline)
      deadline_.store((now + unread_grace).time_since_epoch().count(), std::memory_order_relaxed);
    return;
  }
  if (what == wait::write && client_reads(why, seen.slow, now)) return;
  const bool progress = now - armed_at() < seen.since; // progress since `seen`
  if ((why == end_reason::place || why == end_reason::memory) && progress && !seen.slow) return;
  count_end(why);
  disarm();
  if (what == wait::body) return end_body(why);
  if (what == wait::idle) return close_idle();
  if (what != wait::head || buffer_.size() == 0 || why != end_reason::deadline) return close();
  refuse_head({408, "the head did not arrive within http.header_timeout"});
}

// What the socket takes says little about a client that is slow: it may take nothing for a minute while the client
// reads.
bool http_session::client_reads(end_reason why, bool slow, steady_time now) {
  const std::uint64_t unacknowledged = unacknowledged_bytes(stream_->socket());
  const auto moved = moved_.load(std::memory_order_relaxed), transfer = transfers_.load(std::memory_order_relaxed);
  const auto delivered = moved - std::min(moved, unacknowledged);
  if (why == end_reason::rate)
    return delivered_per_window_.keeps(now, transfer, delivered,
                                       {shared_->transfer_rate_min.load(std::memory_order_relaxed),
                                        shared_->transfer_rate_window.load(std::memory_order_relaxed)});
  if (slow && why != end_reason::deadline)
    return delivered_under_pressure_.keeps(now, transfer, delivered, {slow_rate, patience_min});
  if (std::exchange(delivered_, delivered) == delivered) return false;
  arm(wait::write);
  return true;
}

void http_session::end_body(end_reason why) {
  if (const auto e = exchange_.lock()) return e->stalled(why);
  stalled_ = why; // a small body is being read: its pending read ends with an error and answers
  cancel_read();
}

void http_session::count_end(end_reason why) {
  auto& metrics = shared_->metrics;
  const auto add = [](counter& c) { c.fetch_add(1, std::memory_order_relaxed); };
  if (why == end_reason::rate) add(metrics.transfers_too_slow);
  if (why == end_reason::memory) add(metrics.transfers_reclaimed);
  if (why != end_reason::place) return;
  switch (waiting_.load(std::memory_order_relaxed)) {
    case wait::head: return add(metrics.connections_evicted_silent);
    case wait::body:
    case wait::write: return add(metrics.connections_evicted_stalled);
    default: return add(metrics.connections_evicted_idle);
  }
}

} // namespace cairn::net
