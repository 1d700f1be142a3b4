#include "actors/link/request_table.hpp"

#include <algorithm>
#include <limits>

namespace cairn::actors::link {

namespace {

std::uint32_t length_of(const slice& s) {
  return s.owner ? s.length : 0;
}

std::uint32_t ms_left(steady_time deadline, steady_time now) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 1, std::numeric_limits<std::uint32_t>::max()));
}

} // namespace

void request_table::link_up(std::uint64_t credit_bytes, std::size_t bulk_connections) {
  CAIRN_ASSERT(requests_.empty());
  credit_.emplace(credit_bytes);
  load_.assign(bulk_connections, 0);
}

std::vector<request_table::finished> request_table::link_lost(const error& why) {
  std::vector<finished> all;
  for (auto& [n, e] : requests_)
    if (e.reply) all.push_back({std::move(e.reply), why});
  requests_.clear();
  in_lane_ = {};
  ready_.clear();
  waiting_.clear();
  credit_.reset();
  return all;
}

result<request_number> request_table::add(outgoing_request& r, steady_time now) {
  const auto charge = std::uint64_t{length_of(r.payload)} + length_of(r.into);
  CAIRN_ASSERT(credit_ && r.reply && (r.on == lane::bulk || charge == 0));
  if (r.bytes.size() > meta_max(r.on) || length_of(r.payload) > payload_max || length_of(r.into) > payload_max)
    return error{errc::too_large, "the request is larger than a frame of the node link"};
  if (charge > credit_->bytes_max()) return error{errc::too_large, "the request is larger than the peer's credit"};
  if (r.deadline <= now) return error{errc::timeout, "the deadline passed before the request was sent"};
  auto& in_lane = in_lane_[std::size_t(r.on)];
  if (in_lane >= requests_max_) return error{errc::busy, "too many requests in flight to the peer"};

  const auto n = next_++;
  entry e;
  e.reply = std::move(r.reply);
  e.into = std::move(r.into);
  e.deadline = r.deadline;
  e.on = r.on;
  e.charge = charge;
  auto& m = e.unsent.emplace();
  m.header.kind = frame_kind::request;
  m.header.lane = r.on;
  m.header.request = n;
  m.header.reply_max = length_of(e.into);
  m.meta = std::move(r.bytes);
  if (length_of(r.payload) > 0) m.payload = std::move(r.payload);
  requests_.emplace(n, std::move(e));
  ++in_lane;
  (r.on == lane::control ? ready_ : waiting_).push_back(n);
  return n;
}

std::vector<request_table::to_send> request_table::take_sendable(steady_time now) {
  std::vector<to_send> out;
  const auto send = [&](request_number n, entry& e) {
    e.unsent->header.time_left_ms = ms_left(e.deadline, now);
    out.push_back({n, e.connection, std::move(*e.unsent)});
    e.unsent.reset();
  };
  for (; !ready_.empty(); ready_.pop_front())
    if (const auto at = requests_.find(ready_.front()); at != requests_.end()) send(at->first, at->second);
  for (; !waiting_.empty(); waiting_.pop_front()) {
    const auto at = requests_.find(waiting_.front());
    if (at == requests_.end()) continue; // expired or cancelled meanwhile
    auto& e = at->second;
    if (!credit_->take(e.charge)) break;
    e.connection = least_loaded();
    load_[e.connection - 1] += e.charge;
    send(at->first, e);
  }
  return out;
}

std::size_t request_table::least_loaded() const {
  return 1 + static_cast<std::size_t>(std::min_element(load_.begin(), load_.end()) - load_.begin());
}

request_table::entries::iterator request_table::erase(entries::iterator at) {
  const auto& e = at->second;
  if (!e.unsent && e.on == lane::bulk) {
    credit_->give_back(e.charge);
    load_[e.connection - 1] -= e.charge;
  }
  --in_lane_[std::size_t(e.on)];
  return requests_.erase(at);
}

