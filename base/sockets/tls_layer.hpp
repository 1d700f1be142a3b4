// TLS of one connection, over its socket: what the HTTP and admin ports and the links between nodes share. OpenSSL
// reads from the socket by itself, without a BIO pair, and many records are sent by one system call.
#pragma once

#include "base/sockets/handshake_reader.hpp"
#include "base/sockets/strand_socket.hpp"
#include "base/third_party/asio.hpp"

#include <functional>
#include <memory>
#include <span>

namespace boost::asio::ssl {
class context;
}
struct x509_st;

namespace cairn::sockets {

enum class tls_end : std::uint8_t { server, client };

// Runs on the socket's strand. At most one read and one write at a time; a handler is called once, also after the
// socket was cancelled or closed.
class tls_layer {
public:
  using error_code = boost::system::error_code;
  using handler = std::function<void(const error_code& failed, std::size_t bytes)>;
  virtual ~tls_layer() = default;
  // A signature costs a server about a millisecond and the client almost nothing, so each step respects `steps`.
  virtual void handshake(handshake_steps steps, handler done) = 0;
  virtual void read_some(boost::asio::mutable_buffer into, handler done) = 0;
  // Writes all bytes, which stay valid until `done`; calls `progress` after each system call with the bytes on the wire
  // that the socket took.
  virtual void write(std::span<const boost::asio::const_buffer> buffers,
                     std::function<void(std::size_t bytes)> progress, handler done) = 0;
  // Sends close_notify after the write in progress, then waits for the peer's close_notify, which is success. A pending
  // read continues.
  virtual void shutdown(handler done) = 0;
  virtual std::shared_ptr<x509_st> peer_certificate() const = 0; // after the handshake; nullptr: it showed none
};

// The socket outlives the layer.
std::unique_ptr<tls_layer> make_tls_layer(strand_socket& socket, std::shared_ptr<boost::asio::ssl::context> context,
                                          tls_end own);

} // namespace cairn::sockets
