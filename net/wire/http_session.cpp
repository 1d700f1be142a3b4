#include "net/wire/http_session.hpp"

#include "base/third_party/asio.hpp"
#include "net/wire/buffer_text.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace cairn::net {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t read_bytes = 8192; // a request with a body of 4 KiB arrives with one read
constexpr std::size_t kept_buffer_bytes = read_bytes;
constexpr std::uint64_t skipped_body_bytes_max = 64 << 10;
constexpr std::uint64_t lingering_bytes_max = 64 << 20;
constexpr std::size_t all_bytes = std::numeric_limits<std::size_t>::max();
constexpr int unsent_bytes = 1 << 20;             // with half of it a single client reads 20 % slower
constexpr std::size_t turn_free_bytes = 32 << 10; // sent without a turn, which would cost more
constexpr std::size_t refused_line_max = 2048;
constexpr std::size_t head_apart_bytes = 128 << 10; // a head before so many bytes is sent by a call of its own

using two_sources = std::array<asio::const_buffer, 2>;

two_sources buffers_of(const pending_write& w) {
  if (!w.bytes.owner) return {asio::buffer(w.text), asio::const_buffer{}};
  const auto view = w.bytes.view();
  return {asio::buffer(w.text), asio::const_buffer{view.data(), view.size()}};
}

// At most `bytes_max` bytes behind the first `skipped`.
two_sources part_of(two_sources buffers, std::size_t skipped, std::size_t bytes_max) {
  for (auto& buffer : buffers) {
    const auto here = std::min(skipped, buffer.size());
    buffer = asio::buffer(buffer + here, bytes_max);
    skipped -= here;
    bytes_max -= buffer.size();
  }
  return buffers;
}

} // namespace

http_session::http_session(adopted_connection connection, std::shared_ptr<http_shared> shared, account_ptr address)
    : stream_(std::move(connection.stream)),
      answer_lines_(std::move(connection.answer_lines)),
      shared_(std::move(shared)),
      party_(address),
      address_(std::move(address)),
      payer_(address_) {
  if (const auto& received = connection.received; !received.empty())
    buffer_.commit(asio::buffer_copy(buffer_.prepare(received.size()), asio::buffer(received)));
  handler_ = shared_->service->connected(*this);
  shared_->metrics.connections.fetch_add(1, std::memory_order_relaxed);
  if (payer_) payer_->connections.fetch_add(1, std::memory_order_relaxed);
}

http_session::~http_session() {
  if (busy_) record(false);
  greeted();
  if (payer_) payer_->connections.fetch_sub(1, std::memory_order_relaxed);
  shared_->metrics.connections.fetch_sub(1, std::memory_order_relaxed);
  shared_->sessions.remove(*this);
}

void http_session::start(bool beyond) {
  over_limit_ = beyond;
  shared_->sessions.add(*this);
  asio::dispatch(executor(), [self = shared_from_this()] {
    error_code ignored; // if the options cannot be set, the first read fails
    self->stream_->socket().set_option(asio::ip::tcp::no_delay{true}, ignored);
    self->stream_->socket().set_option(unsent_bytes_max{unsent_bytes}, ignored);
    self->stream_->socket().non_blocking(true, ignored);
    self->arm(wait::head);
    if (self->buffer_.size() > 0) return self->process_input(); // adopted: its handshake is complete
    self->greet();
  });
}

// The handshake has the timeout of a head, and the first head has another.
void http_session::greet() {
  if (!stream_->encrypted()) return read_then(&http_session::process_input);
  handshaking_ = true;
  shared_->handshakes.fetch_add(1, std::memory_order_relaxed);
  const auto address = payer_ ? payer_->name() : std::string{};
  sockets::handshake_steps steps;
  steps.charge = [shared = shared_, address] { return shared->handshake_pace.charge(address, shared->clock.now()); };
  steps.turn = [turns = shared_->handshake_turns, address](std::function<void(fair_turns::turn)> step) {
    turns->take(address, std::move(step));
  };
  steps.completed = [shared = shared_, address](unsigned taken) { shared->handshake_pace.refund(address, taken); };
  stream_->async_handshake(std::move(steps), [self = shared_from_this()](const error_code& failed, std::size_t) {
    self->greeted();
    if (self->closed_) return;
    if (failed) return self->close();
    self->arm(wait::head);
    self->read_then(&http_session::process_input);
  });
}

void http_session::greeted() {
  if (std::exchange(handshaking_, false)) shared_->handshakes.fetch_sub(1, std::memory_order_relaxed);
}

void http_session::refuse() {
  shared_->sessions.add(*this);
  asio::dispatch(executor(), [self = shared_from_this()] {
    error_code ignored;
    if (self->stream_->encrypted()) return self->close(); // answering it would need the handshake, which costs most
    self->stream_->socket().non_blocking(true, ignored);
    self->begin_request();
    self->handler_->refuse(too_many_connections);
  });
}

