#include "actors/link/link_session.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace cairn::actors::link {

namespace {
constexpr std::size_t error_text_max = 1024;
} // namespace

hello_rules link_session::rules() {
  hello_rules r;
  r.own = services_->own();
  return r;
}

result<void> link_session::admit(const peer& other) {
  if (services_->admit)
    if (auto good = services_->admit(other); !good) return good;
  auto credit = services_->registry->known(ticket_, other);
  if (!credit) return credit.error();
  credit_ = std::move(*credit);
  other_ = other;
  return {};
}

void link_session::on_open(connection& c, const hello&) {
  log::debug("link accepted", {{"node", cairn::to_string(other_.node)}, {"address", c.address()}});
}

void link_session::on_closed(const error& why) {
  const bool known = credit_ != nullptr;
  // A refused peer is logged for the operator; what strangers send must not fill the log.
  const bool refused = !known && is_refusal(why.code);
  log::write(refused ? log::level::info : log::level::debug, "link connection closed",
             {{"node", known ? cairn::to_string(other_.node) : "unknown"}, {"reason", to_string(why)}});
  std::uint64_t charges = 0;
  for (const auto& [id, a] : arriving_) charges += a.charge;
  arriving_.clear();
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [id, r] : running_) {
      charges += r.charge;
      r.gone->store(true, std::memory_order_relaxed);
    }
    running_.clear();
    running_bytes_ = 0;
  }
  if (credit_) credit_->give_back(charges);
  services_->registry->gone(ticket_);
}

// ---- arriving requests ----------------------------------------------------------------------------------------------

result<slice> link_session::place(const frame_header& header, const std::string& meta) {
  auto at = arriving_.find(header.request);
  if (header.kind == frame_kind::request) {
    if (at != arriving_.end()) return error{errc::corrupt, "a request number in use"};
    if (arriving_.size() >= 2 * std::size_t{services_->requests_max})
      return error{errc::corrupt, "more requests than the peer may begin"};
    at = arriving_.emplace(header.request, begin(header, meta)).first;
  } else if (at == arriving_.end()) {
    return error{errc::corrupt, "a fragment without a request"};
  }
  return next_place(at->second, header);
}

link_session::arrival link_session::begin(const frame_header& header, const std::string& meta) {
  arrival a;
  a.header = header;
  a.deadline = services_->clock.now() + std::chrono::milliseconds{header.time_left_ms};
  a.refused = admission_error(header, meta, a);
  return a;
}

std::optional<error> link_session::admission_error(const frame_header& header, const std::string& meta, arrival& a) {
  {
    const std::lock_guard lock{mutex_};
    if (running_.size() + arriving_.size() >= services_->requests_max)
      return error{errc::busy, "too many requests in progress"};
    if (running_bytes_ + header.meta_length > services_->request_bytes_max)
      return error{errc::busy, "too many bytes of requests in progress"};
  }
  const auto charge = std::uint64_t{header.payload_total} + header.reply_max;
  if (charge > 0 && !credit_->take(charge)) return error{errc::busy, "the request exceeds the link's credit"};
  a.charge = charge;
  if (header.payload_total == 0) return std::nullopt;
  auto buffer = services_->service->acquire(other_, meta, header.payload_total);
  if (!buffer) return error{errc::busy, "no memory for the payload"};
  CAIRN_ASSERT(buffer->capacity() >= header.payload_total);
  a.payload = {std::move(buffer), 0, header.payload_total};
  return std::nullopt;
}

result<slice> link_session::next_place(arrival& a, const frame_header& header) {
  if (header.payload_total != a.header.payload_total || header.payload_offset != a.received)
    return error{errc::corrupt, "a fragment out of order"};
  if (!a.payload.owner) return slice{};
  return slice{a.payload.owner, header.payload_offset, header.payload_length};
}

result<void> link_session::on_frame(const frame_header& header, std::string meta) {
  if (header.kind == frame_kind::cancel) {
    cancel(header.request);
    return {};
  }
  if (header.kind == frame_kind::request) {
    if (header.payload_total == 0) {
      if (arriving_.contains(header.request)) return error{errc::corrupt, "a request number in use"};
      auto a = begin(header, meta);
      a.meta = std::move(meta);
      return deliver(header.request, std::move(a));
    }
    arriving_.at(header.request).meta = std::move(meta);
  }
  return take_piece(header);
}

result<void> link_session::take_piece(const frame_header& header) {
  const auto at = arriving_.find(header.request);
  at->second.received += header.payload_length;
  if (at->second.received < header.payload_total) return {};
  auto whole = std::move(at->second);
  arriving_.erase(at);
  return deliver(header.request, std::move(whole));
}

result<void> link_session::deliver(std::uint64_t id, arrival a) {
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  bool fresh = false;
  {
    const std::lock_guard lock{mutex_};
    fresh = running_.try_emplace(id, running{a.charge, a.header.lane, a.header.reply_max, a.meta.size(), gone}).second;
    if (fresh) running_bytes_ += a.meta.size();
  }
  if (!fresh) {
    credit_->give_back(a.charge);
    return error{errc::corrupt, "a request number in use"};
  }
  const auto answer_it = [weak = weak_from_this(), id](result<answer>&& given) {
    if (const auto self = weak.lock()) self->reply(id, std::move(given));
  };
  if (a.refused || services_->clock.now() >= a.deadline) {
    answer_it(a.refused ? *a.refused : error{errc::timeout, "the deadline had passed when the request arrived"});
    return {};
  }
  services_->service->on_request(
      {other_, std::move(a.meta), std::move(a.payload), a.deadline, a.header.reply_max, responder{answer_it, gone}});
  return {};
}

void link_session::cancel(std::uint64_t id) {
  if (const auto at = arriving_.find(id); at != arriving_.end()) {
    at->second.refused = error{errc::cancelled, "cancelled by the requester"};
    return;
  }
  const std::lock_guard lock{mutex_};
  if (const auto at = running_.find(id); at != running_.end()) at->second.gone->store(true, std::memory_order_relaxed);
}

// ---- answers, from any thread ---------------------------------------------------------------------------------------

void link_session::reply(std::uint64_t id, result<answer>&& a) {
  running r;
  {
    const std::lock_guard lock{mutex_};
    const auto at = running_.find(id);
    if (at == running_.end()) return; // the connection has closed
    r = std::move(at->second);
    running_bytes_ -= r.bytes;
    running_.erase(at);
  }
  credit_->give_back(r.charge); // before the reply is sent: the requester may reuse the credit then
  send_reply(id, r, std::move(a));
}

void link_session::send_reply(std::uint64_t id, const running& r, result<answer>&& a) {
  message m;
  m.header.kind = frame_kind::reply;
  m.header.lane = r.on;
  m.header.request = id;
  const auto say = [&m](errc code, std::string_view text) {
    m.header.code = static_cast<std::uint8_t>(code);
    m.meta = text.substr(0, error_text_max);
  };
  const bool has_payload = a && a->payload.owner && a->payload.length > 0;
  if (!a) {
    say(a.error().code, a.error().text);
  } else if (has_payload && a->payload.length > r.reply_max) {
    say(errc::too_large, "the answer is larger than the requester's buffer");
  } else if (a->bytes.size() > meta_max(r.on)) {
    say(errc::too_large, "the answer is larger than a frame");
  } else {
    m.meta = std::move(a->bytes);
    if (has_payload) m.payload = std::move(a->payload);
  }
  const auto c = connection_.lock();
  if (c && !c->send(std::move(m))) c->close({errc::busy, "the peer does not read its answers"});
}

} // namespace cairn::actors::link
