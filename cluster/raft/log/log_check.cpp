#include "cluster/raft/log/log_check.hpp"

#include <algorithm>

namespace cairn::cluster::raft {

storage::kv_checked log_check::step(std::size_t records) {
  storage::kv_checked out;
  const auto note = [&out](const error& e) { out.damage = e; };
  const auto segments = log_.segments();
  if (!segments) {
    note(segments.error());
    out.done = true;
    return out;
  }
  if (segment_ == 0)
    if (auto good = log_.check_vote(); !good) note(good.error());
  const auto s = std::ranges::find_if(*segments, [&](const auto& one) { return one.header.number >= segment_; });
  if (s != segments->end() && s->header.number != segment_) at_ = 0; // the one before was finished or removed
  const bool last = s == segments->end() || s + 1 == segments->end();
  if (s == segments->end()) {
    out.done = true;
    segment_ = 0;
    return out;
  }
  segment_ = s->header.number;
  const auto rows = read_segment(*s, records);
  if (rows)
    out.rows = *rows;
  else
    note(rows.error());
  if (rows && at_ < s->end) return out;
  out.done = last;
  segment_ = last ? 0 : segment_ + 1;
  at_ = 0;
  return out;
}

result<std::uint64_t> log_check::read_segment(const log_segment& s, std::size_t records) {
  const auto path = segment_path(log_.directory(), s.header.number);
  if (at_ == 0) {
    const auto page = read_bytes(*s.file, 0, log_page_bytes);
    if (!page) return page.error();
    if (const auto header = decode_segment_header(*page); !header || header->salt != s.header.salt)
      return log_.damaged(path + ": the header is damaged");
    at_ = log_page_bytes;
    batch_ = s.header.first_batch;
  }
  std::uint64_t rows = 0;
  while (at_ < s.end && rows < records) {
    const auto batch = read_batch(s, at_, batch_);
    if (!batch) return batch.error();
    if (!*batch) return log_.damaged(path + ": the batch at " + std::to_string(at_) + " is damaged");
    rows += (*batch)->records.size();
    at_ = (*batch)->next;
    ++batch_;
  }
  return rows;
}

} // namespace cairn::cluster::raft