// ---- input ----------------------------------------------------------------------------------------------------------

void http_session::next_request() {
  scanned_ = 0;
  parser_.reset();
  if (phase() == http_shared::stop_phase::closing && !has_input()) return close_idle();
  arm(wait::idle);
  if (buffer_.size() > 0) {
    // Posted, because pipelined requests that are answered at once would recurse.
    asio::post(executor(), [self = shared_from_this()] { self->process_input(); });
    return;
  }
  if (buffer_.capacity() > kept_buffer_bytes) buffer_.shrink_to_fit();
  read_then(&http_session::process_input);
}

void http_session::read_then(void (http_session::*next)()) {
  after_read_ = next;
  if (std::exchange(reading_, true)) return; // the read in progress will call `next`
  stream_->async_read_some(buffer_.prepare(read_bytes), [self = shared_from_this()](error_code failed, std::size_t n) {
    self->reading_ = false;
    if (self->closed_) return;
    if (failed) return self->close();
    self->buffer_.commit(n);
    self->received(n);
    (self.get()->*self->after_read_)();
  });
}

void http_session::received(std::size_t bytes) {
  moved(bytes);
  received_ += bytes;
  shared_->metrics.bytes_received.fetch_add(bytes, std::memory_order_relaxed);
}

void http_session::process_input() {
  if (closed_) return;
  while (scanned_ == 0 && as_text(buffer_).starts_with("\r\n")) buffer_.consume(2); // RFC 9112 §2.2
  const auto limit = shared_->header_bytes_max.load(std::memory_order_relaxed);
  const auto scan = scan_head(as_text(buffer_), scanned_);
  if (scan.state == scan_state::malformed) return refuse_head({400, "a line does not end in CRLF"});
  const bool complete = scan.state == scan_state::complete;
  if ((complete ? scan.length : buffer_.size()) > limit) {
    const bool in_request_line = as_text(buffer_).substr(0, limit).find("\r\n") == std::string_view::npos;
    return refuse_head(in_request_line ? head_refusal{414, "the request line is too long"}
                                       : head_refusal{431, "the head is larger than limits.header_bytes"});
  }
  if (complete) return handle_head(scan.length);
  if (waiting_.load(std::memory_order_relaxed) == wait::idle && buffer_.size() > 0) arm(wait::head);
  scanned_ = buffer_.size() > 1 ? scan.length : 0; // half of an empty line before the head may still have to be skipped
  read_then(&http_session::process_input);
}

void http_session::begin_request() {
  started_ = shared_->clock.now();
  busy_ = true;
  received_before_ = received_ - buffer_.size();
  sent_ = sending_ = sent_heads_ = 0;
  measured_ = false;
  body_begun_ = body_ended_ = answer_begun_ = {};
}

std::string_view http_session::refused_line() const {
  const auto begun = as_text(buffer_).substr(0, refused_line_max);
  return begun.substr(0, begun.find_first_of("\r\n"));
}

void http_session::refuse_head(head_refusal refusal) { // by value: info_ is reset
  begin_request();
  info_ = {};
  keep_alive_ = false;
  handler_->refuse(refusal);
}

void http_session::handle_head(std::size_t length) {
  disarm();
  next_transfer();
  const auto head = as_text(buffer_).substr(0, length);
  info_ = check_head(head);
  if (info_.refused) return refuse_head(*info_.refused);
  begin_request();
  const bool readable = read_fields(head);
  info_.host = {};
  buffer_.consume(length);
  if (!readable) return refuse_head({400, "The request head is malformed."});
  handler_->handle();
}

bool http_session::read_fields(std::string_view head) {
  status_ = 0;
  continued_ = body_whole_ = keep_alive_ = false;
  body_left_ = info_.content_length.value_or(0);
  parser_.emplace();
  parser_->body_limit(boost::none); // the limit is limits.object_size
  parser_->header_limit(static_cast<std::uint32_t>(head.size()) + 1);
  error_code failed;
  parser_->put(asio::buffer(head), failed);
  if ((failed && failed != http::error::need_more) || !parser_->is_header_done()) return false;
  keep_alive_ = parser_->get().keep_alive();
  body_whole_ = !info_.chunked && body_left_ == 0;
  return true;
}

// ---- output ---------------------------------------------------------------------------------------------------------

bool http_session::body_skippable() const {
  const bool client_waits = info_.expect_continue && !continued_;
  return body_whole_ || (!info_.chunked && !client_waits && body_left_ <= skipped_body_bytes_max);
}

bool http_session::closes_after_answer() {
  close_after_ = !keep_alive_ || !body_skippable() || phase() != http_shared::stop_phase::none;
  return close_after_;
}

