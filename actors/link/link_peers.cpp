#include "actors/link/link_peers.hpp"

#include "actors/link/membership_gate.hpp"
#include "base/files/node_identity.hpp"
#include "base/log.hpp"
#include "base/third_party/asio.hpp"

#include <algorithm>
#include <map>

namespace cairn::actors {

namespace asio = boost::asio;

namespace {

// A request number contains the number of its link above these bits, so that a number of a replaced link means nothing
// to the link that replaced it.
constexpr unsigned link_bits = 48;

link::request_number numbered(std::uint64_t link, link::request_number n) {
  return n == 0 ? 0 : (link << link_bits) | n;
}

} // namespace

class link_peers::state : public std::enable_shared_from_this<state> {
public:
  state(const link_peers_settings& settings, link_peers_services services)
      : settings_(settings), services_(std::move(services)) {}

  void make_server(const std::shared_ptr<state>& self) {
    link::link_server_settings s;
    s.listen = settings_.listen;
    s.insecure = settings_.insecure;
    s.connection = settings_.connection;
    s.limits = settings_.limits;
    const std::weak_ptr<state> weak = self;
    server_ = std::make_unique<link::link_server>(
        services_.contexts, s, services_.tls, [own = services_.own] { return own->get(); },
        [weak](const link::peer& other) {
          if (const auto alive = weak.lock()) return alive->admit(other);
          return result<void>{error{errc::stopping, "this node stops"}};
        },
        services_.service, services_.clock);
  }
  link::link_server& server() const { return *server_; }

  void set_members(const std::vector<peer_address>& members);
  void stop();
  void ask_member(const config::host_port& address, std::string request, std::chrono::milliseconds timeout,
                  link::reply_callback reply);
  std::vector<member_link> links() const;

  struct numbered_link {
    std::shared_ptr<link::peer_link> link; // null: no link
    std::uint64_t number = 0;
  };
  numbered_link link_to(const uuid& node) const {
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(node);
    return found == entries_.end() ? numbered_link{} : numbered_link{found->second.link, found->second.number};
  }
  link::request_number refuse(const uuid& node, link::reply_callback reply) const {
    asio::post(*services_.contexts.front(), [reply = std::move(reply), node] {
      reply(error{errc::connection_lost, "node " + cairn::to_string(node) + " is not a member of the cluster"});
    });
    return 0;
  }

private:
  struct entry {
    peer_address member;
    std::shared_ptr<link::peer_link> link; // null: its address is invalid
    std::uint64_t number = 0;
  };

  result<void> admit(const link::peer& other);
  entry make_entry(const peer_address& member);
  bool outdated(const entry& e, const peer_address& member) const;
  link::peer_link_settings link_settings(std::string host, std::uint16_t port) const;

  const link_peers_settings settings_;
  const link_peers_services services_;
  std::unique_ptr<link::link_server> server_;

