#include "sim/cluster/sim_network.hpp"

#include <cstring>

namespace cairn::sim {

namespace link = actors::link;

namespace {

constexpr std::size_t control_bytes_max = 1 << 20;
constexpr microseconds notice_max{20'000}; // until its peers notice a dead process

} // namespace

// ── the network ──

microseconds sim_network::draw_delay() {
  auto t =
      microseconds(w_.draw.between(std::uint64_t(plan_.delay_min.count()), std::uint64_t(plan_.delay_max.count())));
  if (w_.draw.chance(plan_.late)) t += microseconds(w_.draw.below(std::uint64_t(plan_.late_max.count()) + 1));
  return t;
}

microseconds sim_network::draw_delay(const uuid& from, const uuid& to) {
  auto t = draw_delay();
  for (const auto& node : {from, to})
    if (const auto at = slow_.find(node); at != slow_.end()) t += at->second;
  return t;
}

sim_peers* sim_network::process_of(const uuid& node) const {
  const auto at = processes_.find(node);
  return at == processes_.end() ? nullptr : at->second;
}

void sim_network::cut(const uuid& a, const uuid& b) {
  cuts_.insert({a, b});
  cuts_.insert({b, a});
}

void sim_network::heal() {
  cuts_.clear();
  deliver_held();
}

void sim_network::deliver_held() {
  for (const auto& [id, process] : processes_) {
    for (const auto& [to, l] : process->links_) {
      for (auto& held : std::exchange(l->held, {}))
        process->travel(l, held.back, link::lane::control, std::move(held.arrive));
    }
  }
}

bool sim_network::is_frozen(const uuid& node) const {
  const auto* process = process_of(node);
  return process && process->host_.frozen();
}

// If the node was silent for too long, its peers have given up their links.
void sim_network::thawed(const uuid& node, steady_time frozen_since) {
  auto* const process = process_of(node);
  if (process && w_.now() - frozen_since >= silence_max)
    for (const auto& [to, l] : std::map{process->links_})
      if (l->up) process->lose(l, "the peer closed the link");
  deliver_held();
}

void sim_network::may_change(std::span<std::byte> payload) {
  if (payload.empty() || plan_.changed == 0 || !w_.draw.chance(plan_.changed)) return;
  payload[w_.draw.below(payload.size())] ^= std::byte(1u << w_.draw.below(8));
  ++changed_;
}

void sim_network::ask(const std::shared_ptr<sim_peers>& from, const uuid& to, std::string request,
                      link::reply_callback reply) {
  w_.after(draw_delay(), [this, from, to, request = std::move(request), reply = std::move(reply)]() mutable {
    auto* process = process_of(to);
    const auto back = [this, from, reply](result<link::answer> a) {
      w_.after(draw_delay(), [from, reply, a = std::move(a)]() mutable {
        if (from->alive_) reply(std::move(a));
      });
    };
    auto stranger = from->as_peer();
    stranger.member = false;
    if (!process || process->host_.frozen() || is_cut(from->self_.node, to) ||
        !process->gate_.admit(stranger, process->cluster_))
      return back(error{errc::connection_lost, "the address does not answer"});
    link::responder respond{back, std::make_shared<std::atomic<bool>>(false)};
    process->service_->on_request(
        {stranger, std::move(request), {}, process->host_.now() + std::chrono::seconds{10}, 0, std::move(respond)});
  });
}

// ── one process ──

sim_peers::sim_peers(sim_network& n, identity self, std::shared_ptr<actors::peer_service> service, machine& host)
    : n_(n), self_(self), service_(std::move(service)), host_(host) {}

template <class F>
void sim_peers::later(microseconds delay, const link_ptr& l, F what) {
  n_.w_.after(delay, [weak = weak_from_this(), l, life = l->life, what] {
    const auto me = weak.lock();
    if (!me || !me->alive_) return;
    me->host_.when_awake([weak, l, life, what] {
      const auto it = weak.lock();
      if (it && it->alive_ && l->life == life) what(*it);
    });
  });
}

void sim_peers::begin() {
  n_.processes_[self_.node] = this;
}

link::peer sim_peers::as_peer() const {
  link::peer p;
  p.node = self_.node;
  p.incarnation = self_.incarnation;
  p.feature_level = self_.feature_level;
  p.protocol = link::protocol_newest;
  p.member = true;
  p.certified = true;
  return p;
}

void sim_peers::shut_down(bool at_once) {
  if (!std::exchange(alive_, false)) return;
  if (const auto at = n_.processes_.find(self_.node); at != n_.processes_.end() && at->second == this)
    n_.processes_.erase(at);
  for (const auto& [to, l] : links_) {
    ++l->life;
    for (auto& [number, p] : l->open) p.gone->store(true);
    l->open.clear();
    l->held.clear();
  }
  links_.clear();
  const auto me = self_.node;
  const auto notice = at_once ? microseconds{n_.w_.draw.below(std::uint64_t(notice_max.count()))}
                              : std::chrono::duration_cast<microseconds>(sim_network::silence_max);
  for (const auto& [id, other] : n_.processes_) {
    const auto at = other->links_.find(me);
    if (at == other->links_.end() || !at->second->up) continue;
    other->later(notice, at->second, [l = at->second](sim_peers& process) { process.lose(l, "the peer has ended"); });
  }
}

// ── links ──

void sim_peers::set_members(const std::vector<actors::peer_address>& members) {
  if (!alive_) return;
  gate_.set_members(members);
  std::map<uuid, link_ptr> next;
  for (const auto& m : members) {
    if (m.removed || m.id == self_.node || next.contains(m.id)) continue;
    auto& l = next[m.id];
    const auto known = links_.find(m.id);
    if (known != links_.end()) {
      l = known->second;
      links_.erase(known);
      if (l->up && l->peer_incarnation < m.incarnation) lose(l, "the peer has been restarted");
      continue;
    }
    l = std::make_shared<one_link>();
    l->to = m.id;
  }
  auto old = std::exchange(links_, std::move(next));
  for (const auto& [id, l] : old) lose(l, "the node was removed");
  for (const auto& [id, l] : links_)
    if (!l->up && !l->dialling) dial(l);
  // A node that is no member any more also loses its links to this node.
  for (const auto& [id, process] : n_.processes_) {
    const auto at = process->links_.find(self_.node);
    if (id == self_.node || at == process->links_.end() || !at->second->up) continue;
    if (!gate_.accept(process->as_peer()))
      process->host_.when_awake([weak = process->weak_from_this(), l = at->second, life = at->second->life] {
        const auto it = weak.lock();
        if (it && it->alive_ && l->life == life) it->lose(l, "the peer closed the link");
      });
  }
}

void sim_peers::lose(const link_ptr& l, const std::string& why) {
  ++l->life;
  l->up = false;
  l->silent = false;
  l->held.clear();
  auto open = std::exchange(l->open, {});
  for (auto& [number, p] : open) {
    p.gone->store(true);
    if (p.reply) refuse(std::move(p.reply), {errc::connection_lost, why});
  }
  if (const auto at = links_.find(l->to); at != links_.end() && at->second == l) dial_later(l);
}

void sim_peers::dial_later(const link_ptr& l) {
  if (!alive_ || std::exchange(l->dialling, true)) return;
  n_.w_.after(l->pause.next(n_.w_.random()), [weak = weak_from_this(), l] {
    const auto me = weak.lock();
    if (!me || !me->alive_) return;
    l->dialling = false;
    me->host_.when_awake([weak, l] {
      if (const auto it = weak.lock()) it->dial(l);
    });
  });
}

void sim_peers::dial(const link_ptr& l) {
  const auto at = links_.find(l->to);
  if (!alive_ || l->up || at == links_.end() || at->second != l) return;
  l->dialling = true;
  n_.w_.after(n_.draw_delay(self_.node, l->to) * 3, [weak = weak_from_this(), l] {
    const auto me = weak.lock();
    if (!me || !me->alive_) return;
    l->dialling = false;
    if (l->up) return; // another dial was quicker
    auto* const peer = me->n_.process_of(l->to);
    const bool reached = peer && peer->cluster_ != uuid{} && !me->n_.is_cut(me->self_.node, l->to) &&
                         !peer->host_.frozen() && !me->host_.frozen();
    const auto admitted = reached ? peer->admit(*me) : error{errc::connection_lost, "not reached"};
    if (!admitted && admitted.error() == errc::precondition_failed) l->refusal = admitted.error().text;
    if (!admitted || !me->gate_.accept(peer->as_peer())) return me->dial_later(l);
    l->up = true;
    l->refusal.reset();
    ++l->life;
    l->peer_incarnation = peer->self_.incarnation;
    l->pause.succeeded();
    const auto back = peer->links_.find(me->self_.node);
    if (back != peer->links_.end() && !back->second->up) peer->dial(back->second); // without a redial pause
  });
}

bool sim_peers::up(const uuid& node) const {
  const auto at = links_.find(node);
  return at != links_.end() && at->second->up;
}

std::optional<std::string> sim_peers::refusal() const {
  for (const auto& [node, l] : links_)
    if (!l->up && l->refusal) return l->refusal;
  return std::nullopt;
}

// ── messages ──

void sim_peers::refuse(link::reply_callback reply, error why) {
  n_.w_.after(microseconds{1}, [weak = weak_from_this(), reply = std::move(reply), why = std::move(why)] {
    const auto me = weak.lock();
    if (!me || !me->alive_) return;
    me->host_.when_awake([weak, reply, why] {
      const auto it = weak.lock();
      if (it && it->alive_) reply(why);
    });
  });
}

link::request_number sim_peers::send(const uuid& to, std::string request, pending p, steady_time deadline,
                                     link::lane lane) {
  if (!alive_) return 0;
  const auto at = links_.find(to);
  if (at == links_.end() || !at->second->up) {
    refuse(std::move(p.reply), {errc::connection_lost, "no link to the node"});
    return 0;
  }
  const auto left = deadline - host_.now();
  if (request.size() > control_bytes_max) return refuse(std::move(p.reply), {errc::too_large, "a large request"}), 0;
  if (left.count() <= 0) return refuse(std::move(p.reply), {errc::timeout, "the deadline has passed"}), 0;
  const auto& l = at->second;
  if (n_.w_.draw.chance(n_.plan_.breaks)) {
    const bool delivered = n_.w_.draw.chance(0.5); // the message arrives, its reply does not
    if (!delivered) {
      refuse(std::move(p.reply), {errc::connection_lost, "the connection broke"});
      lose(l, "the connection broke");
      return 0;
    }
    later(n_.draw_delay() * 2, l, [l](sim_peers& me) { me.lose(l, "the connection broke"); });
  }
  const auto n = next_++;
  p.gone = std::make_shared<std::atomic<bool>>(false);
  l->open.emplace(n, std::move(p));
  if (n_.plan_.doubled > 0 && lane == link::lane::control && n_.w_.draw.chance(n_.plan_.doubled))
    later(n_.draw_delay() * 4, l, [l, request, left](sim_peers& me) {
      if (me.passes(l, false)) me.deliver_again(l, request, left);
    });
  travel(l, false, lane,
         [this, l, n, request = std::move(request), lane, left] { deliver(l, n, request, lane, left); });
  later(std::chrono::duration_cast<microseconds>(left), l, [l, n](sim_peers& me) { me.overdue(l, n); });
  return n;
}

void sim_peers::travel(const link_ptr& l, bool back, link::lane lane, std::function<void()> arrive) {
  auto at = n_.w_.now() + n_.draw_delay(self_.node, l->to);
  if (lane == link::lane::control) {
    auto& last = back ? l->last_small_in : l->last_small_out;
    at = last = std::max(at, last + std::chrono::nanoseconds{1000});
  }
  n_.w_.after(std::chrono::ceil<microseconds>(at - n_.w_.now()),
              [weak = weak_from_this(), l, back, life = l->life, arrive = std::move(arrive)] {
                const auto me = weak.lock();
                if (me && me->alive_ && l->life == life) me->arrived(l, back, arrive);
              });
}

void sim_peers::arrived(const link_ptr& l, bool back, const std::function<void()>& arrive) {
  if (passes(l, back)) return arrive();
  hold(l, back, arrive);
}

void sim_peers::hold(const link_ptr& l, bool back, std::function<void()> arrive) {
  l->held.push_back({back, std::move(arrive)});
  if (std::exchange(l->silent, true)) return;
  later(sim_network::silence_max, l, [l](sim_peers& me) {
    l->silent = false;
    if (me.n_.is_cut(me.self_.node, l->to) || me.n_.is_frozen(l->to)) me.lose(l, "the peer is silent");
  });
}

void sim_peers::deliver(const link_ptr& l, link::request_number n, std::string request, link::lane lane,
                        std::chrono::nanoseconds left) {
  auto* const peer = n_.process_of(l->to);
  const auto open = l->open.find(n);
  if (!peer || peer->self_.incarnation != l->peer_incarnation || open == l->open.end()) return; // the link will be lost
  auto& p = open->second;
  slice payload;
  if (p.payload.owner) {
    auto into = peer->service_->acquire(as_peer(), request, p.payload.length);
    if (!into) return answered(l, n, lane, error{errc::busy, "no buffer for the payload"});
    std::memcpy(into->data(), p.payload.view().data(), p.payload.length);
    n_.may_change({into->data(), p.payload.length});
    payload = {std::move(into), 0, p.payload.length};
  }
  link::responder respond{[weak = weak_from_this(), l, n, lane, life = l->life](result<link::answer>&& a) {
                            const auto me = weak.lock();
                            if (me && me->alive_ && l->life == life) me->answered(l, n, lane, std::move(a));
                          },
                          p.gone};
  const auto reply_max = p.into.owner ? p.into.length : 0;
  peer->service_->on_request({as_peer(), std::move(request), std::move(payload), peer->host_.now() + left,
                              std::uint32_t(reply_max), std::move(respond)});
}

void sim_peers::deliver_again(const link_ptr& l, std::string request, std::chrono::nanoseconds left) {
  auto* const peer = n_.process_of(l->to);
  if (!peer || peer->self_.incarnation != l->peer_incarnation) return;
  link::responder respond{[](result<link::answer>&&) {}, std::make_shared<std::atomic<bool>>(false)};
  peer->service_->on_request({as_peer(), std::move(request), {}, peer->host_.now() + left, 0, std::move(respond)});
}

void sim_peers::answered(const link_ptr& l, link::request_number n, link::lane lane, result<link::answer> a) {
  auto* const peer = n_.process_of(l->to);
  if (!peer || peer->self_.incarnation != l->peer_incarnation) return; // the peer ended before it could reply
  std::string payload; // bytes in transit do not occupy the peer's buffer
  if (a && a->payload.owner) {
    const auto bytes = a->payload.view();
    payload.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    a->payload = {};
  }
  travel(l, true, lane, [this, l, n, a = std::move(a), payload = std::move(payload)] { finish(l, n, a, payload); });
}

void sim_peers::finish(const link_ptr& l, link::request_number n, result<link::answer> a, std::string_view bytes) {
  auto node = l->open.extract(n);
  if (node.empty()) return;
  auto& p = node.mapped();
  p.gone->store(true);
  if (!bytes.empty()) {
    if (p.into.owner && bytes.size() <= p.into.length) {
      std::memcpy(p.into.owner->data() + p.into.offset, bytes.data(), bytes.size());
      n_.may_change({p.into.owner->data() + p.into.offset, bytes.size()});
      a->payload = {p.into.owner, p.into.offset, std::uint32_t(bytes.size())};
    } else {
      a = error{errc::too_large, "the payload exceeds the buffer"};
    }
  }
  if (p.reply) p.reply(std::move(a));
}

// The entry keeps the buffer until the reply arrives or the link is lost.
void sim_peers::overdue(const link_ptr& l, link::request_number n) {
  const auto at = l->open.find(n);
  if (at == l->open.end() || !at->second.reply) return;
  std::exchange(at->second.reply, nullptr)(error{errc::timeout, "no answer in time"});
}

void sim_peers::cancel(const uuid& to, link::request_number n) {
  const auto at = links_.find(to);
  if (at == links_.end()) return;
  const auto open = at->second->open.find(n);
  if (open == at->second->open.end() || !open->second.reply) return;
  open->second.gone->store(true);
  refuse(std::exchange(open->second.reply, nullptr), {errc::cancelled, "cancelled"});
}

link::request_number sim_peers::call(const uuid& to, std::string request, steady_time deadline,
                                     link::reply_callback reply) {
  return send(to, std::move(request), {std::move(reply), {}, {}, {}}, deadline, link::lane::control);
}

link::request_number sim_peers::call_bulk(const uuid& to, std::string request, slice into, steady_time deadline,
                                          link::reply_callback reply) {
  return send(to, std::move(request), {std::move(reply), {}, std::move(into), {}}, deadline, link::lane::bulk);
}

link::request_number sim_peers::send_bulk(const uuid& to, std::string request, slice payload, steady_time deadline,
                                          link::reply_callback reply) {
  return send(to, std::move(request), {std::move(reply), std::move(payload), {}, {}}, deadline, link::lane::bulk);
}

} // namespace cairn::sim