void http_session::respond(unsigned status, std::string bytes, std::shared_ptr<void> hold) {
  status_ = status;
  write({pending_write::kind::last, 0, std::move(bytes), {}, std::move(hold)});
}

void http_session::send_continue() {
  if (!info_.expect_continue || continued_ || buffer_.size() > 0) return;
  continued_ = true;
  write({pending_write::kind::interim, 0, "HTTP/1.1 100 Continue\r\n\r\n", {}});
}

void http_session::body_complete() {
  body_whole_ = true;
  if (measured_) body_ended_ = shared_->clock.now();
}

void http_session::note_answer(const pending_write& w) {
  if (w.what == pending_write::kind::interim) {
    sent_heads_ += w.text.size();
  } else if (answer_begun_ == steady_time{}) {
    answer_begun_ = shared_->clock.now();
    const auto end = w.text.find("\r\n\r\n");
    sent_heads_ += end == std::string::npos ? w.text.size() : end + 4;
  }
}

void http_session::write(pending_write w) {
  if (closed_) return;
  if (measured_) note_answer(w);
  // The client has its first byte while the others are still copied into the socket.
  if (!w.text.empty() && w.bytes.owner && w.bytes.length >= head_apart_bytes)
    writes_.push_back({pending_write::kind::interim, 0, std::exchange(w.text, {}), {}});
  writes_.push_back(std::move(w));
  flush();
}

void http_session::flush() {
  while (!writing_ && !closed_ && !writes_.empty()) {
    if (is_paced(writes_.front())) return write_paced(0);
    // The client may send its next request elsewhere before this thread continues.
    if (writes_.front().what == pending_write::kind::last || writes_.front().ends) rate_ticket_.end();
    const auto buffers = buffers_of(writes_.front());
    if (asio::buffer_size(buffers) > turn_free_bytes && takes_turns()) return write_in_turn(0, all_bytes);
    if (stream_->encrypted()) return write_piece(0, all_bytes);
    error_code failed;
    const auto taken = stream_->socket().write_some(buffers, failed);
    if (failed && failed != asio::error::would_block && failed != asio::error::try_again) return close();
    shared_->metrics.bytes_sent.fetch_add(taken, std::memory_order_relaxed);
    moved(taken);
    sent_ += taken;
    if (taken < asio::buffer_size(buffers)) return write_piece(taken, all_bytes);
    written();
  }
}

// The first write, behind the bytes that are sent.
void http_session::write_rest(std::size_t sent) {
  if (is_paced(writes_.front())) return write_paced(sent);
  if (takes_turns()) return write_in_turn(sent, all_bytes);
  write_piece(sent, all_bytes);
}

// A pending write, or what it waits for, has used them until now.
bool http_session::drop_writes_if_closed() {
  if (!closed_) return false;
  writing_ = false;
  writes_.clear();
  return true;
}

void http_session::hold_writes() {
  std::size_t held = 0;
  for (const auto& w : writes_) held += w.text.capacity() + (w.bytes.owner ? w.bytes.owner->capacity() : 0);
  holds(held);
}

// Writes at most `most` of the bytes behind those that the socket has taken.
void http_session::write_piece(std::size_t taken, std::size_t most) {
  const auto all = buffers_of(writes_.front());
  const auto whole = asio::buffer_size(all);
  const auto buffers = part_of(all, taken, most);
  const auto end = taken + asio::buffer_size(buffers);
  writing_ = true;
  arm(wait::write);
  hold_writes();
  // The condition is called after every system call but the last: the client has made progress when the socket took
  // bytes.
  const auto progress = [this, most](const error_code& failed, std::size_t sent) {
    if (!failed && sent > 0) arm(wait::write);
    moved(sent - std::exchange(sending_, sent));
    return failed ? std::size_t{0} : most == all_bytes ? call_bytes() : most;
  };
  stream_->async_write(buffers, progress,
                       [self = shared_from_this(), taken, end, whole](error_code failed, std::size_t sent) {
                         if (self->drop_writes_if_closed()) return;
                         self->writing_ = false;
                         // TLS has told of records, which are longer, and tells of no bytes when it fails.
                         const auto told = std::exchange(self->sending_, 0), larger = std::max(sent, told);
                         self->moved(larger - told);
                         const auto went = failed ? larger : sent;
                         self->sent_ += went;
                         self->shared_->metrics.bytes_sent.fetch_add(went, std::memory_order_relaxed);
                         if (failed) return self->close();
                         self->disarm();
                         self->holds(0);
                         if (self->rate_ticket_.paces())
                           self->rate_ticket_.count(end - taken, self->shared_->clock.now());
                         if (end < whole) return self->write_rest(end);
                         self->written();
                         self->flush();
                       });
}

