// The party of a connection: whose share of memory and connections its requests use, and whose turns its answers wait
// for.
#include "net/wire/http_session.hpp"

#include "base/third_party/asio.hpp"

#include <algorithm>
#include <utility>

namespace cairn::net {

namespace {

constexpr std::size_t call_bytes_max = 16 << 20; // Asio's own limit a call is 64 KiB
// While several parties send requests. A handler of one waits for such calls of the others.
constexpr std::size_t shared_call_bytes = 128 << 10;
// A piece while no other waits for a turn: each passes the run queue twice, so small ones would cost a lone download
// most of its rate beside many small requests.
constexpr std::size_t lone_piece_bytes = 1 << 20;

} // namespace

// Selects the account of the key, or of the address for requests without a key. A connection rarely changes its key.
void http_session::choose_payer(std::string_view key) {
  const std::string_view now = payer_ ? std::string_view{payer_->name()} : "";
  const bool same = key.empty() ? payer_ == address_
                                : now.starts_with(key_party_prefix) && now.substr(key_party_prefix.size()) == key;
  if (same) return;
  if (payer_) payer_->connections.fetch_sub(1, std::memory_order_relaxed);
  payer_ = key.empty() ? address_ : shared_->accounts.of(std::string{key_party_prefix}.append(key));
  if (payer_) payer_->connections.fetch_add(1, std::memory_order_relaxed);
  party_.store(payer_, std::memory_order_relaxed);
}

// The places beyond the limit are for parties with few connections, because parties with many caused the shortage.
bool http_session::has_many() const {
  const auto limit = shared_->connections_max.load(std::memory_order_relaxed);
  return payer_ && payer_->connections.load(std::memory_order_relaxed) > limit / 8;
}

bool http_session::admit(std::string_view key) {
  choose_payer(key);
  shared_->parties.note(payer_.get(), shared_->clock.now());
  if (!std::exchange(over_limit_, false) || !has_many()) return true;
  shared_->metrics.connections_refused.fetch_add(1, std::memory_order_relaxed);
  disable_keep_alive();
  return false;
}

bool http_session::charge(std::size_t bytes) {
  if (charge_.bytes() > 0) return charge_.resize(bytes);
  auto fresh = shared_->buffers->try_charge(bytes, payer_);
  if (fresh) charge_ = std::move(*fresh);
  return fresh.has_value();
}

std::size_t http_session::call_bytes() const {
  return takes_turns() ? shared_call_bytes : call_bytes_max;
}

bool http_session::takes_turns() const {
  const auto now = shared_->clock.now();
  shared_->parties.note(payer_.get(), now);
  return shared_->parties.several(now);
}

std::size_t http_session::turn_bytes() const {
  return shared_->piece_turns->waiting() == 0 ? lone_piece_bytes : shared_call_bytes;
}

// Sends a piece of the first write, of at most `most` bytes, when the socket takes bytes and the party has a turn.
void http_session::write_in_turn(std::size_t sent, std::size_t most) {
  writing_ = true;
  arm(wait::write);
  hold_writes();
  stream_->socket().async_wait(session_socket::wait_write,
                               [self = shared_from_this(), sent, most](const boost::system::error_code& failed) {
                                 if (failed) self->close();
                                 if (self->drop_writes_if_closed()) return;
                                 const auto party = self->payer_ ? self->payer_->name() : std::string{};
                                 self->disarm(); // the client waits
                                 self->awaits_turn_ = true;
                                 self->shared_->piece_turns->take(party, [self, sent, most](fair_turns::turn mine) {
                                   boost::asio::post(self->executor(), [self, sent, most, mine = std::move(mine)] {
                                     self->awaits_turn_ = false;
                                     if (!self->drop_writes_if_closed())
                                       self->write_piece(sent, std::min(most, self->turn_bytes()));
                                   });
                                 });
                               });
}

} // namespace cairn::net
