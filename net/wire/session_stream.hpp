// The byte stream of a connection, plaintext or TLS. Plaintext calls go to the socket directly, without the cost of an
// indirection. With TLS there are no non-blocking calls: what is encrypted has to be sent.
#pragma once

#include "base/third_party/asio.hpp"
#include "net/wire/session_socket.hpp"
#include "net/wire/tls.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace cairn::net {

class session_stream {
public:
  session_stream(session_socket socket, const std::shared_ptr<const tls_context>& tls) : socket_(std::move(socket)) {
    if (tls) tls_ = tls->layer(socket_);
  }
  session_stream(const session_stream&) = delete;
  session_stream& operator=(const session_stream&) = delete;

  session_socket& socket() { return socket_; } // for options, closing and the socket's state
  bool encrypted() const { return tls_ != nullptr; }

  template <class Handler>
  void async_handshake(sockets::handshake_steps&& steps, Handler done) { // encrypted() only
    tls_->handshake(std::move(steps), std::move(done));
  }

  template <class Handler>
  void async_shutdown(Handler done) { // encrypted() only
    tls_->shutdown(std::move(done));
  }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& into, Handler done) {
    if (!tls_) return socket_.async_read_some(into, std::move(done));
    for (auto at = boost::asio::buffer_sequence_begin(into); at != boost::asio::buffer_sequence_end(into); ++at) {
      const boost::asio::mutable_buffer buffer = *at;
      if (buffer.size() > 0) return tls_->read_some(buffer, std::move(done));
    }
    tls_->read_some({}, std::move(done));
  }

  // Writes all bytes. `more(failed, bytes so far)`: as Asio's completion conditions.
  template <class Buffers, class Condition, class Handler>
  void async_write(const Buffers& buffers, Condition more, Handler done) {
    if (!tls_) return boost::asio::async_write(socket_, buffers, more, std::move(done));
    tls_->write(
        buffers,
        [more, sent = std::size_t{0}](std::size_t bytes) mutable { more(boost::system::error_code{}, sent += bytes); },
        std::move(done));
  }

private:
  session_socket socket_;
  std::unique_ptr<sockets::tls_layer> tls_;
};

// A connection that another port of this node has accepted and read one head from. It stays on that port's strand.
struct adopted_connection {
  std::unique_ptr<session_stream> stream; // its TLS handshake is complete
  std::string received;                   // a head, and the bytes that came behind it
  std::string answer_lines;               // complete header lines, which every answer gets
};
using adopt_connection = std::function<void(adopted_connection)>; // any thread; closes it if there is no place

} // namespace cairn::net
