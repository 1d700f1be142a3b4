#include "sim/node/slow_client.hpp"

#include <cstring>

namespace cairn::sim {

slow_client::slow_client(world& w, checks& c, client_habits habits, std::size_t queue_max, planner plan,
                         comparison same)
    : w_(w), checks_(c), habits_(habits), queue_max_(queue_max), plan_(std::move(plan)), same_(std::move(same)) {}

actors::download_plan slow_client::plan(const actors::found_object& object) {
  checks_.expect(!row_, "plan was called twice");
  row_ = *object.row;
  auto out = plan_(*object.row);
  expected_.assign(out.body.begin(), out.body.end());
  expected_.push_front(out.head);
  return out;
}

void slow_client::last_call(download_end how) {
  if (end_ == download_end::gone) return; // calls that were made before the client's departure was known
  if (end_ != download_end::running) checks_.fail("a call after the last call");
  end_ = how;
}

void slow_client::fail(const error& reason) {
  checks_.expect(next_number_ == 0 || end_ == download_end::gone, "fail after bytes were sent");
  last_call(download_end::failed);
  reason_ = reason;
}

void slow_client::abort(const error& reason) {
  checks_.expect(next_number_ > 0 || end_ == download_end::gone, "abort before any byte was sent");
  last_call(download_end::aborted);
  queue_.clear(); // the connection is closed
  reason_ = reason;
}

void slow_client::finish() {
  last_call(download_end::finished);
  if (end_ != download_end::finished) return;
  checks_.expect(queue_.empty(), "finish before the socket took everything");
  for (const auto& e : expected_) {
    const auto* range = std::get_if<actors::byte_range>(&e);
    const bool left = range ? range->length > 0 : !std::get<std::string>(e).empty();
    checks_.expect(!left, "finish before everything planned was sent");
  }
}

void slow_client::write(std::uint64_t number, std::string text, slice bytes) {
  if (end_ == download_end::gone) return;
  checks_.expect(end_ == download_end::running, "a write after the last call");
  checks_.expect(number == next_number_, "writes are not numbered in order");
  checks_.expect(!text.empty() || bytes.owner, "an empty write");
  ++next_number_;
  queue_.push_back({number, std::move(text), std::move(bytes)});
  checks_.expect(queue_.size() <= queue_max_, "more writes queued than the window allows");
  schedule_take();
}

void slow_client::schedule_take() {
  if (taking_ || queue_.empty()) return;
  taking_ = true;
  auto delay =
      microseconds(w_.draw.between(std::uint64_t(habits_.take_min.count()), std::uint64_t(habits_.take_max.count())));
  if (w_.draw.chance(habits_.stalls))
    delay += microseconds(w_.draw.below(std::uint64_t(habits_.stall_max.count()) + 1));
  w_.after(delay, [me = shared_from_this()] {
    me->taking_ = false;
    me->take();
  });
}

void slow_client::take() {
  if (end_ != download_end::running) return;
  std::uint64_t last = 0;
  do {
    const auto& front = queue_.front();
    verify(std::as_bytes(std::span{front.text.data(), front.text.size()}));
    if (front.bytes.owner) verify(front.bytes.view());
    last = front.number;
    w_.digest.add(last);
    queue_.pop_front();
  } while (habits_.acknowledges_together && !queue_.empty() && w_.draw.chance(0.5));
  if (habits_.leaves_after_bytes && taken_bytes_ >= *habits_.leaves_after_bytes) return leave();
  caf::anon_send(streamer_, actors::written_atom_v, last);
  schedule_take();
}

void slow_client::verify(bytes_view bytes) {
  taken_bytes_ += bytes.size();
  while (!bytes.empty() && !checks_.failed()) {
    if (!checks_.expect(!expected_.empty(), "more bytes than planned")) return;
    auto& next = expected_.front();
    if (auto* text = std::get_if<std::string>(&next)) {
      const auto n = std::min(text->size(), bytes.size());
      checks_.expect(std::memcmp(text->data(), bytes.data(), n) == 0, "wrong head or literal bytes");
      text->erase(0, n);
      bytes = bytes.subspan(n);
      if (text->empty()) expected_.pop_front();
    } else {
      auto& range = std::get<actors::byte_range>(next);
      const auto n = std::size_t(std::min<std::uint64_t>(range.length, bytes.size()));
      checks_.expect(same_(*row_, range.offset, bytes.first(n)), "wrong object bytes");
      range.offset += n;
      range.length -= n;
      bytes = bytes.subspan(n);
      if (range.length == 0) expected_.pop_front();
    }
  }
}

void slow_client::leave() {
  if (end_ != download_end::running) return;
  end_ = download_end::gone;
  queue_.clear();
  caf::anon_send(streamer_, actors::gone_atom_v);
}

} // namespace cairn::sim