  mutable std::mutex mutex_; // the rest
  membership_gate gate_;
  std::map<uuid, entry> entries_;
  std::uint64_t next_number_ = 1;
  bool stopped_ = false;
};

result<void> link_peers::state::admit(const link::peer& other) {
  const auto own_cluster = services_.own->get().cluster;
  std::shared_ptr<link::peer_link> back;
  {
    const std::lock_guard lock{mutex_};
    if (auto admitted = gate_.admit(other, own_cluster); !admitted) return admitted;
    const auto found = entries_.find(other.node);
    if (found != entries_.end() && other.lane == link::lane::control) back = found->second.link;
  }
  if (back) back->reconnect_now(); // the peer is up, so the link to it need not wait for its redial pause
  return {};
}

link::peer_link_settings link_peers::state::link_settings(std::string host, std::uint16_t port) const {
  link::peer_link_settings s;
  s.host = std::move(host);
  s.port = port;
  s.bulk_connections = settings_.bulk_connections;
  s.insecure = settings_.insecure;
  s.connection = settings_.connection;
  return s;
}

// Locked.
link_peers::state::entry link_peers::state::make_entry(const peer_address& member) {
  entry e{member, nullptr, next_number_++};
  auto where = config::parse_host_port(member.address);
  if (!where) {
    log::error("a member's address is invalid", {{"node", cairn::to_string(member.id)}, {"address", member.address}});
    return e;
  }
  auto s = link_settings(std::move(where->host), where->port);
  s.node = member.id;
  const auto weak = weak_from_this();
  link::link_services services{services_.contexts,
                               services_.tls,
                               [own = services_.own] { return own->get(); },
                               [weak](const link::peer& other) {
                                 const auto alive = weak.lock();
                                 if (!alive) return result<void>{error{errc::stopping, "this node stops"}};
                                 const std::lock_guard lock{alive->mutex_};
                                 return alive->gate_.accept(other);
                               },
                               services_.clock,
                               services_.random};
  link::peer_link::observer observer;
  if (services_.changed)
    observer = [changed = services_.changed, node = member.id](const link::peer&, const std::optional<error>& down) {
      changed(node, !down);
    };
  e.link = std::make_shared<link::peer_link>(s, std::move(services), std::move(observer));
  return e;
}

// Whether the link must be replaced: the member has a new address, or the node at the other end has restarted since.
bool link_peers::state::outdated(const entry& e, const peer_address& member) const {
  if (e.member.address != member.address) return true;
  if (!e.link || e.member.incarnation == member.incarnation) return false;
  const auto s = e.link->status();
  return s.up && is_later_start(member.incarnation, s.other.incarnation);
}

void link_peers::state::set_members(const std::vector<peer_address>& members) {
  const auto own = services_.own->get().node;
  std::vector<std::shared_ptr<link::peer_link>> fresh, old;
  std::vector<uuid> gone;
  std::vector<peer_address> newer;
  {
    const std::lock_guard lock{mutex_};
    if (stopped_) return;
    gate_.set_members(members);
    std::map<uuid, entry> next;
    for (const auto& m : members) {
      if (m.removed || m.id == own || next.contains(m.id)) continue;
      const auto found = entries_.find(m.id);
      if (found != entries_.end() && is_later_start(m.incarnation, found->second.member.incarnation))
        newer.push_back(m);
      if (found != entries_.end() && !outdated(found->second, m)) {
        found->second.member = m;
        next.insert(entries_.extract(found));
        continue;
      }
      const auto& made = next.emplace(m.id, make_entry(m)).first->second;
      if (made.link) fresh.push_back(made.link);
    }
    for (const auto& [id, e] : entries_) {
      if (e.link) old.push_back(e.link);
      if (!next.contains(id)) gone.push_back(id);
    }
    entries_.swap(next);
  }
  for (const auto& l : old) l->stop({errc::connection_lost, "the node was removed, or has a new address"});
  for (const auto& id : gone) server_->disconnect(id);
  for (const auto& m : newer) server_->disconnect(m.id, m.incarnation);
  for (const auto& l : fresh) l->start();
}

void link_peers::state::stop() {
  std::map<uuid, entry> all;
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(stopped_, true)) return;
    for (const auto& [id, e] : entries_) all.emplace(id, e);
  }
  server_->stop();
  for (const auto& [id, e] : all)
    if (e.link) e.link->stop();
}

std::vector<member_link> link_peers::state::links() const {
  std::vector<member_link> out;
  const std::lock_guard lock{mutex_};
  for (const auto& [id, e] : entries_) out.push_back({e.member, e.link ? e.link->status() : link::link_status{}});
  return out;
}

// ---- one request to an address --------------------------------------------------------------------------------------

namespace {

// One request over a temporary link. Its timer keeps it alive; the timeout or the link's outcome, whichever comes
// first, answers and ends both. On one strand.
class one_shot_call : public std::enable_shared_from_this<one_shot_call> {
public:
  one_shot_call(asio::io_context& context, std::string request, steady_time deadline, link::reply_callback reply)
      : strand_(asio::make_strand(context)),
        timer_(strand_),
        request_(std::move(request)),
        deadline_(deadline),
        reply_(std::move(reply)) {}

  void start(const link::peer_link_settings& settings, link::link_services services,
             std::chrono::milliseconds timeout) {
    link_ = std::make_unique<link::peer_link>(
        settings, std::move(services), [weak = weak_from_this()](const link::peer&, const std::optional<error>& down) {
          if (const auto self = weak.lock()) self->changed(down);
        });
    timer_.expires_after(timeout);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
      if (!cancelled) self->finish(error{errc::timeout, "no answer in time"});
    });
    link_->start();
  }

