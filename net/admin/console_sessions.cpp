#include "net/admin/console_sessions.hpp"

#include "base/codec.hpp"

#include <algorithm>
#include <span>

namespace cairn::net {

namespace {

sha256_digest hash_of(std::string_view id) {
  return sha256_of(std::as_bytes(std::span{id.data(), id.size()}));
}

} // namespace

std::string console_sessions::random_hex() {
  std::string out;
  for (int word = 0; word < 4; ++word) out += hex_of(random_.next(), 16);
  return out;
}

bool console_sessions::over(const entry& e, steady_time now) const {
  return now - e.used >= session_idle_max || now - e.began >= session_age_max;
}

void console_sessions::make_room(const std::string& key) {
  const auto now = clock_.now();
  std::erase_if(sessions_, [&](const auto& s) { return over(s.second, now); });
  const auto of_key = [&key](const auto& s) { return s.second.session.key == key; };
  const bool key_is_full = std::size_t(std::ranges::count_if(sessions_, of_key)) >= sessions_of_key_max;
  if (!key_is_full && sessions_.size() < sessions_max) return;
  auto oldest = sessions_.end();
  for (auto s = sessions_.begin(); s != sessions_.end(); ++s)
    if ((!key_is_full || of_key(*s)) && (oldest == sessions_.end() || s->second.used < oldest->second.used)) oldest = s;
  sessions_.erase(oldest);
}

console_sessions::begun console_sessions::begin(std::string key, bool is_operator) {
  const std::lock_guard lock{mutex_};
  make_room(key);
  begun out{random_hex(), {random_hex(), std::move(key), is_operator}};
  const auto now = clock_.now();
  sessions_.emplace(hash_of(out.id), entry{out.session, now, now});
  return out;
}

std::optional<console_session> console_sessions::find(std::string_view id) {
  if (id.empty()) return std::nullopt;
  const auto hash = hash_of(id);
  const std::lock_guard lock{mutex_};
  const auto found = sessions_.find(hash);
  if (found == sessions_.end()) return std::nullopt;
  const auto now = clock_.now();
  if (over(found->second, now)) {
    sessions_.erase(found);
    return std::nullopt;
  }
  found->second.used = now;
  return found->second.session;
}

void console_sessions::end(std::string_view id) {
  const auto hash = hash_of(id);
  const std::lock_guard lock{mutex_};
  sessions_.erase(hash);
}

std::size_t console_sessions::count() const {
  const std::lock_guard lock{mutex_};
  return sessions_.size();
}

std::string_view cookie_of(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    auto one = header.substr(0, header.find(';'));
    header.remove_prefix(std::min(header.size(), one.size() + 1));
    one.remove_prefix(std::min(one.size(), one.find_first_not_of(' ')));
    if (one.starts_with(name) && one.size() > name.size() && one[name.size()] == '=')
      return one.substr(name.size() + 1);
  }
  return {};
}

bool is_own_page(std::optional<std::string_view> fetch_site) {
  return !fetch_site || *fetch_site == "same-origin" || *fetch_site == "none";
}

bool is_same_origin(std::optional<std::string_view> origin, std::string_view host, bool encrypted) {
  if (!origin || host.empty()) return false;
  constexpr std::string_view plain = "http://", secure = "https://";
  if (origin->starts_with(secure)) return origin->substr(secure.size()) == host;
  // Without TLS here a proxy in front may speak it; with TLS no page of a plain port is this one's.
  return !encrypted && origin->starts_with(plain) && origin->substr(plain.size()) == host;
}

} // namespace cairn::net
