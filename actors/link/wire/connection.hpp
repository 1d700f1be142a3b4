// One connection of a node link, from the handshake to its end: TLS, hello and welcome, then frames in both directions
// with heartbeats. The user of the connection interprets the frames.
//
// Everything runs on the socket's strand, the user's methods too, except where a comment says "any thread". A
// connection lives while an operation on its socket is pending or a reference to it exists; it keeps its user until
// on_closed.
//
// It closes itself, with a reason, on: a failed or late handshake, a refused hello, bytes that violate the grammar,
// silence (no byte in `silence_max`, although the peer sends heartbeats), a write without progress for as long, a queue
// of unsent bytes beyond its bound. Silence is counted in ticks of the local timer, so a node that was suspended itself
// does not suspect its peers.
#pragma once

#include "actors/link/wire/frame_parser.hpp"
#include "actors/link/wire/hello.hpp"
#include "actors/link/wire/send_queue.hpp"
#include "actors/link/wire/stream.hpp"
#include "base/third_party/asio.hpp"

#include <chrono>
#include <functional>
#include <mutex>

namespace cairn::actors::link {

struct connection_settings {
  std::chrono::milliseconds handshake_max{5000}; // from start() to an accepted hello
  std::chrono::milliseconds heartbeat{1000};
  std::chrono::milliseconds silence_max{5000}; // at least two heartbeats
  std::size_t unsent_bytes_max = 64 << 20;
};

class connection;

class connection_user {
public:
  virtual ~connection_user() = default;
  // This node's hello and what it requires; the dialer's also states its lane.
  virtual hello_rules rules() = 0;
  // A further check of the peer, for example its membership. An error refuses the peer, with its text.
  virtual result<void> admit(const peer& other) = 0;
  virtual void on_open(connection& c, const hello& theirs) = 0;
  // Where to receive a piece of a payload: exactly header.payload_length bytes; no owner: receive and discard them. An
  // error closes the connection.
  virtual result<slice> place(const frame_header& header, const std::string& meta) = 0;
  // A request, reply, fragment (received at place()) or cancel. An error closes the connection.
  virtual result<void> on_frame(const frame_header& header, std::string meta) = 0;
  virtual void on_closed(const error& why) = 0; // the last call, also for a connection that never opened
};

class connection : public std::enable_shared_from_this<connection>, public stream_user {
public:
  connection(std::unique_ptr<byte_stream> stream, role own, const connection_settings& settings,
             std::shared_ptr<connection_user> user);

  // Any thread.
  void start();
  // False: the queue is full (nothing was queued), or the connection has closed (then on_closed is called).
  bool send(message m);
  void close(error why);

  const peer& other() const { return other_; }            // since on_open
  const std::string& address() const { return address_; } // "10.0.0.7:9100", for logs

private:
  enum class phase : std::uint8_t { handshake, greeting, open, refusing, closed };
  using timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, link_strand>;

  void on_handshake(const boost::system::error_code& failed) override;
  void on_read(const boost::system::error_code& failed, std::size_t bytes) override;
  void on_progress() override { progressed_ = true; }
  void on_written(const boost::system::error_code& failed) override;

  void read();
  result<void> take_frames();
  result<void> place_payload();
  result<void> handle_frame();
  result<void> greet(const hello& theirs);
  result<peer> judge(const hello& theirs);
  void open(const hello& theirs, const peer& other);
  void refuse(const error& why);
  void queue_own(frame_kind kind, std::string meta, errc code = {});
  void start_writing(); // unless writing
  void write();
  void arm(std::chrono::milliseconds time);
  void tick();
  void finish(const error& why);
  std::string read_failure(const boost::system::error_code& failed) const;

  const std::unique_ptr<byte_stream> stream_;
  const role role_;
  const connection_settings settings_;
  std::shared_ptr<connection_user> user_;
  timer timer_;
  std::string address_;

  frame_parser parser_;
  slice placed_; // keeps the buffer of the payload that is being received
  phase phase_ = phase::handshake;
  hello_rules rules_;
  std::optional<uuid> certified_;
  peer other_;
  lane lane_ = lane::control;
  std::vector<sent_frame> batch_; // being written
  std::vector<boost::asio::const_buffer> buffers_;
  error refusal_; // in phase refusing: the reason that the peer is told

  bool received_ = false, progressed_ = false, sent_ = false; // since the last tick
  std::uint32_t receive_idle_ticks_ = 0, send_stalled_ticks_ = 0;

  mutable std::mutex mutex_; // the rest
  send_queue queue_;
  bool writing_ = false, ended_ = false;
};

} // namespace cairn::actors::link
