#include "actors/link/wire/connection.hpp"

#include "base/third_party/asio.hpp"

#include <algorithm>

namespace cairn::actors::link {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

std::string ms_text(std::chrono::milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

error lost(std::string text) {
  return {errc::connection_lost, std::move(text)};
}

} // namespace

connection::connection(std::unique_ptr<byte_stream> stream, role own, const connection_settings& settings,
                       std::shared_ptr<connection_user> user)
    : stream_(std::move(stream)),
      role_(own),
      settings_(settings),
      user_(std::move(user)),
      timer_(stream_->socket().get_executor()),
      queue_(settings.unsent_bytes_max) {
  error_code unknown;
  const auto end = stream_->socket().remote_endpoint(unknown);
  if (!unknown)
    address_ = (end.address().is_v6() ? "[" + end.address().to_string() + "]" : end.address().to_string()) + ":" +
               std::to_string(end.port());
}

void connection::start() {
  asio::post(stream_->socket().get_executor(), [self = shared_from_this()] {
    if (self->phase_ == phase::closed) return;
    error_code ignored; // a socket that refuses these fails its handshake
    self->stream_->socket().set_option(asio::ip::tcp::no_delay{true}, ignored);
    self->arm(self->settings_.handshake_max);
    self->stream_->handshake(self->role_, self);
  });
}

// ---- hello and welcome ----------------------------------------------------------------------------------------------

void connection::on_handshake(const error_code& failed) {
  if (phase_ == phase::closed) return;
  if (failed) return finish(lost("TLS handshake: " + failed.message()));
  auto certified = stream_->certified();
  if (!certified) return finish(certified.error());
  certified_ = *certified;
  phase_ = phase::greeting;
  rules_ = user_->rules();
  if (role_ == role::dialer) {
    lane_ = rules_.own.lane;
    queue_own(frame_kind::hello, encode(rules_.own));
  }
  read();
}

result<void> connection::greet(const hello& theirs) {
  if (role_ == role::acceptor) {
    lane_ = theirs.lane;
    rules_.own.lane = theirs.lane;
    rules_.own.link = theirs.link;
  } else if (theirs.lane != rules_.own.lane || theirs.link != rules_.own.link) {
    return error{errc::corrupt, "a welcome to another connection"};
  }
  auto other = judge(theirs);
  if (other) {
    open(theirs, *other);
  } else if (role_ == role::acceptor) {
    refuse(other.error());
  } else {
    return other.error();
  }
  return {};
}

result<peer> connection::judge(const hello& theirs) {
  auto other = rules_.judge(theirs, certified_);
  if (!other) return other;
  if (auto admitted = user_->admit(*other); !admitted) return admitted.error();
  return other;
}

void connection::open(const hello& theirs, const peer& other) {
  other_ = other;
  if (role_ == role::acceptor) queue_own(frame_kind::welcome, encode(rules_.own));
  phase_ = phase::open;
  parser_.known(lane_);
  received_ = true;
  arm(settings_.heartbeat);
  user_->on_open(*this, theirs);
}

void connection::refuse(const error& why) {
  phase_ = phase::refusing;
  refusal_ = why;
  arm(settings_.heartbeat); // the time that the peer has to read the refusal
  queue_own(frame_kind::refuse, why.text.substr(0, greeting_meta_max), why.code);
}

// ---- receiving ------------------------------------------------------------------------------------------------------

void connection::read() {
  stream_->read_some(parser_.space(), shared_from_this());
}

void connection::on_read(const error_code& failed, std::size_t bytes) {
  if (phase_ == phase::closed) return;
  if (failed) return finish(phase_ == phase::refusing ? refusal_ : lost(read_failure(failed)));
  received_ = true;
  parser_.filled(bytes);
  if (auto good = take_frames(); !good) return finish(good.error());
  if (phase_ != phase::closed) read();
}

std::string connection::read_failure(const error_code& failed) const {
  const char* const when = phase_ == phase::greeting ? "before the greeting was over: " : "";
  return failed == asio::error::eof ? std::string{when} + "the peer closed the connection" : when + failed.message();
}

result<void> connection::take_frames() {
  while (phase_ != phase::closed) {
    const auto step = parser_.step();
    if (!step) return step.error();
    switch (*step) {
      case frame_parser::step_result::more: return {};
      case frame_parser::step_result::payload:
        if (auto good = place_payload(); !good) return good;
        break;
      case frame_parser::step_result::frame:
        if (auto good = handle_frame(); !good) return good;
        break;
    }
  }
  return {};
}

result<void> connection::place_payload() {
  const auto wanted = role_ == role::acceptor ? frame_kind::request : frame_kind::reply;
  const auto kind = parser_.header().kind;
  if (kind != wanted && kind != frame_kind::fragment)
    return error{errc::corrupt, "a " + std::string{to_string(kind)} + " frame out of turn"};
  auto where = user_->place(parser_.header(), parser_.meta());
  if (!where) return where.error();
  placed_ = std::move(*where);
  if (!placed_.owner) {
    parser_.skip();
    return {};
  }
  CAIRN_ASSERT(placed_.length == parser_.header().payload_length);
  parser_.place({placed_.owner->data() + placed_.offset, placed_.length});
  return {};
}

result<void> connection::handle_frame() {
  const auto& header = parser_.header();
  placed_ = {};
  switch (header.kind) {
    case frame_kind::hello:
    case frame_kind::welcome: {
      const auto wanted = role_ == role::acceptor ? frame_kind::hello : frame_kind::welcome;
      if (phase_ != phase::greeting || header.kind != wanted) break;
      auto theirs = decode_hello(parser_.meta());
      if (!theirs) return theirs.error();
      return greet(*theirs);
    }
    case frame_kind::refuse:
      if (phase_ != phase::greeting || role_ != role::dialer) break;
      return error{header.code == 0 ? errc::invalid_argument : static_cast<errc>(header.code),
                   "the peer refused: " + parser_.take_meta()};
    case frame_kind::heartbeat:
      if (phase_ != phase::open) break;
      return {};
    case frame_kind::request:
    case frame_kind::cancel:
      if (phase_ != phase::open || role_ != role::acceptor) break;
      return user_->on_frame(header, parser_.take_meta());
    case frame_kind::reply:
      if (phase_ != phase::open || role_ != role::dialer) break;
      return user_->on_frame(header, parser_.take_meta());
    case frame_kind::fragment:
      if (phase_ != phase::open) break;
      return user_->on_frame(header, parser_.take_meta());
  }
  if (phase_ == phase::refusing) return {}; // frames of a refused peer are ignored
  return error{errc::corrupt, "a " + std::string{to_string(header.kind)} + " frame out of turn"};
}

// ---- sending --------------------------------------------------------------------------------------------------------

bool connection::send(message m) {
  {
    const std::lock_guard lock{mutex_};
    if (ended_ || !queue_.push(std::move(m))) return false;
  }
  start_writing();
  return true;
}

void connection::queue_own(frame_kind kind, std::string meta, errc code) {
  message m;
  m.header.kind = kind;
  m.header.lane = kind == frame_kind::heartbeat ? lane_ : lane::control;
  m.header.code = static_cast<std::uint8_t>(code);
  m.meta = std::move(meta);
  {
    const std::lock_guard lock{mutex_};
    queue_.push_unbounded(std::move(m));
  }
  start_writing();
}

void connection::start_writing() {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(writing_, true)) return;
  }
  // Not dispatch(): it may run other handlers of the strand here, while the caller holds a lock.
  const link_strand strand = stream_->socket().get_executor();
  if (strand.running_in_this_thread()) return write();
  asio::post(strand, [self = shared_from_this()] { self->write(); });
}

