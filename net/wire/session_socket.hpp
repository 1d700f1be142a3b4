// The socket of an HTTP connection, its strand, and how much the system may take for a client that does not read.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>

#include <netinet/tcp.h>

#include <cstddef>

namespace cairn::net {

using session_strand = boost::asio::strand<boost::asio::io_context::executor_type>;
using session_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, session_strand>;

// How many bytes the system takes beyond those that are on their way. Without a bound a client that never reads makes
// the node copy 2.5 MiB into the system's memory: milliseconds of a thread that others' requests wait for, and some
// hundred such clients bring all sockets of the machine under memory pressure. What is on its way (a whole window of
// the network) does not count, so that long and fast links lose nothing.
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

} // namespace cairn::net