private:
  void changed(const std::optional<error>& down) {
    asio::post(strand_, [self = shared_from_this(), down] {
      if (!self->reply_) return;
      if (down) return self->finish(error{errc::connection_lost, down->text});
      self->link_->call(std::move(self->request_), self->deadline_, [weak = self->weak_from_this()](auto a) {
        if (const auto asking = weak.lock())
          asio::post(asking->strand_, [asking, a = std::move(a)]() mutable { asking->finish(std::move(a)); });
      });
    });
  }

  void finish(result<link::answer> a) {
    if (!reply_) return;
    timer_.cancel();
    link_.reset();
    std::exchange(reply_, nullptr)(std::move(a));
  }

  link::link_strand strand_;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, link::link_strand>
      timer_;
  std::string request_;
  const steady_time deadline_;
  link::reply_callback reply_;
  std::unique_ptr<link::peer_link> link_;
};

} // namespace

void link_peers::state::ask_member(const config::host_port& address, std::string request,
                                   std::chrono::milliseconds timeout, link::reply_callback reply) {
  auto s = link_settings(address.host, address.port);
  s.once = true;
  s.bulk_connections = 1;
  link::link_services services{services_.contexts, services_.tls,   [own = services_.own] { return own->get(); }, {},
                               services_.clock,    services_.random};
  std::make_shared<one_shot_call>(*services_.contexts.front(), std::move(request), services_.clock.now() + timeout,
                                  std::move(reply))
      ->start(s, std::move(services), timeout);
}

// ---- the handle -----------------------------------------------------------------------------------------------------

link_peers::link_peers(const link_peers_settings& settings, link_peers_services services)
    : state_(std::make_shared<state>(settings, std::move(services))) {
  state_->make_server(state_);
}

link_peers::~link_peers() {
  stop();
}

result<void> link_peers::listen() {
  return state_->server().listen();
}

config::endpoint link_peers::local_endpoint() const {
  return state_->server().local_endpoint();
}

void link_peers::start() {
  state_->server().start();
}

void link_peers::stop() {
  state_->stop();
}

link::request_number link_peers::call(const uuid& to, std::string request, steady_time deadline,
                                      link::reply_callback reply) {
  const auto l = state_->link_to(to);
  if (!l.link) return state_->refuse(to, std::move(reply));
  return numbered(l.number, l.link->call(std::move(request), deadline, std::move(reply)));
}

link::request_number link_peers::call_bulk(const uuid& to, std::string request, slice into, steady_time deadline,
                                           link::reply_callback reply) {
  const auto l = state_->link_to(to);
  if (!l.link) return state_->refuse(to, std::move(reply));
  return numbered(l.number, l.link->call_bulk(std::move(request), std::move(into), deadline, std::move(reply)));
}

link::request_number link_peers::send_bulk(const uuid& to, std::string request, slice payload, steady_time deadline,
                                           link::reply_callback reply) {
  const auto l = state_->link_to(to);
  if (!l.link) return state_->refuse(to, std::move(reply));
  return numbered(l.number, l.link->send_bulk(std::move(request), std::move(payload), deadline, std::move(reply)));
}

void link_peers::cancel(const uuid& to, link::request_number n) {
  const auto l = state_->link_to(to);
  const auto mask = (std::uint64_t{1} << link_bits) - 1;
  if (l.link && n != 0 && numbered(l.number, n & mask) == n) l.link->cancel(n & mask);
}

bool link_peers::up(const uuid& node) const {
  const auto l = state_->link_to(node);
  return l.link && l.link->up();
}

void link_peers::set_members(const std::vector<peer_address>& members) {
  state_->set_members(members);
}

void link_peers::ask_member(const config::host_port& address, std::string request, std::chrono::milliseconds timeout,
                            link::reply_callback reply) {
  state_->ask_member(address, std::move(request), timeout, std::move(reply));
}

std::vector<member_link> link_peers::links() const {
  return state_->links();
}

} // namespace cairn::actors
