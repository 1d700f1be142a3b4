// Reads the bytes of a TLS handshake. Those that complete a record are passed on only when the handshake may compute
// its next step, because OpenSSL computes in the handler that gets them. Each step is a separate handler, so that
// handlers of other connections run in between. Runs on the socket's strand.
#pragma once

#include "base/sockets/strand_socket.hpp"
#include "base/sockets/tls_records.hpp"
#include "base/third_party/asio.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace cairn::sockets {

// The limits of a handshake; empty functions: none. They may be called on any thread.
struct handshake_steps {
  std::function<bool()> charge; // for a step; false: not yet (base/sockets/handshake_pace.hpp)
  // Calls its argument once, when the step may be computed. The step ends when the last copy of the pointer is
  // destroyed.
  std::function<void(std::function<void(std::shared_ptr<void>)>)> turn;
  // Called when the handshake is complete, with the number of its steps.
  std::function<void(unsigned steps)> completed;
};

class handshake_reader {
public:
  using error_code = boost::system::error_code;
  using handler = std::function<void(const error_code& failed, std::size_t bytes)>;

  explicit handshake_reader(strand_socket& socket) : socket_(socket) {} // which outlives it

  void begin(handshake_steps steps);
  void end(bool complete);
  void read_some(boost::asio::mutable_buffer into, handler done);

private:
  using timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, strand>;

  void charge(std::shared_ptr<timer> again, handler done, std::size_t bytes);
  void take_turn(handler done, std::size_t bytes);

  strand_socket& socket_;
  handshake_steps steps_; // empty: no handshake is under way
  tls_records records_;
  unsigned taken_ = 0;
};

} // namespace cairn::sockets
