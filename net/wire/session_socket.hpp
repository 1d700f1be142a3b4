// The socket of an HTTP connection, its strand, and the bound of unsent bytes in its send buffer.
#pragma once

#include "base/sockets/strand_socket.hpp"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <cstddef>

namespace cairn::net {

using session_strand = sockets::strand;
using session_socket = sockets::strand_socket;

// TCP_NOTSENT_LOWAT: the bytes in the send buffer that TCP has not sent yet. Without this bound a client that never
// reads makes the node copy 2.5 MiB into the kernel: milliseconds of a thread for which other requests wait, and a few
// hundred such clients put all sockets of the machine under memory pressure. Bytes in flight (a whole congestion
// window) do not count, so that the throughput of long and fast links does not suffer.
class unsent_bytes_max { // an Asio socket option
public:
  explicit unsent_bytes_max(int bytes) : bytes_(bytes) {}
  template <class Protocol>
  int level(const Protocol&) const {
    return IPPROTO_TCP;
  }
  template <class Protocol>
  int name(const Protocol&) const {
    return TCP_NOTSENT_LOWAT;
  }
  template <class Protocol>
  const void* data(const Protocol&) const {
    return &bytes_;
  }
  template <class Protocol>
  std::size_t size(const Protocol&) const {
    return sizeof bytes_;
  }

private:
  int bytes_;
};

// What the socket has taken and the client has not acknowledged yet; 0 if the system does not say.
inline std::size_t unacknowledged_bytes(session_socket& socket) {
  int bytes = 0;
  return ::ioctl(socket.native_handle(), SIOCOUTQ, &bytes) == 0 ? std::size_t(bytes) : 0;
}

} // namespace cairn::net
