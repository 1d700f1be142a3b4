// Opens listening sockets; shared by the HTTP, admin and link servers.
#pragma once

#include "base/log_pace.hpp"
#include "base/third_party/asio.hpp"
#include "base/units.hpp"

namespace cairn::sockets {

using control_strand = boost::asio::strand<boost::asio::io_context::executor_type>;
using acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, control_strand>;

// io_error: "listen on 127.0.0.1:9000: Address already in use".
result<void> listen_on(acceptor& listening, const config::endpoint& where);
config::endpoint endpoint_of(const acceptor& listening);

// The party of clients without a key: "ip:192.0.2.1"; of IPv6 the first 64 bits, the prefix that a provider assigns to
// one customer.
std::string party_of(const boost::asio::ip::address& address);

// A reserved descriptor: released, it lets a port that must answer accept a connection when the process has none left.
class spare_descriptor {
public:
  spare_descriptor() { keep(); }
  ~spare_descriptor() { give_up(); }
  spare_descriptor(const spare_descriptor&) = delete;
  spare_descriptor& operator=(const spare_descriptor&) = delete;
  void keep();    // reserves again after give_up(), if the process has a free descriptor
  bool give_up(); // false: none is reserved

private:
  int held_ = -1;
};

// Logs failures of accept at a bounded rate, so that a flood of connections does not fill the log.
class accept_failures {
public:
  accept_failures(std::string_view event, const cairn::clock& clock);
  void note(const boost::system::error_code& failed);

private:
  const std::string_view event_;
  log_pace pace_;
};

} // namespace cairn::sockets
