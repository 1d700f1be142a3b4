#include "net/wire/http_shared.hpp"

#include "net/wire/http_session.hpp"

#include <algorithm>
#include <thread>

namespace cairn::net {

namespace {

std::uint32_t socket_threads(const config::settings& settings) {
  return settings.node.threads != 0 ? settings.node.threads : std::max(1u, std::thread::hardware_concurrency());
}

} // namespace

void session_registry::add(http_session& session) {
  const std::lock_guard lock{mutex_};
  sessions_.push_back(session);
}

void session_registry::remove(http_session& session) {
  std::function<void()> empty;
  {
    const std::lock_guard lock{mutex_};
    if (session.is_linked()) sessions_.erase(sessions_.iterator_to(session));
    if (sessions_.empty()) empty = std::exchange(when_empty_, nullptr);
  }
  if (empty) empty();
}

std::size_t session_registry::size() const {
  const std::lock_guard lock{mutex_};
  return sessions_.size();
}

void session_registry::visit(const std::function<void(http_session&)>& visitor) const {
  const std::lock_guard lock{mutex_};
  for (auto& link : sessions_) visitor(static_cast<http_session&>(link));
}

std::vector<std::shared_ptr<http_session>> session_registry::all() const {
  std::vector<std::shared_ptr<http_session>> found;
  visit([&found](http_session& session) {
    // Null while another thread runs the session's destructor, which waits for the registry.
    if (auto alive = session.weak_from_this().lock()) found.push_back(std::move(alive));
  });
  return found;
}

void session_registry::when_empty(std::function<void()> handler) {
  {
    const std::lock_guard lock{mutex_};
    if (!sessions_.empty()) {
      when_empty_ = std::move(handler);
      return;
    }
  }
  handler();
}

http_shared::http_shared(const config::settings& settings, std::shared_ptr<request_service> requests,
                         std::shared_ptr<buffer_pool> memory, node_metrics& counters, const cairn::clock& time)
    : service(std::move(requests)),
      buffers(std::move(memory)),
      metrics(counters),
      clock(time),
      rates(buffers),
      handshake_turns(
          std::make_shared<fair_turns>(2 * socket_threads(settings), std::max(1u, socket_threads(settings) / 2))),
      piece_turns(std::make_shared<fair_turns>(socket_threads(settings), socket_threads(settings))) {
  apply(settings);
}

std::shared_ptr<const tls_context> http_shared::tls() const {
  const std::lock_guard lock{tls_mutex_};
  return tls_;
}

void http_shared::set_tls(std::shared_ptr<const tls_context> fresh) {
  const std::lock_guard lock{tls_mutex_};
  tls_ = std::move(fresh);
}

void http_shared::apply(const config::settings& settings) {
  connections_max = settings.limits.connections;
  header_bytes_max = settings.limits.header_bytes.bytes;
  header_timeout = settings.http.header_timeout;
  idle_timeout = settings.http.idle_timeout;
  transfer_rate_min = settings.limits.transfer_rate_min.bytes;
  transfer_rate_window = settings.limits.transfer_rate_window;
  rates.apply(settings.limits.rates);
}

} // namespace cairn::net
