#include "actors/link/peer_link.hpp"

#include "actors/link/redial_pause.hpp"
#include "base/log.hpp"
#include "base/third_party/asio.hpp"

namespace cairn::actors::link {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto steady_after = std::chrono::seconds{5}; // after this time up, the redial pause is reset

void call_all(std::vector<request_table::finished>& all) {
  for (auto& f : all) f();
}

} // namespace

// A generation is one attempt to establish the link: its connections are opened and closed together. Events of an
// earlier generation are ignored.
class peer_link::state : public std::enable_shared_from_this<state> {
public:
  state(const peer_link_settings& settings, link_services services, observer changed)
      : settings_(settings),
        services_(std::move(services)),
        changed_(std::move(changed)),
        control_(asio::make_strand(*services_.contexts.front())),
        redial_(control_),
        tick_(control_),
        table_(settings.requests_max) {}

  void start();
  void stop(const error& why);
  void reconnect_now();
  request_number submit(outgoing_request r);
  void cancel(request_number n);
  bool up() const {
    const std::lock_guard lock{mutex_};
    return up_;
  }
  link_status status() const;
  bool stopped() const {
    const std::lock_guard lock{mutex_};
    return stopped_;
  }

  // From the connections.
  void opened(std::uint64_t generation, std::size_t index, const hello& theirs, const peer& other);
  result<slice> place(std::uint64_t generation, const frame_header& header);
  result<void> arrived(std::uint64_t generation, const frame_header& header, std::string meta);
  void lost(std::uint64_t generation, const error& why);

private:
  using timer =
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, link_strand>;

  void begin();
  void dial_one(std::uint64_t generation, std::size_t index, hello_rules rules);
  void dialled(std::uint64_t generation, std::size_t index, const hello_rules& rules, result<link_socket> socket);
  void mark_up();
  void wait_to_dial(std::chrono::milliseconds pause);
  void schedule_tick(std::uint64_t generation);
  void on_tick(std::uint64_t generation);
  void send_some(std::vector<request_table::finished>& failed);
  void send_cancels(std::vector<request_table::to_send>& cancels);
  void answer_later(reply_callback reply, error why);
  void answer_later(std::vector<request_table::finished> answers);

  const peer_link_settings settings_;
  const link_services services_;
  const observer changed_;
  const link_strand control_;
  timer redial_, tick_;  // on control_
  bool pausing_ = false; // on control_: redial_ runs

  mutable std::mutex mutex_; // the rest
  request_table table_;
  std::vector<std::shared_ptr<connection>> connections_; // 0: control
  std::size_t opened_ = 0;
  std::uint64_t generation_ = 0, link_number_ = 0, credit_bytes_ = 0, times_lost_ = 0;
  std::chrono::milliseconds up_for_{0};
  redial_pause pause_;
  peer other_;
  std::string fault_ = "not dialled yet";
  errc fault_code_ = errc::connection_lost;
  bool up_ = false, started_ = false, stopped_ = false;
};

namespace {

template <class State>
class lane_user final : public connection_user {
public:
  lane_user(std::weak_ptr<State> link, std::uint64_t generation, std::size_t index, const hello_rules& rules,
            std::function<result<void>(const peer&)> admit)
      : link_(std::move(link)), generation_(generation), index_(index), rules_(rules), admit_(std::move(admit)) {}

  hello_rules rules() override { return rules_; }
  result<void> admit(const peer& other) override { return admit_ ? admit_(other) : result<void>{}; }
  void on_open(connection& c, const hello& theirs) override {
    if (const auto l = link_.lock())
      l->opened(generation_, index_, theirs, c.other());
    else
      c.close({errc::stopping, "the link is not needed any more"});
  }
  result<slice> place(const frame_header& header, const std::string&) override {
    if (const auto l = link_.lock()) return l->place(generation_, header);
    return error{errc::stopping, "the link is not needed any more"};
  }
  result<void> on_frame(const frame_header& header, std::string meta) override {
    if (const auto l = link_.lock()) return l->arrived(generation_, header, std::move(meta));
    return error{errc::stopping, "the link is not needed any more"};
  }
  void on_closed(const error& why) override {
    if (const auto l = link_.lock()) l->lost(generation_, why);
  }

private:
  const std::weak_ptr<State> link_;
  const std::uint64_t generation_;
  const std::size_t index_;
  const hello_rules rules_;
  const std::function<result<void>(const peer&)> admit_;
};

} // namespace

// ---- dialling -------------------------------------------------------------------------------------------------------

void peer_link::state::start() {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(started_, true)) return;
  }
  asio::post(control_, [self = shared_from_this()] { self->begin(); });
}

void peer_link::state::begin() {
  hello_rules rules;
  rules.own = services_.own();
  rules.own.lane = lane::control;
  rules.expected = settings_.node;
  std::uint64_t generation = 0;
  {
    const std::lock_guard lock{mutex_};
    if (stopped_) return;
    generation = ++generation_;
    connections_.assign(1 + std::max(1u, settings_.bulk_connections), nullptr);
    opened_ = 0;
    rules.own.link = link_number_ = services_.random.next();
  }
  dial_one(generation, 0, std::move(rules));
}

