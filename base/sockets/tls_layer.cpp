#include "base/sockets/tls_layer.hpp"

#include "base/error.hpp"
#include "base/third_party/asio.hpp"
#include "base/third_party/asio_tls.hpp"
#include "base/third_party/freed_by.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace cairn::sockets {

namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;

// Of plaintext: what one system call sends (larger calls cost more, because the bytes leave the processor's cache), and
// what a connection sends before others have their turn.
constexpr std::size_t batch_bytes = 2 * 16 * 1024, turn_bytes = 1 << 20;
constexpr std::size_t read_ahead_bytes = 4 * 16 * 1024; // of records; allocated while a record is incomplete
constexpr std::size_t step_input_bytes = 256 << 10;     // that one step reads from the socket

// What OpenSSL has to send at the end of a step of any connection. A step begins and ends within one handler, so that
// the connections of a thread share this memory; what the socket does not take moves to the connection.
thread_local std::vector<std::byte> step_output;

// A connection of OpenSSL that reads from the socket by itself and writes into step_output, so that many records are
// sent by one system call and a write never stops in the middle of a record.
class openssl_layer final : public tls_layer {
public:
  openssl_layer(strand_socket& socket, std::shared_ptr<ssl::context> context, tls_end own)
      : socket_(socket), turns_(socket), context_(std::move(context)), ssl_(SSL_new(context_->native_handle())) {
    auto* const bio = ssl_ ? BIO_new(bio_methods()) : nullptr;
    CAIRN_ASSERT(bio); // no memory
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
    SSL_set_read_ahead(ssl_.get(), 1);
    SSL_set_default_read_buffer_len(ssl_.get(), read_ahead_bytes);
    if (own == tls_end::server)
      SSL_set_accept_state(ssl_.get());
    else
      SSL_set_connect_state(ssl_.get());
  }

  void handshake(handshake_steps steps, handler done) override {
    turns_.begin(std::move(steps));
    shakes_hands_ = true;
    handshake_step(std::make_shared<handshake_op>(std::move(done)), true);
  }
  void read_some(asio::mutable_buffer into, handler done) override {
    read_available(std::make_shared<read_op>(into, std::move(done)), true);
  }
  void write(std::span<const asio::const_buffer> buffers, std::function<void(std::size_t)> progress,
             handler done) override {
    const auto op = std::make_shared<write_op>(buffers, std::move(progress), std::move(done));
    writing_ = op;
    write_on(op, true);
  }
  std::shared_ptr<X509> peer_certificate() const override { return {SSL_get1_peer_certificate(ssl_.get()), X509_free}; }
  void shutdown(handler done) override {
    if (const auto op = writing_.lock()) {
      op->then_shutdown = std::move(done);
      return;
    }
    begin_step();
    if (SSL_shutdown(ssl_.get()) < 0) return complete(done, flushed(asio::error::connection_aborted), 0, true);
    if (const auto failed = flushed({})) return complete(done, failed, 0, true);
    drain([this, done = std::move(done)](const error_code& failed) mutable {
      if (failed) return complete(done, failed, 0, true);
      await_shutdown(std::move(done), true);
    });
  }

private:
  // Owned by what they wait for, and keep their connection alive through `done`.
  struct handshake_op {
    explicit handshake_op(handler d) : done(std::move(d)) {}
    handler done;
    std::array<std::byte, 4096> input{};
  };
  struct read_op {
    read_op(asio::mutable_buffer b, handler d) : into(b), done(std::move(d)) {}
    asio::mutable_buffer into;
    handler done;
  };
  struct write_op {
    write_op(std::span<const asio::const_buffer> b, std::function<void(std::size_t)> p, handler d)
        : buffers(b.begin(), b.end()), progress(std::move(p)), done(std::move(d)), bytes(asio::buffer_size(buffers)) {}
    // The first one that has bytes left; nullptr: all are written.
    asio::const_buffer* rest() {
      while (next < buffers.size() && buffers[next].size() == 0) ++next;
      return next < buffers.size() ? &buffers[next] : nullptr;
    }
    std::vector<asio::const_buffer> buffers;
    std::function<void(std::size_t)> progress;
    handler done;
    std::size_t bytes, next = 0;
    handler then_shutdown{};
  };

  // ---- the socket as OpenSSL sees it ----

