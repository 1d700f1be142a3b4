#include "net/logs/slow_requests.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

constexpr std::size_t logged_bytes_max = 1024; // of a key; longer ones are refused, but have a request, too

std::uint64_t count_of(std::chrono::microseconds time) {
  return static_cast<std::uint64_t>(time.count());
}

void write_line(const slow_request& slow, std::uint64_t left_out) {
  const auto& p = slow.phases;
  log::warn("slow request", {{"request", slow.request},
                             {"operation", slow.operation},
                             {"bucket", slow.bucket},
                             {"key", slow.key},
                             {"address", slow.address},
                             {"access_key", slow.access_key},
                             {"status", std::uint64_t{slow.status}},
                             {"server_us", count_of(p.server)},
                             {"authentication_us", count_of(p.authentication)},
                             {"metadata_us", count_of(p.metadata)},
                             {"rest_us", count_of(p.rest)},
                             {"body_us", count_of(p.body)},
                             {"transfer_us", count_of(p.transfer)},
                             {"total_us", count_of(p.total)},
                             {"trace", slow.trace},
                             {"left_out_since_the_last", left_out}});
}

} // namespace

request_phases phases_of(const request_times& measured) {
  using std::chrono::nanoseconds;
  const auto us = [](nanoseconds time) {
    return std::chrono::duration_cast<request_phases::us>(std::max(time, nanoseconds{0}));
  };
  const auto answered = measured.first_byte.value_or(measured.total);
  request_phases out;
  out.total = us(measured.total);
  out.server = us(answered - measured.body);
  out.authentication = std::min(us(measured.authentication), out.server);
  out.metadata = std::min(us(measured.metadata), out.server - out.authentication);
  out.rest = out.server - out.authentication - out.metadata;
  out.body = us(measured.body);
  out.transfer = us(measured.total - answered);
  return out;
}

void slow_requests::note(slow_request slow) {
  metrics_.slow_requests.fetch_add(1, std::memory_order_relaxed);
  for (auto* name : {&slow.bucket, &slow.key, &slow.access_key})
    if (name->size() > logged_bytes_max) name->resize(logged_bytes_max);
  std::optional<std::uint64_t> left_out;
  {
    const std::lock_guard guard{mutex_};
    kept_.push_front(slow);
    if (kept_.size() > kept_max) kept_.pop_back();
    left_out = pace_.due();
  }
  if (left_out) write_line(slow, *left_out);
}

std::vector<slow_request> slow_requests::latest() const {
  const std::lock_guard guard{mutex_};
  return {kept_.begin(), kept_.end()};
}

} // namespace cairn::net
