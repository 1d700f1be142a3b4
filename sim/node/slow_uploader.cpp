#include "sim/node/slow_uploader.hpp"

#include "sim/world/pattern.hpp"

namespace cairn::sim {

slow_uploader::slow_uploader(world& w, checks& c, uploader_habits habits, std::uint64_t content, std::uint64_t size,
                             std::size_t grants_max, ending on_end)
    : w_(w),
      checks_(c),
      habits_(habits),
      content_(content),
      size_(size),
      grants_max_(grants_max),
      on_end_(std::move(on_end)) {}

void slow_uploader::attach(actors::ingest_actor ingest) {
  ingest_ = std::move(ingest);
  if (size_ == 0 && habits_.end_at_once && !habits_.on_demand) end_body();
}

void slow_uploader::forget() {
  on_end_ = nullptr;
  grants_.clear();
}

void slow_uploader::grant(buffer_ptr empty, std::uint32_t fill_bytes) {
  if (!on_end_) return;
  checks_.expect(empty && empty->capacity() >= fill_bytes && fill_bytes > 0, "a grant without room for its bytes");
  if (body_ended_) return;
  grants_.push_back({std::move(empty), fill_bytes});
  checks_.expect(grants_.size() <= grants_max_, "more grants than the window");
  schedule_fill();
}

void slow_uploader::upload_accepted() {
  checks_.expect(habits_.on_demand, "go_on without grants on demand");
  if (!on_end_) return;
  if (size_ == 0) return end_body();
  request_later();
}

microseconds slow_uploader::delay() {
  return microseconds(
      w_.draw.between(std::uint64_t(habits_.fill_min.count()), std::uint64_t(habits_.fill_max.count())));
}

void slow_uploader::request_later() {
  w_.after(delay(), [me = shared_from_this()] {
    if (me->on_end_ && !me->body_ended_) caf::anon_send(me->ingest_, actors::want_atom_v);
  });
}

void slow_uploader::schedule_fill() {
  if (filling_ || grants_.empty()) return;
  filling_ = true;
  w_.after(delay(), [me = shared_from_this()] {
    me->filling_ = false;
    me->fill();
  });
}

void slow_uploader::fill() {
  if (!on_end_ || body_ended_ || grants_.empty()) return;
  if (habits_.leaves_after_bytes && sent_ >= *habits_.leaves_after_bytes) return leave();
  auto g = std::move(grants_.front());
  grants_.pop_front();
  const auto n = std::uint32_t(std::min<std::uint64_t>(g.fill_bytes, size_ - sent_));
  if (n > 0) {
    fill_pattern(content_, sent_, {g.empty->data(), n});
    sent_ += n;
    caf::anon_send(ingest_, actors::body_atom_v, slice{std::move(g.empty), 0, n});
  }
  if (sent_ == size_) return end_body();
  if (habits_.on_demand) request_later();
  schedule_fill();
}

void slow_uploader::end_body() {
  body_ended_ = true;
  grants_.clear();
  caf::anon_send(ingest_, actors::body_end_atom_v, actors::body_end{habits_.content_md5});
}

void slow_uploader::leave() {
  caf::anon_send(ingest_, actors::gone_atom_v);
  grants_.clear();
  std::exchange(on_end_, nullptr)(std::nullopt);
}

void slow_uploader::done(result<actors::put_outcome> outcome) {
  if (!on_end_) return;
  grants_.clear();
  std::exchange(on_end_, nullptr)(std::move(outcome));
}

} // namespace cairn::sim