void peer_link::state::dial_one(std::uint64_t generation, std::size_t index, hello_rules rules) {
  auto& context = *services_.contexts[(generation + index) % services_.contexts.size()];
  const dial_target target{settings_.host, settings_.port, services_.tls || settings_.insecure,
                           settings_.connection.handshake_max};
  dial(asio::make_strand(context), target,
       [weak = weak_from_this(), generation, index, rules = std::move(rules)](result<link_socket> socket) {
         if (const auto self = weak.lock()) self->dialled(generation, index, rules, std::move(socket));
       });
}

void peer_link::state::dialled(std::uint64_t generation, std::size_t index, const hello_rules& rules,
                               result<link_socket> socket) {
  if (!socket) return lost(generation, socket.error());
  auto stream = services_.tls ? services_.tls->stream(std::move(*socket)) : plain_stream(std::move(*socket));
  const auto user = std::make_shared<lane_user<state>>(weak_from_this(), generation, index, rules, services_.admit);
  const auto c = std::make_shared<connection>(std::move(stream), role::dialer, settings_.connection, user);
  {
    const std::lock_guard lock{mutex_};
    if (generation != generation_) return;
    connections_[index] = c;
  }
  c->start();
}

void peer_link::state::opened(std::uint64_t generation, std::size_t index, const hello& theirs, const peer& other) {
  hello_rules rules;
  std::size_t bulk = 0;
  {
    const std::lock_guard lock{mutex_};
    if (generation != generation_) return;
    if (++opened_ == connections_.size()) return mark_up();
    if (index != 0) return;
    other_ = other;
    credit_bytes_ = theirs.credit_bytes;
    bulk = connections_.size() - 1;
    rules.own.link = link_number_;
  }
  const auto link = rules.own.link;
  rules.own = services_.own();
  rules.own.link = link;
  rules.own.lane = lane::bulk;
  rules.expected = other.node;
  for (std::size_t i = 1; i <= bulk; ++i) dial_one(generation, i, rules);
}

// Locked.
void peer_link::state::mark_up() {
  up_ = true;
  up_for_ = std::chrono::milliseconds{0};
  table_.link_up(credit_bytes_, connections_.size() - 1);
  asio::post(control_, [self = shared_from_this(), generation = generation_, other = other_] {
    self->schedule_tick(generation);
    log::info("link up", {{"node", cairn::to_string(other.node)}, {"host", self->settings_.host}});
    if (self->changed_) self->changed_(other, std::nullopt);
  });
}

void peer_link::state::lost(std::uint64_t generation, const error& why) {
  std::vector<request_table::finished> answers;
  std::vector<std::shared_ptr<connection>> connections;
  const auto peer_name = to_string(dial_target{settings_.host, settings_.port});
  const error reported{why.code == errc::stopping ? errc::stopping : errc::connection_lost,
                       "the link to " + peer_name + " is down: " + why.text};
  {
    const std::lock_guard lock{mutex_};
    if (generation != generation_) return;
    ++generation_;
    answers = table_.link_lost(reported);
    connections.swap(connections_);
    // A refusal, which needs the operator, is logged once and not with every attempt.
    const bool refused = is_refusal(why.code);
    const bool is_new = refused && fault_ != why.text;
    fault_ = why.text;
    fault_code_ = why.code;
    const bool was_up = std::exchange(up_, false);
    if (was_up) ++times_lost_;
    const auto pause = pause_.next(services_.random);
    asio::post(control_, [self = shared_from_this(), was_up, is_new, pause, why, other = other_] {
      log::write(was_up || is_new ? log::level::warn : log::level::debug, was_up ? "link lost" : "link not established",
                 {{"node", cairn::to_string(self->settings_.node.value_or(other.node))},
                  {"host", self->settings_.host},
                  {"reason", to_string(why)}});
      if ((was_up || self->settings_.once) && self->changed_) self->changed_(other, why);
      self->tick_.cancel();
      if (!self->settings_.once && !self->stopped()) self->wait_to_dial(pause);
    });
  }
  for (const auto& c : connections)
    if (c) c->close(why);
  call_all(answers);
}

// On control_.
void peer_link::state::wait_to_dial(std::chrono::milliseconds pause) {
  pausing_ = true;
  redial_.expires_after(pause);
  redial_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled && std::exchange(self->pausing_, false)) self->begin();
  });
}

void peer_link::state::reconnect_now() {
  asio::post(control_, [self = shared_from_this()] {
    if (!std::exchange(self->pausing_, false)) return;
    self->redial_.cancel();
    self->begin();
  });
}

void peer_link::state::stop(const error& why) {
  std::uint64_t generation = 0;
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(stopped_, true)) return;
    generation = generation_;
  }
  asio::post(control_, [self = shared_from_this(), generation, why] {
    self->lost(generation, why);
    asio::post(self->control_, [self] {
      self->pausing_ = false;
      self->redial_.cancel();
    });
  });
}

// ---- requests -------------------------------------------------------------------------------------------------------

