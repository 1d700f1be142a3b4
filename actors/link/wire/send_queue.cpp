#include "actors/link/wire/send_queue.hpp"

#include <algorithm>

namespace cairn::actors::link {

namespace {

std::size_t size_of_frame(const sent_frame& f) {
  return header_bytes + f.meta.size() + (f.piece.owner ? f.piece.length : 0);
}

} // namespace

// The queued bytes of a message: each further piece has its own header.
std::size_t send_queue::size_of(const message& m) {
  const std::size_t left = m.payload.owner ? m.payload.length : 0;
  const std::size_t frames = std::max<std::size_t>(1, (left + piece_max - 1) / piece_max);
  return frames * header_bytes + m.meta.size() + left;
}

bool send_queue::push(message&& m) {
  if (bytes_ > 0 && bytes_ + size_of(m) > bytes_max_) return false;
  push_unbounded(std::move(m));
  return true;
}

void send_queue::push_unbounded(message&& m) {
  m.header.payload_total = m.payload.owner ? m.payload.length : 0;
  m.header.payload_offset = 0;
  bytes_ += size_of(m);
  waiting_.push_back(std::move(m));
}

std::vector<sent_frame> send_queue::next_batch() {
  std::vector<sent_frame> batch;
  std::size_t bytes = 0;
  while (!waiting_.empty() && batch.size() < batch_frames && bytes < batch_bytes) {
    auto m = std::move(waiting_.front());
    waiting_.pop_front();
    sent_frame f;
    m.header.meta_length = static_cast<std::uint32_t>(m.meta.size());
    m.header.payload_length = m.payload.owner ? std::min(m.payload.length, piece_max) : 0;
    f.header = encode(m.header);
    f.meta = std::move(m.meta);
    if (m.payload.owner && m.payload.length > 0) {
      f.piece = {m.payload.owner, m.payload.offset, m.header.payload_length};
      m.payload.offset += m.header.payload_length;
      m.payload.length -= m.header.payload_length;
    }
    bytes += size_of_frame(f);
    if (m.payload.owner && m.payload.length > 0) {
      frame_header next;
      next.kind = frame_kind::fragment;
      next.lane = m.header.lane;
      next.request = m.header.request;
      next.payload_total = m.header.payload_total;
      next.payload_offset = m.header.payload_offset + m.header.payload_length;
      waiting_.push_back({next, {}, std::move(m.payload)});
    }
    batch.push_back(std::move(f));
  }
  return batch;
}

void send_queue::written(const std::vector<sent_frame>& batch) {
  for (const auto& f : batch) bytes_ -= size_of_frame(f);
}

void send_queue::clear() {
  for (const auto& m : waiting_) bytes_ -= size_of(m);
  waiting_.clear();
}

} // namespace cairn::actors::link