void http_session::written() {
  const auto done = std::move(writes_.front());
  writes_.erase(writes_.begin());
  switch (done.what) {
    case pending_write::kind::interim: break;
    case pending_write::kind::last: end_request(); break;
    case pending_write::kind::part:
      if (const auto e = exchange_.lock()) e->sent(done.number);
  }
}

void http_session::finish() {
  if (!closed_) end_request();
}

void http_session::record(bool whole) {
  busy_ = false;
  const auto now = shared_->clock.now();
  request_end end{.status = status_, .whole = whole, .took = now - started_};
  const auto received = received_ - received_before_, unread = std::uint64_t{buffer_.size()};
  end.received = received - std::min(received, unread);
  end.sent = sent_ + sending_;
  end.began = started_;
  if (measured_) {
    end.sent_of_body = end.sent - std::min(end.sent, sent_heads_);
    const bool has_body = body_begun_ != steady_time{}, answers = answer_begun_ != steady_time{};
    const auto body_end = body_ended_ != steady_time{} ? body_ended_ : answers ? answer_begun_ : now;
    if (has_body) end.body = std::max(body_end - body_begun_, steady_time::duration{0});
    if (answers) end.first_byte = answer_begun_ - started_;
  }
  handler_->ended(end);
}

// ---- the end of requests and connections ----------------------------------------------------------------------------

void http_session::end_request() {
  record(true);
  exchange_.reset();
  next_transfer();
  if (close_after_) return linger();
  if (body_whole_) return next_request();
  skip_body();
}

void http_session::skip_body() {
  const auto buffered = std::min<std::uint64_t>(buffer_.size(), body_left_);
  buffer_.consume(buffered);
  body_left_ -= buffered;
  if (body_left_ == 0) return next_request();
  arm(wait::body);
  read_then(&http_session::skip_body);
}

// Closing a socket with unread input resets the connection, and the client may lose the answer. So the sending side is
// shut down first, and the client's input is read and discarded for a limited time.
void http_session::linger() {
  if (stream_->encrypted()) return close_tls();
  error_code failed;
  stream_->socket().shutdown(asio::ip::tcp::socket::shutdown_send, failed);
  if (failed) return close();
  arm(wait::linger);
  if (reading_) return read_then(&http_session::discard_input);
  discard_input();
}

void http_session::discard_input() {
  discarded_ += buffer_.size();
  buffer_.consume(buffer_.size());
  if (discarded_ > lingering_bytes_max) return close();
  read_then(&http_session::discard_input);
}

// The same with TLS. If the client does not answer close_notify, its input is read and discarded below TLS.
void http_session::close_tls() {
  arm(wait::linger);
  stream_->async_shutdown([self = shared_from_this()](const error_code& failed, std::size_t) {
    if (self->closed_) return;
    if (!failed) return self->close();
    if (self->reading_) return; // the pending read fails too, or the deadline ends the connection
    error_code ignored;
    self->stream_->socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    self->drain_socket();
  });
}

void http_session::drain_socket() {
  buffer_.consume(buffer_.size());
  const auto into = buffer_.prepare(read_bytes);
  stream_->socket().async_read_some(into, [self = shared_from_this()](error_code failed, std::size_t n) {
    if (self->closed_) return;
    self->discarded_ += n;
    if (failed || self->discarded_ > lingering_bytes_max) return self->close();
    self->drain_socket();
  });
}

http_shared::stop_phase http_session::phase() const {
  return shared_->stopping.load(std::memory_order_relaxed);
}

// Whether bytes of a request were read, or are in the socket's buffer: it is answered before the connection closes.
bool http_session::has_input() const {
  error_code failed;
  return buffer_.size() > 0 || stream_->socket().available(failed) > 0;
}

// Between requests no answer can be lost, but a TLS client needs close_notify to distinguish the end from a truncation.
// It is in the socket's send buffer when the call returns, because no write is in progress.
void http_session::close_idle() {
  if (stream_->encrypted()) stream_->async_shutdown([self = shared_from_this()](const error_code&, std::size_t) {});
  close();
}

void http_session::close() {
  if (closed_) return;
  closed_ = true;
  disarm();
  cancel_pace(read_pace_);
  cancel_pace(write_pace_);
  rate_ticket_.end();
  if (const auto e = exchange_.lock()) e->lost();
  if (busy_) record(false);
  if (!writing_ || awaits_turn_) writes_.clear(); // a pending write uses them until its handler has run
  error_code ignored;                             // a failed close cannot be handled
  stream_->socket().close(ignored);
}

void http_session::stop(bool at_once) {
  asio::post(executor(), [self = shared_from_this(), at_once] {
    const bool idle = !self->busy_ && !self->has_input() && self->waiting_.load() != wait::linger;
    if (!at_once && idle && self->waiting_.load() == wait::idle) return self->close_idle();
    if (at_once || idle) self->close();
  });
}

} // namespace cairn::net
