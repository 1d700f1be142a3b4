// The byte stream under a connection: TCP, or TLS over TCP. One read and one write may be pending at a time; everything
// runs on the socket's strand. Results go to a `stream_user`, which is kept alive until every pending operation has
// ended.
#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/sockets/strand_socket.hpp"
#include "base/third_party/asio.hpp"

#include <memory>
#include <optional>
#include <span>

namespace cairn::actors::link {

using link_strand = sockets::strand;
using link_socket = sockets::strand_socket;

enum class role : std::uint8_t { dialer, acceptor };

class stream_user {
public:
  virtual ~stream_user() = default;
  virtual void on_handshake(const boost::system::error_code& failed) = 0;
  virtual void on_read(const boost::system::error_code& failed, std::size_t bytes) = 0;
  virtual void on_progress() = 0; // the socket has taken a part of the pending write
  virtual void on_written(const boost::system::error_code& failed) = 0;
};

class byte_stream {
public:
  virtual ~byte_stream() = default;
  virtual void handshake(role own, std::shared_ptr<stream_user> user) = 0;
  virtual void read_some(std::span<std::byte> into, std::shared_ptr<stream_user> user) = 0;
  // Writes all of it. The buffers stay valid until on_written.
  virtual void write(std::span<const boost::asio::const_buffer> data, std::shared_ptr<stream_user> user) = 0;
  // After the handshake: the node that the peer's certificate names; nullopt on a plaintext stream. invalid_argument:
  // the certificate names no node.
  virtual result<std::optional<uuid>> certified() = 0;
  virtual link_socket& socket() = 0; // for options, addresses, closing
};

std::unique_ptr<byte_stream> plain_stream(link_socket socket);

// More per system call than Asio's own limit of 64 KiB.
constexpr std::size_t syscall_bytes = 16 << 20;

// The completion condition of a write that reports progress: Asio calls it before the first and after every system
// call.
struct reported_write {
  stream_user* user;
  std::size_t operator()(const boost::system::error_code& failed, std::size_t sent) const {
    if (!failed && sent > 0) user->on_progress();
    return failed ? std::size_t{0} : syscall_bytes;
  }
};

} // namespace cairn::actors::link
