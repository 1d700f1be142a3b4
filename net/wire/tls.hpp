// TLS on the HTTP and admin ports: TLS 1.2 and 1.3 with forward secrecy and AEAD ciphers only, HTTP/1.1 by ALPN (a
// client that offers only other protocols is refused), no client certificates. With tls.cpp the only file of this layer
// that uses Asio's TLS and OpenSSL; connections use `tls_layer`.
//
// A context is one certificate with its key, immutable; a connection keeps the one that it began with, so a reload
// changes new connections only. Errors: not_found and io_error for files; invalid_argument for unusable ones ("the key
// does not belong to the certificate").
#pragma once

#include "base/error.hpp"
#include "base/seams.hpp"
#include "base/sockets/turned_socket.hpp"
#include "net/wire/session_socket.hpp"

#include <boost/asio/buffer.hpp>

#include <array>
#include <functional>
#include <memory>
#include <string>

namespace cairn::net {

// TLS of one connection, over its socket, on its strand. At most one read and one write at a time; a handler is called
// once, also after the socket was cancelled or closed.
class tls_layer {
public:
  using handler = std::function<void(const boost::system::error_code& failed, std::size_t bytes)>;
  virtual ~tls_layer() = default;
  // A signature costs the node about a millisecond and the client almost nothing, so each step respects `steps`.
  virtual void handshake(sockets::handshake_steps steps, handler done) = 0;
  virtual void read_some(boost::asio::mutable_buffer into, handler done) = 0;
  // Writes all bytes; calls `progress` after each system call with the bytes on the wire that the socket took.
  virtual void write(const std::array<boost::asio::const_buffer, 2>& buffers,
                     std::function<void(std::size_t bytes)> progress, handler done) = 0;
  // Sends close_notify after the write in progress, then waits for the peer's close_notify, which is success. A pending
  // read continues.
  virtual void shutdown(handler done) = 0;
};

class tls_context {
public:
  // PEM files: the certificate with the chain behind it, and its private key.
  static result<std::shared_ptr<const tls_context>> load(const std::string& certificate_path,
                                                         const std::string& key_path);
  virtual ~tls_context() = default;
  virtual std::unique_ptr<tls_layer> layer(session_socket& socket) const = 0; // the socket outlives it
  virtual storage::wall_ms ends() const = 0;                                  // when the certificate expires
};

} // namespace cairn::net
