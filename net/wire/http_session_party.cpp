// The party of a connection: whose share of memory and connections its requests use.
#include "net/wire/http_session.hpp"

namespace cairn::net {

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

} // namespace cairn::net