request_number peer_link::state::submit(outgoing_request r) {
  std::vector<request_table::finished> failed;
  error refused;
  request_number n = 0;
  {
    const std::lock_guard lock{mutex_};
    if (stopped_) {
      refused = {errc::stopping, "this node stops"};
    } else if (!up_) {
      refused = {errc::connection_lost, "the link to " + settings_.host + " is down: " + fault_};
    } else if (const auto added = table_.add(r, services_.clock.now()); added) {
      n = *added;
      send_some(failed);
    } else {
      refused = added.error();
    }
  }
  if (n == 0) answer_later(std::move(r.reply), std::move(refused));
  answer_later(std::move(failed));
  return n;
}

// Locked.
void peer_link::state::send_some(std::vector<request_table::finished>& failed) {
  for (auto& s : table_.take_sendable(services_.clock.now())) {
    if (connections_[s.connection]->send(std::move(s.what))) continue;
    if (auto f = table_.not_sent(s.number, {errc::busy, "too many unsent bytes to the peer"}))
      failed.push_back(std::move(*f));
  }
}

// Locked. A cancel that does not fit into the queue does no harm: the peer answers the request anyway.
void peer_link::state::send_cancels(std::vector<request_table::to_send>& cancels) {
  for (auto& s : cancels) connections_[s.connection]->send(std::move(s.what));
}

void peer_link::state::answer_later(reply_callback reply, error why) {
  asio::post(control_, [reply = std::move(reply), why = std::move(why)] { reply(why); });
}

void peer_link::state::answer_later(std::vector<request_table::finished> answers) {
  if (answers.empty()) return;
  asio::post(control_, [answers = std::move(answers)]() mutable { call_all(answers); });
}

void peer_link::state::cancel(request_number n) {
  request_table::expired over;
  {
    const std::lock_guard lock{mutex_};
    if (!up_) return;
    over = table_.cancel(n);
    send_cancels(over.cancels);
  }
  answer_later(std::move(over.answers));
}

result<slice> peer_link::state::place(std::uint64_t generation, const frame_header& header) {
  const std::lock_guard lock{mutex_};
  if (generation != generation_ || !up_) return error{errc::connection_lost, "the link is down"};
  return table_.place(header);
}

result<void> peer_link::state::arrived(std::uint64_t generation, const frame_header& header, std::string meta) {
  std::optional<request_table::finished> over;
  std::vector<request_table::finished> failed;
  {
    const std::lock_guard lock{mutex_};
    if (generation != generation_ || !up_) return error{errc::connection_lost, "the link is down"};
    auto taken = table_.arrived(header, std::move(meta));
    if (!taken) return taken.error();
    over = std::move(*taken);
    if (table_.waiting_for_credit() > 0) send_some(failed);
  }
  if (over) (*over)();
  answer_later(std::move(failed));
  return {};
}

void peer_link::state::schedule_tick(std::uint64_t generation) {
  tick_.expires_after(settings_.tick);
  tick_.async_wait([self = shared_from_this(), generation](error_code cancelled) {
    if (!cancelled) self->on_tick(generation);
  });
}

void peer_link::state::on_tick(std::uint64_t generation) {
  request_table::expired over;
  {
    const std::lock_guard lock{mutex_};
    if (generation != generation_ || !up_) return;
    over = table_.expire(services_.clock.now());
    send_cancels(over.cancels);
    up_for_ += settings_.tick;
    if (up_for_ >= steady_after) pause_.succeeded();
  }
  call_all(over.answers);
  schedule_tick(generation);
}

link_status peer_link::state::status() const {
  const std::lock_guard lock{mutex_};
  link_status s;
  s.up = up_;
  s.other = other_;
  s.fault = fault_;
  s.fault_code = fault_code_;
  s.in_flight = table_.in_flight();
  s.waiting_for_credit = table_.waiting_for_credit();
  s.outstanding_bytes = table_.outstanding_bytes();
  s.times_lost = times_lost_;
  return s;
}

// ---- the handle -----------------------------------------------------------------------------------------------------

peer_link::peer_link(const peer_link_settings& settings, link_services services, observer changed)
    : state_(std::make_shared<state>(settings, std::move(services), std::move(changed))) {}

peer_link::~peer_link() {
  stop();
}

void peer_link::start() {
  state_->start();
}

void peer_link::stop(const error& why) {
  state_->stop(why);
}

void peer_link::reconnect_now() {
  state_->reconnect_now();
}

request_number peer_link::call(std::string request, steady_time deadline, reply_callback reply) {
  return state_->submit({lane::control, std::move(request), {}, {}, deadline, std::move(reply)});
}

request_number peer_link::call_bulk(std::string request, slice into, steady_time deadline, reply_callback reply) {
  return state_->submit({lane::bulk, std::move(request), {}, std::move(into), deadline, std::move(reply)});
}

request_number peer_link::send_bulk(std::string request, slice payload, steady_time deadline, reply_callback reply) {
  return state_->submit({lane::bulk, std::move(request), std::move(payload), {}, deadline, std::move(reply)});
}

void peer_link::cancel(request_number n) {
  state_->cancel(n);
}

bool peer_link::up() const {
  return state_->up();
}

link_status peer_link::status() const {
  return state_->status();
}

} // namespace cairn::actors::link
