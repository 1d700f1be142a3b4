#include "actors/link/link_registry.hpp"

#include "base/files/node_identity.hpp"

#include <algorithm>

namespace cairn::actors::link {

namespace {

void close_all(const std::vector<std::shared_ptr<connection>>& connections, const char* why) {
  for (const auto& c : connections) c->close({errc::connection_lost, why});
}

} // namespace

std::optional<link_registry::ticket> link_registry::arrived(std::weak_ptr<connection> c) {
  std::shared_ptr<connection> evicted;
  ticket t = 0;
  {
    const std::lock_guard lock{mutex_};
    if (members_.size() >= limits_.connections_max) return std::nullopt;
    if (strangers_.size() >= limits_.strangers_max) {
      const auto oldest = members_.find(strangers_.front());
      strangers_.pop_front();
      if (oldest != members_.end()) evicted = oldest->second.c.lock();
    }
    t = next_++;
    members_.emplace(t, member{std::move(c), std::nullopt, nullptr});
    strangers_.push_back(t);
  }
  if (evicted) evicted->close({errc::busy, "closed for a newer connection before its hello"});
  return t;
}

result<std::shared_ptr<peer_credit>> link_registry::known(ticket t, const peer& who) {
  std::vector<std::shared_ptr<connection>> replaced;
  std::shared_ptr<peer_credit> credit;
  {
    const std::lock_guard lock{mutex_};
    const auto self = members_.find(t);
    if (self == members_.end()) return error{errc::cancelled, "the connection has closed"};
    std::uint32_t of_node = 0;
    bool link_there = false;
    for (const auto& [other, m] : members_) {
      if (!m.who || m.who->node != who.node) continue;
      ++of_node;
      if (m.who->link != who.link) continue;
      link_there = link_there || m.who->lane == lane::control;
      credit = m.credit;
    }
    if (of_node >= limits_.connections_per_node_max)
      return error{errc::busy, "node " + cairn::to_string(who.node) + " has reached its limit of connections"};
    if (who.lane == lane::control && link_there)
      return error{errc::invalid_argument, "a second control connection of one link"};
    if (who.lane == lane::bulk && !link_there)
      return error{errc::invalid_argument, "a bulk connection without its control connection"};
    if (!credit) credit = std::make_shared<peer_credit>(limits_.credit_bytes);
    self->second.who = who;
    self->second.credit = credit;
    strangers_.remove(t);
    if (who.lane == lane::control) replaced = of_link(who.node, who.link, true);
  }
  close_all(replaced, "the node has opened a newer link");
  return credit;
}

void link_registry::gone(ticket t) {
  std::vector<std::shared_ptr<connection>> orphans;
  {
    const std::lock_guard lock{mutex_};
    const auto self = members_.find(t);
    if (self == members_.end()) return;
    const auto who = self->second.who;
    members_.erase(self);
    strangers_.remove(t);
    if (who && who->lane == lane::control) orphans = of_link(who->node, who->link, false);
  }
  close_all(orphans, "the link's control connection was lost");
}

std::vector<std::shared_ptr<connection>> link_registry::of_link(const uuid& node, std::uint64_t link,
                                                                bool others) const {
  std::vector<std::shared_ptr<connection>> found;
  for (const auto& [t, m] : members_) {
    if (!m.who || m.who->node != node || (m.who->link != link) != others) continue;
    if (auto alive = m.c.lock()) found.push_back(std::move(alive));
  }
  return found;
}

std::vector<std::shared_ptr<connection>> link_registry::all() const {
  std::vector<std::shared_ptr<connection>> found;
  const std::lock_guard lock{mutex_};
  for (const auto& [t, m] : members_)
    if (auto alive = m.c.lock()) found.push_back(std::move(alive));
  return found;
}

std::vector<std::shared_ptr<connection>> link_registry::of_node(const uuid& node,
                                                                std::optional<std::uint64_t> before_incarnation) const {
  std::vector<std::shared_ptr<connection>> found;
  const std::lock_guard lock{mutex_};
  for (const auto& [t, m] : members_) {
    if (!m.who || m.who->node != node) continue;
    if (before_incarnation && !is_later_start(*before_incarnation, m.who->incarnation)) continue;
    if (auto alive = m.c.lock()) found.push_back(std::move(alive));
  }
  return found;
}

std::size_t link_registry::size() const {
  const std::lock_guard lock{mutex_};
  return members_.size();
}

} // namespace cairn::actors::link