void connection::write() {
  if (phase_ == phase::closed) return;
  {
    const std::lock_guard lock{mutex_};
    batch_ = queue_.next_batch();
    if (batch_.empty()) {
      writing_ = false;
      return;
    }
  }
  buffers_.clear();
  for (const auto& f : batch_) {
    buffers_.emplace_back(f.header.data(), f.header.size());
    if (!f.meta.empty()) buffers_.emplace_back(f.meta.data(), f.meta.size());
    if (f.piece.owner) buffers_.emplace_back(f.piece.view().data(), f.piece.view().size());
  }
  sent_ = true;
  stream_->write(buffers_, shared_from_this());
}

void connection::on_written(const error_code& failed) {
  progressed_ = true;
  {
    const std::lock_guard lock{mutex_};
    queue_.written(batch_);
  }
  batch_.clear();
  if (phase_ == phase::closed) return;
  if (failed && phase_ == phase::greeting) return; // the pending read reports the reason
  if (failed) return finish(phase_ == phase::refusing ? refusal_ : lost(failed.message()));
  if (phase_ == phase::refusing) {
    // The peer reads to the end of the stream. Bytes that it still sends must not reset the connection before that.
    error_code ignored;
    stream_->socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    return;
  }
  write();
}

// ---- time and the end -----------------------------------------------------------------------------------------------

void connection::arm(std::chrono::milliseconds time) {
  timer_.expires_after(time);
  timer_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled) self->tick();
  });
}

void connection::tick() {
  if (phase_ == phase::closed) return;
  if (phase_ == phase::refusing) return finish(refusal_);
  if (phase_ != phase::open) return finish({errc::timeout, "no greeting within " + ms_text(settings_.handshake_max)});
  const auto ticks_max = std::max<std::int64_t>(2, settings_.silence_max / settings_.heartbeat);
  receive_idle_ticks_ = std::exchange(received_, false) ? 0 : receive_idle_ticks_ + 1;
  send_stalled_ticks_ = std::exchange(progressed_, false) || batch_.empty() ? 0 : send_stalled_ticks_ + 1;
  if (receive_idle_ticks_ >= ticks_max)
    return finish({errc::timeout, "the peer sent nothing for " + ms_text(settings_.silence_max)});
  if (send_stalled_ticks_ >= ticks_max)
    return finish({errc::timeout, "the peer read nothing for " + ms_text(settings_.silence_max)});
  if (!std::exchange(sent_, false) && batch_.empty()) queue_own(frame_kind::heartbeat, {});
  arm(settings_.heartbeat);
}

void connection::close(error why) {
  // Posted: the user may call this inside one of its own methods, and finish() releases the user.
  asio::post(stream_->socket().get_executor(),
             [self = shared_from_this(), why = std::move(why)] { self->finish(why); });
}

void connection::finish(const error& why) {
  if (phase_ == phase::closed) return;
  phase_ = phase::closed;
  timer_.cancel();
  {
    const std::lock_guard lock{mutex_};
    ended_ = true;
    queue_.clear();
  }
  error_code ignored; // a socket that fails to close needs no further handling
  stream_->socket().close(ignored);
  const auto user = std::move(user_);
  user->on_closed(why);
}

} // namespace cairn::actors::link
