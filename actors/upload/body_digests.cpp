#include "actors/upload/body_digests.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

// The most that one job digests, unless a single chunk is larger: large enough that the hops between threads cost
// little, small enough that other parties' digests do not wait long.
constexpr std::size_t job_bytes = 2 << 20;
constexpr std::chrono::seconds job_timeout{60}; // in the queue

} // namespace

void body_digests::start(host_services host, std::shared_ptr<body_check> check, user& u) {
  host_ = std::move(host);
  user_ = &u;
  check_ = std::move(check);
  const auto md5 = [sum = md5_](bytes_view bytes) -> result<void> {
    sum->update(bytes);
    return {};
  };
  digests_.push_back({md5});
  if (check_) digests_.push_back({[proof = check_](bytes_view bytes) { return proof->update(bytes); }});
}

result<void> body_digests::digest_now(bytes_view bytes) {
  for (auto& d : digests_)
    if (auto good = d.update(bytes); !good) return good;
  return {};
}

void body_digests::add(slice chunk) {
  if (over_) return;
  waiting_.push_back(std::move(chunk));
  for (std::size_t which = 0; which < digests_.size() && !over_; ++which) run(which);
}

void body_digests::run(std::size_t which) {
  auto& d = digests_[which];
  if (d.running || over_) return;
  std::vector<slice> next;
  std::size_t bytes = 0;
  for (auto at = d.done - through_; at < waiting_.size() && bytes < job_bytes; ++at) {
    next.push_back(waiting_[at]);
    bytes += waiting_[at].length;
  }
  if (next.empty()) return;
  d.running = true;
  const party_ptr party = next.front().owner->payer();
  auto job = [this, which, next = std::move(next), update = d.update, back = host_.on_actor](bool expired) mutable {
    const auto count = static_cast<std::uint32_t>(next.size());
    result<void> good;
    if (expired) good = error{errc::timeout, "the body's digest expired in the executor's queue"};
    for (const auto& piece : next)
      if (good) good = update(piece.view());
    next.clear(); // releases the buffers before the actor grants new ones
    back([this, which, count, good] { ran(which, count, good); });
  };
  if (auto posted = host_.executor->post(host_.clock->now() + job_timeout, std::move(job), party); !posted)
    fail(posted.error());
}

void body_digests::ran(std::size_t which, std::uint32_t chunks, const result<void>& good) {
  if (over_) return;
  if (!good) return fail(good.error());
  digests_[which].running = false;
  digests_[which].done += chunks;
  run(which);
  if (over_) return;
  const auto slowest = std::min_element(digests_.begin(), digests_.end(),
                                        [](const digest& a, const digest& b) { return a.done < b.done; });
  const auto first = through_;
  for (; through_ < slowest->done; ++through_) waiting_.pop_front();
  if (first < through_) user_->digested(first, through_);
}

void body_digests::drop() {
  over_ = true;
  waiting_.clear();
}

void body_digests::fail(error why) {
  drop();
  user_->digest_failed(std::move(why));
}

result<storage::metadata::md5_digest> body_digests::finish() {
  if (check_)
    if (auto good = check_->finish(); !good) return good.error();
  return md5_->finish();
}

} // namespace cairn::actors