std::optional<request_table::finished> request_table::not_sent(request_number n, error why) {
  const auto at = requests_.find(n);
  if (at == requests_.end()) return std::nullopt;
  auto reply = std::move(at->second.reply);
  erase(at);
  if (!reply) return std::nullopt;
  return finished{std::move(reply), std::move(why)};
}

// ---- replies --------------------------------------------------------------------------------------------------------

result<slice> request_table::place(const frame_header& header) {
  const auto at = requests_.find(header.request);
  if (at == requests_.end() || at->second.unsent) return error{errc::corrupt, "a reply without a request"};
  auto& e = at->second;
  if (header.kind == frame_kind::reply) return begin_reply(e, header);
  if (!e.begun || header.payload_total != e.total || header.payload_offset != e.received)
    return error{errc::corrupt, "a fragment out of order"};
  if (!e.into.owner) return slice{};
  return slice{e.into.owner, e.into.offset + header.payload_offset, header.payload_length};
}

result<slice> request_table::begin_reply(entry& e, const frame_header& header) {
  if (e.begun) return error{errc::corrupt, "a second reply to a request"};
  // The bound of an abandoned request's reply is the credit that it was charged.
  const std::uint64_t most = e.into.owner ? e.into.length : e.charge;
  if (header.payload_total > most) return error{errc::corrupt, "a reply larger than its buffer"};
  e.begun = true;
  e.total = header.payload_total;
  if (!e.into.owner) return slice{};
  return slice{e.into.owner, e.into.offset, header.payload_length};
}

result<std::optional<request_table::finished>> request_table::arrived(const frame_header& header, std::string meta) {
  const auto at = requests_.find(header.request);
  if (at == requests_.end() || at->second.unsent) return error{errc::corrupt, "a reply without a request"};
  auto& e = at->second;
  if (header.kind == frame_kind::reply) {
    if (header.payload_total == 0) // otherwise place() has begun it
      if (auto good = begin_reply(e, header); !good) return good.error();
    e.code = header.code;
    e.meta = std::move(meta);
  }
  e.received += header.payload_length;
  if (e.received < e.total) return std::optional<finished>{};
  std::optional<finished> over;
  if (e.reply) over = finish(e);
  erase(at);
  return over;
}

request_table::finished request_table::finish(entry& e) const {
  if (e.code != 0) return {std::move(e.reply), error{static_cast<errc>(e.code), std::move(e.meta)}};
  answer a;
  a.bytes = std::move(e.meta);
  if (e.into.owner) a.payload = {std::move(e.into.owner), e.into.offset, e.total};
  return {std::move(e.reply), std::move(a)};
}

// ---- timeouts and cancellation --------------------------------------------------------------------------------------

request_table::to_send request_table::cancel_frame(request_number n, const entry& e) const {
  message m;
  m.header.kind = frame_kind::cancel;
  m.header.lane = e.on;
  m.header.request = n;
  return {0, e.connection, std::move(m)};
}

// The caller erases an entry that was not sent.
void request_table::abandon(request_number n, entry& e, const error& why, expired& out) {
  out.answers.push_back({std::exchange(e.reply, nullptr), why});
  e.into = {};
  if (e.unsent)
    std::erase(waiting_, n);
  else
    out.cancels.push_back(cancel_frame(n, e));
}

request_table::expired request_table::expire(steady_time now) {
  expired out;
  const error late{errc::timeout, "the peer did not answer in time"};
  for (auto at = requests_.begin(); at != requests_.end();) {
    auto& [n, e] = *at;
    const bool over = e.reply && e.deadline <= now;
    if (over) abandon(n, e, late, out);
    at = over && e.unsent ? erase(at) : std::next(at);
  }
  return out;
}

request_table::expired request_table::cancel(request_number n) {
  expired out;
  const auto at = requests_.find(n);
  if (at == requests_.end() || !at->second.reply) return out;
  abandon(n, at->second, {errc::cancelled, "cancelled by the requester"}, out);
  if (at->second.unsent) erase(at);
  return out;
}

} // namespace cairn::actors::link