  static int bio_read(BIO* bio, char* into, int bytes) {
    BIO_clear_retry_flags(bio);
    auto& self = *static_cast<openssl_layer*>(BIO_get_data(bio));
    if (!self.input_.empty() || self.shakes_hands_) {
      if (self.input_.empty()) BIO_set_retry_read(bio);
      return self.take_input(into, bytes);
    }
    const auto wanted = std::min(std::size_t(bytes), self.step_input_left_);
    ssize_t got = -1;
    errno = EAGAIN;
    if (wanted > 0) {
      do got = ::recv(self.descriptor(), into, wanted, MSG_DONTWAIT);
      while (got < 0 && errno == EINTR);
    }
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
    if (got > 0) self.step_input_left_ -= std::size_t(got);
    return int(got);
  }
  static int bio_write(BIO*, const char* from, int bytes) {
    const auto* const first = reinterpret_cast<const std::byte*>(from);
    step_output.insert(step_output.end(), first, first + bytes);
    return bytes;
  }
  static long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
  static BIO_METHOD* bio_methods() {
    static BIO_METHOD* const made = [] {
      auto* const m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "session socket");
      const bool complete =
          m && BIO_meth_set_read(m, bio_read) && BIO_meth_set_write(m, bio_write) && BIO_meth_set_ctrl(m, bio_control);
      CAIRN_ASSERT(complete);
      return m;
    }();
    return made;
  }

  // Looked up for each call: a descriptor that was closed may have been given to another connection.
  int descriptor() const { return const_cast<strand_socket&>(socket_).native_handle(); }

  // -1: there is none.
  int take_input(char* into, int bytes) {
    const auto taken = std::min(input_.size(), std::size_t(bytes));
    if (taken == 0) return -1;
    std::memcpy(into, input_.data(), taken);
    input_.erase(input_.begin(), input_.begin() + std::ptrdiff_t(taken));
    return int(taken);
  }

  // ---- steps ----

  void begin_step() {
    ERR_clear_error();
    step_output.clear();
    step_input_left_ = step_input_bytes;
  }

  // Sends what the socket takes of [from, from + bytes).
  std::size_t send_some(const std::byte* from, std::size_t bytes, error_code& failed) const {
    ssize_t sent = 0;
    do sent = ::send(descriptor(), from, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) return std::size_t(sent);
    if (errno != EAGAIN && errno != EWOULDBLOCK) failed = {errno, boost::system::system_category()};
    return 0;
  }

  // The end of a step: sends its output. Returns `outcome`, or why sending failed.
  error_code flushed(error_code outcome) {
    std::size_t sent = 0;
    error_code failed;
    if (rest_.empty() && !step_output.empty()) sent = send_some(step_output.data(), step_output.size(), failed);
    sent_ += sent;
    rest_.insert(rest_.end(), step_output.begin() + std::ptrdiff_t(sent), step_output.end());
    step_output.clear();
    return outcome ? outcome : failed;
  }

  // Calls `next` when the socket has taken all output; at once if it has.
  template <class Next>
  void drain(Next next) {
    error_code failed;
    if (!rest_.empty()) {
      const auto sent = send_some(rest_.data() + rest_sent_, rest_.size() - rest_sent_, failed);
      sent_ += sent;
      rest_sent_ += sent;
    }
    if (failed || rest_sent_ == rest_.size()) {
      rest_ = {};
      rest_sent_ = 0;
      return next(failed);
    }
    socket_.async_wait(strand_socket::wait_write, [this, next = std::move(next)](const error_code& why) mutable {
      if (why) return next(why);
      drain(std::move(next));
    });
  }

  // `initiating`: within the call that began the operation, whose handler must be called later.
  void complete(handler& done, const error_code& failed, std::size_t bytes, bool initiating) {
    if (!initiating) return std::exchange(done, nullptr)(failed, bytes);
    asio::post(socket_.get_executor(), [done = std::move(done), failed, bytes] { done(failed, bytes); });
  }

  error_code outcome_of(int returned) const {
    switch (SSL_get_error(ssl_.get(), returned)) {
      case SSL_ERROR_WANT_READ: return asio::error::would_block;
      case SSL_ERROR_ZERO_RETURN: return asio::error::eof;
      case SSL_ERROR_SSL: return reason();
      default: return asio::error::connection_aborted;
    }
  }

  static error_code reason() {
    const auto why = ERR_peek_error();
    if (why == 0) return asio::error::connection_aborted;
    if (ERR_GET_REASON(why) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return asio::ssl::error::stream_truncated;
    return {int(why), asio::error::get_ssl_category()};
  }

  // ---- operations ----

  void handshake_step(const std::shared_ptr<handshake_op>& op, bool initiating) {
    begin_step();
    const int returned = SSL_do_handshake(ssl_.get());
    const auto outcome = returned == 1 ? error_code{} : outcome_of(returned);
    const auto failed = flushed(outcome);
    if (failed && failed != asio::error::would_block) return end_handshake(op, failed, initiating);
    drain([this, op, initiating, finished = returned == 1](const error_code& why) {
      if (why || finished) return end_handshake(op, why, initiating);
      turns_.read_some(asio::buffer(op->input), [this, op](const error_code& unreadable, std::size_t bytes) {
        if (unreadable) return end_handshake(op, unreadable, false);
        input_.assign(op->input.begin(), op->input.begin() + std::ptrdiff_t(bytes));
        handshake_step(op, false);
      });
    });
  }

  void end_handshake(const std::shared_ptr<handshake_op>& op, const error_code& failed, bool initiating) {
    shakes_hands_ = false;
    turns_.end(!failed);
    complete(op->done, failed, 0, initiating);
  }

  // All that has arrived, as far as it fits.
  void read_available(const std::shared_ptr<read_op>& op, bool initiating) {
    begin_step();
    std::size_t got = 0;
    error_code failed;
    while (got < op->into.size() && !failed) {
      std::size_t more = 0;
      const int returned =
          SSL_read_ex(ssl_.get(), static_cast<std::byte*>(op->into.data()) + got, op->into.size() - got, &more);
      if (returned != 1) failed = outcome_of(returned);
      got += more;
    }
    const auto unsent = flushed({});
    if (!rest_.empty() && writing_.expired()) drain([op](const error_code&) {});         // an alert
    if (got > 0 || op->into.size() == 0) return complete(op->done, {}, got, initiating); // the failure comes again
    if (failed != asio::error::would_block || unsent)
      return complete(op->done, failed != asio::error::would_block ? failed : unsent, 0, initiating);
    socket_.async_wait(strand_socket::wait_read, [this, op](const error_code& why) {
      if (why) return complete(op->done, why, 0, false);
      read_available(op, false);
    });
  }

  void write_on(const std::shared_ptr<write_op>& op, bool initiating) {
    for (std::size_t turn = 0;;) {
      if (!rest_.empty())
        return drain([this, op, initiating](const error_code& failed) {
          took(*op);
          if (failed) return end_write(op, failed, initiating);
          asio::post(socket_.get_executor(), [this, op] { write_on(op, false); });
        });
      if (!op->rest()) return end_write(op, {}, initiating);
      if (turn >= turn_bytes) return asio::post(socket_.get_executor(), [this, op] { write_on(op, false); });
      begin_step();
      for (std::size_t batch = 0; batch < batch_bytes;) {
        auto* const from = op->rest();
        if (!from) break;
        std::size_t taken = 0;
        if (SSL_write_ex(ssl_.get(), from->data(), std::min(from->size(), batch_bytes - batch), &taken) != 1)
          return end_write(op, flushed(asio::error::connection_aborted), initiating);
        *from += taken;
        batch += taken;
        turn += taken;
      }
      const auto failed = flushed({});
      took(*op);
      if (failed) return end_write(op, failed, initiating);
    }
  }

  void took(const write_op& op) {
    if (const auto bytes = std::exchange(sent_, 0); bytes > 0) op.progress(bytes);
  }

  void end_write(const std::shared_ptr<write_op>& op, const error_code& failed, bool initiating) {
    writing_.reset();
    auto then = std::move(op->then_shutdown);
    complete(op->done, failed, failed ? 0 : op->bytes, initiating);
    if (then) shutdown(std::move(then));
  }

  void await_shutdown(handler done, bool initiating) {
    begin_step();
    const int returned = SSL_shutdown(ssl_.get());
    const auto failed = returned < 0 ? outcome_of(returned) : error_code{};
    step_output.clear(); // the other end was told already
    if (returned == 1 || (failed && failed != asio::error::would_block)) return complete(done, failed, 0, initiating);
    socket_.async_wait(strand_socket::wait_read, [this, done = std::move(done)](const error_code& why) mutable {
      if (why) return complete(done, why, 0, false);
      await_shutdown(std::move(done), false);
    });
  }

  strand_socket& socket_;
  handshake_reader turns_; // for the reads of the handshake
  std::shared_ptr<ssl::context> context_;
  std::unique_ptr<SSL, freed_by<SSL_free>> ssl_;
  std::weak_ptr<write_op> writing_;
  std::vector<std::byte> rest_; // output that the socket has not taken, from rest_sent_ on
  std::size_t rest_sent_ = 0;
  std::size_t step_input_left_ = 0;
  std::vector<std::byte> input_; // read for the handshake; what is left of it comes before the socket
  bool shakes_hands_ = false;
  std::size_t sent_ = 0; // taken by the socket since the write was told
};

} // namespace

std::unique_ptr<tls_layer> make_tls_layer(strand_socket& socket, std::shared_ptr<ssl::context> context, tls_end own) {
  return std::make_unique<openssl_layer>(socket, std::move(context), own);
}

} // namespace cairn::sockets
