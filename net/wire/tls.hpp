// TLS on the HTTP and admin ports: TLS 1.2 and 1.3 with forward secrecy and AEAD ciphers only, HTTP/1.1 by ALPN (a
// client that offers only other protocols is refused), no client certificates. The only file of this layer, with
// tls.cpp, that knows of Asio's TLS and OpenSSL; connections see `tls_layer`.
//
// A context is one certificate with its key, immutable; a connection keeps the one that it began with, so a reload
// changes new connections only. Errors: not_found and io_error for files; invalid_argument for what does not do ("the
// key does not belong to the certificate").
#pragma once

#include "base/error.hpp"
#include "base/seams.hpp"
#include "net/wire/session_socket.hpp"

#include <boost/asio/buffer.hpp>

#include <array>
#include <functional>
#include <memory>
#include <string>

namespace cairn::net {

// Of one connection, over its socket, on its strand. At most one read and one write at a time; a handler is called
// once, also after the socket was cancelled or closed.
class tls_layer {
public:
  using handler = std::function<void(const boost::system::error_code& failed, std::size_t bytes)>;
  // Calls its argument, once, when a step of a handshake may be computed; the step is over with the last copy of the
  // pointer. It may call from any thread.
  using step_turn = std::function<void(std::function<void(std::shared_ptr<void>)>)>;
  virtual ~tls_layer() = default;
  // A signature costs about a millisecond, and whoever asks for one pays nothing: with `turn`, each step waits for it
  // and is a handler of its own, so that others' handlers run in between.
  virtual void handshake(step_turn turn, handler done) = 0;
  virtual void read_some(boost::asio::mutable_buffer into, handler done) = 0;
  // All of it; `progress` after each piece that the socket took.
  virtual void write(const std::array<boost::asio::const_buffer, 2>& buffers, std::function<void()> progress,
                     handler done) = 0;
  // Says that nothing more comes (close_notify), after what is being written, then waits for the peer to say so too:
  // success. Any read that is under way goes on.
  virtual void shutdown(handler done) = 0;
};

class tls_context {
public:
  // PEM files: the certificate with the chain behind it, and its private key.
  static result<std::shared_ptr<const tls_context>> load(const std::string& certificate_path,
                                                         const std::string& key_path);
  virtual ~tls_context() = default;
  virtual std::unique_ptr<tls_layer> layer(session_socket& socket) const = 0; // the socket outlives it
  virtual storage::wall_ms ends() const = 0;                                  // when the certificate does
};

} // namespace cairn::net
