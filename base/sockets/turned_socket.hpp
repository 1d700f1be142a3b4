// A server's socket as Asio's TLS sees it. During a handshake the bytes that complete a record are passed on only when
// the handshake may compute its next step, because OpenSSL computes in the handler that gets them. Each step is a
// separate handler, so that handlers of other connections run in between. Runs on the socket's strand.
#pragma once

#include "base/sockets/tls_records.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

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

template <class Socket> // or a reference to one
class turned_socket {
  using plain_socket = std::remove_reference_t<Socket>;
  using timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                        typename plain_socket::executor_type>;
  using error_code = boost::system::error_code;

public:
  using executor_type = typename plain_socket::executor_type;
  using lowest_layer_type = typename plain_socket::lowest_layer_type;

  explicit turned_socket(Socket socket) : socket_(std::forward<Socket>(socket)) {}
  executor_type get_executor() { return socket_.get_executor(); }
  lowest_layer_type& lowest_layer() { return socket_.lowest_layer(); }
  plain_socket& socket() { return socket_; }

  void begin(handshake_steps steps) {
    steps_ = std::move(steps);
    records_ = {};
    taken_ = 0;
  }
  void end(bool complete) {
    if (const auto steps = std::exchange(steps_, {}); complete && steps.completed) steps.completed(taken_);
  }

  template <class Handler>
  void async_read_some(boost::asio::mutable_buffer into, Handler done) {
    if (!steps_.charge && !steps_.turn) return socket_.async_read_some(into, std::move(done));
    socket_.async_read_some(
        into, [this, into, done = std::make_shared<Handler>(std::move(done))](error_code failed, std::size_t bytes) {
          if (failed || records_.take({static_cast<const std::byte*>(into.data()), bytes}) == 0)
            return (*done)(failed, bytes); // nothing to compute
          ++taken_;
          charge(nullptr, std::move(done), bytes);
        });
  }
  template <class Buffers, class Handler>
  void async_write_some(const Buffers& from, Handler done) {
    socket_.async_write_some(from, std::move(done));
  }

private:
  static constexpr std::chrono::milliseconds charge_again{100};

  // Charges the step, now or later. A connection that was closed meanwhile ends here.
  template <class Handler>
  void charge(std::shared_ptr<timer> again, std::shared_ptr<Handler> done, std::size_t bytes) {
    if (!socket_.is_open()) return (*done)(boost::asio::error::operation_aborted, 0);
    if (!steps_.charge || steps_.charge()) return take_turn(std::move(done), bytes);
    if (!again) again = std::make_shared<timer>(get_executor());
    auto& waits = *again;
    waits.expires_after(charge_again);
    waits.async_wait([this, again = std::move(again), done = std::move(done), bytes](error_code) mutable {
      charge(std::move(again), std::move(done), bytes);
    });
  }

  template <class Handler>
  void take_turn(std::shared_ptr<Handler> done, std::size_t bytes) {
    if (!steps_.turn) return boost::asio::post(get_executor(), [done, bytes] { (*done)(error_code{}, bytes); });
    steps_.turn([on = get_executor(), done, bytes](std::shared_ptr<void> mine) {
      boost::asio::post(on, [done, bytes, mine = std::move(mine)] { (*done)(error_code{}, bytes); });
    });
  }

  Socket socket_;
  handshake_steps steps_; // empty: no handshake is under way
  tls_records records_;
  unsigned taken_ = 0;
};

} // namespace cairn::sockets
