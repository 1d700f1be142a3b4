// One HTTP/1.1 connection: reads heads, passes requests to its request_handler, writes answers, keeps or closes the
// connection. Everything runs on the connection's strand unless a comment says otherwise.
//
// Lifetime: a session lives while an operation on its socket is pending or an actor holds it (through the exchange of a
// download or upload). An idle connection costs this object and a read buffer of 8 KiB.
//
// Deadlines: header_timeout for a head, idle_timeout between requests and for a body or an answer that makes no
// progress, and limits.transfer_rate_min. While actors work on a request there is no deadline here: they have their
// own. Nor is there one while limits.rates make the client wait. A connection whose client makes no progress is evicted
// (net/wire/eviction.hpp) when others need its place or its memory.
#pragma once

#include "base/memory/buffer_pool.hpp"
#include "base/third_party/beast.hpp"
#include "net/wire/eviction.hpp"
#include "net/wire/grammar/head_check.hpp"
#include "net/wire/http_shared.hpp"
#include "net/wire/request_handler.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cairn::net {

struct pending_write {
  enum class kind : std::uint8_t { part, interim, last }; // interim: exchange::sent is not called
  kind what = kind::part;
  std::uint64_t number = 0; // of a part: passed to exchange::sent
  std::string text;
  slice bytes;                  // after the text, when it has an owner
  std::shared_ptr<void> hold{}; // released when everything is written
  bool ends = false;            // of a part: nothing of the answer follows
};

struct pace_wait; // a pause for limits.rates

using body_parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;

// The state of a connection as the server's sweep sees it.
struct session_activity {
  standing kind = standing::active;
  std::chrono::nanoseconds since{0}; // without progress
  bool slow = false;                 // progress, but hardly any (net/wire/eviction.hpp)
  std::size_t held_bytes = 0;
  std::uint64_t bytes_per_second = 0; // of the body or the answer, while waiting for the client
  std::uint64_t transfer = 0;         // number of the transfer on this connection
  account_ptr party;
};

class http_session : public std::enable_shared_from_this<http_session>, public session_link {
public:
  enum class wait : std::uint8_t { nothing, head, idle, body, write, linger };

  // `address`: the account of the client's address.
  http_session(adopted_connection connection, std::shared_ptr<http_shared> shared, account_ptr address = nullptr);
  ~http_session();
  http_session(const http_session&) = delete;
  http_session& operator=(const http_session&) = delete;

  // Any thread. `beyond`: the connection exceeds limits.connections. Its first request is answered 503 if its key, or
  // its address, has many connections.
  void start(bool beyond = false);
  void refuse(); // instead of start: answers 503 and closes
  bool overdue(steady_time now) const;
  bool too_slow(steady_time now); // the sweep only
  std::size_t held_bytes() const { return held_.load(std::memory_order_relaxed); }
  session_activity activity(steady_time now) const;         // the sweep only
  void evict(end_reason why, const session_activity& seen); // if the client has made no progress since `seen`
  void stop(bool at_once);                                  // not at once: closes when idle, or after the answer
  session_strand executor() { return stream_->socket().get_executor(); }
  http_shared& shared() const { return *shared_; }

  // For the handler of the request.
  const boost::beast::http::fields& fields() const { return parser_->get(); }
  // Charges the request to the account of the access key, or without one to that of the address. False: the connection
  // exceeds limits.connections and its party has many; it closes after the answer.
  [[nodiscard]] bool admit(std::string_view key);
  // Counts the request at its address, key or bucket (limits.rates), and paces its bytes by their limits until it ends.
  // nullopt: it may go on; else the time for Retry-After.
  std::optional<std::chrono::seconds> limit(config::rate_of of, std::string_view name);
  const account_ptr& payer() const { return payer_; }                   // of the request's memory
  const std::optional<end_reason>& stalled() const { return stalled_; } // why the small body did not arrive
  bool closed() const { return closed_; }
  bool encrypted() const { return stream_->encrypted(); }
  // Complete header lines for every answer of this connection; empty but for an adopted one.
  const std::string& answer_lines() const { return answer_lines_; }
  // The request's end is to tell of its body and of its answer's first byte, which costs a few readings of the clock.
  // From handle() or refuse().
  void measure() { measured_ = true; }
  bool measured() const { return measured_; }
  bool reads_body() const { return body_begun_ != steady_time{} && body_ended_ == steady_time{}; } // measured() only
  std::string_view refused_line() const; // in refuse(): what was read of the first line, at most 2 KiB
  void begin(std::weak_ptr<exchange> e) { exchange_ = std::move(e); }
  bool closes_after_answer(); // decides whether to close, for the answer's head
  // Sends a whole answer, whose head must agree with closes_after_answer().
  void respond(unsigned status, std::string bytes, std::shared_ptr<void> hold = {});
  void disable_keep_alive() { keep_alive_ = false; } // the connection's further bytes cannot be interpreted
  void write(pending_write w);
  void status_decided(unsigned status) { status_ = status; }
  void finish(); // every part was written: the request has ended
  void close();  // at once, with pending operations

  // For the request's body: first the bytes in buffer(), then the socket.
  session_stream& stream() { return *stream_; }
  boost::beast::flat_buffer& buffer() { return buffer_; }
  body_parser& parser() { return *parser_; }
  bool chunked() const { return info_.chunked; }
  bool has_length() const { return info_.content_length.has_value(); }
  std::uint64_t body_left() const { return body_left_; } // of Content-Length
  void body_taken(std::uint64_t bytes) { body_left_ -= bytes; }
  void body_complete();
  // Reads more of the body as soon as the limits of the request allow it. `done(failed, bytes)` as of async_read_some.
  template <class Buffers, class Handler>
  void read_body(const Buffers& into, Handler done) {
    if (rate_ticket_.paces()) return read_paced(two_buffers(into), std::move(done));
    arm(wait::body);
    stream_->async_read_some(first_of(two_buffers(into), call_bytes()), std::move(done));
  }
  void cancel_read();               // its handler gets an error, or what it had read
  void send_continue();             // if the client expects it
  void received(std::size_t bytes); // counts bytes that were read from the socket, of a head or a body
  // Sets the bytes of the pool that the request holds while it waits for its client.
  void holds(std::size_t bytes) { held_.store(bytes, std::memory_order_relaxed); }
  // Charges `bytes` of limits.memory for the request's body or answer until the request ends; replaces an earlier
  // charge. False: its key or address may not use so much, and the earlier charge stays.
  [[nodiscard]] bool charge(std::size_t bytes);
  void collects(bool now) { collects_.store(now, std::memory_order_relaxed); } // the handler collects a small body
  void arm(wait what);
  void disarm() { deadline_.store(0, std::memory_order_relaxed); }

private:
  void greet();
  void greeted();
  void choose_payer(std::string_view key);
  bool has_many() const; // whether the party has many connections
  using body_handler = std::function<void(const boost::system::error_code&, std::size_t)>;
  using two_targets = std::array<boost::asio::mutable_buffer, 2>;
  static two_targets two_buffers(const two_targets& into) { return into; }
  static two_targets two_buffers(const boost::asio::mutable_buffer& into) { return {into, {}}; }
  static two_targets first_of(two_targets buffers, std::size_t most);
  void read_paced(two_targets into, body_handler done);
  bool is_paced(const pending_write& w) const;
  void write_paced(std::size_t sent);
  bool takes_turns() const; // whether large answers wait for turns; the party counts as one that has work
  using after_pace = std::function<void(bool cancelled)>;
  void pace(std::shared_ptr<pace_wait>& slot, after_pace then);
  void wait_for_pace(const std::shared_ptr<pace_wait>& slot, steady_time until, after_pace then);
  static void cancel_pace(const std::shared_ptr<pace_wait>& slot);
  void moved(std::uint64_t bytes) { // only the strand writes
    moved_.store(moved_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  }
  void next_transfer();
  void begin_request();
  void note_answer(const pending_write& w);
  void next_request();
  void read_then(void (http_session::*next)());
  void process_input();
  void handle_head(std::size_t length);
  bool read_fields(std::string_view head);
  void refuse_head(head_refusal refusal);
  void flush();
  void write_piece(std::size_t taken, std::size_t most);
  void write_rest(std::size_t sent);
  void write_in_turn(std::size_t sent, std::size_t most);
  bool drop_writes_if_closed();
  std::size_t call_bytes() const; // of a system call
  std::size_t turn_bytes() const; // of a piece that has its turn
  void hold_writes();
  void written();
  bool body_skippable() const;
  void end_request();
  void skip_body();
  void linger();
  void discard_input();
  void close_tls();
  void drain_socket();
  void close_idle();
  http_shared::stop_phase phase() const;
  bool has_input() const;
  steady_time armed_at() const;
  void end(end_reason why, const session_activity& seen);
  bool client_reads(end_reason why, bool slow, steady_time now);
  void end_body(end_reason why);
  void count_end(end_reason why);
  void record(bool whole);

  const std::unique_ptr<session_stream> stream_;
  const std::string answer_lines_;
  std::shared_ptr<http_shared> shared_;
  boost::beast::flat_buffer buffer_;
  std::optional<body_parser> parser_;
  std::unique_ptr<request_handler> handler_;
  std::weak_ptr<exchange> exchange_;
  std::vector<pending_write> writes_;

  // Written on the strand, read by the sweep too.
  std::atomic<steady_time::rep> deadline_{0}; // 0: none
  std::atomic<steady_time::rep> armed_at_{
      0}; // since when the session waits for the client, or the client's last progress
  std::atomic<wait> waiting_{wait::nothing};
  std::atomic<std::uint64_t> moved_{0};     // bytes received and sent
  std::atomic<std::uint64_t> transfers_{0}; // counts each head and each end of an answer
  std::atomic<std::size_t> held_{0};
  std::atomic<std::int64_t> paced_time_{0}; // ns in which limits.rates made the client wait
  std::atomic<bool> collects_{false};
  std::atomic<account_ptr> party_; // payer_, for the sweep
  transfer_pace pace_;             // used by the sweep, with the registry locked

  // Used on the strand, before a reader is ended.
  delivery_pace delivered_per_window_, delivered_under_pressure_;
  std::uint64_t delivered_ = 0; // last measured

  memory_charge charge_; // of the request
  rate_ticket rate_ticket_;
  std::shared_ptr<pace_wait> read_pace_, write_pace_; // null: never needed on this connection
  const account_ptr address_;
  account_ptr payer_;
  steady_time started_{};                            // of the request
  std::uint64_t received_ = 0, received_before_ = 0; // bytes of the connection, and of them those before the request
  std::uint64_t sent_ = 0, sending_ = 0;             // bytes of the answer; the second: by the pending write
  std::uint64_t sent_heads_ = 0;                     // of them no body
  steady_time body_begun_{}, body_ended_{}, answer_begun_{}; // {}: not yet
  head_info info_;
  std::size_t scanned_ = 0; // bytes of buffer_ without an end of head
  std::uint64_t body_left_ = 0, discarded_ = 0;
  unsigned status_ = 0;
  std::optional<end_reason> stalled_;
  void (http_session::*after_read_)() = nullptr;
  bool closed_ = false, writing_ = false, reading_ = false;
  bool awaits_turn_ = false; // a write that no operation has begun yet
  bool busy_ = false;        // between a head and the end of its answer
  bool keep_alive_ = false;  // as the client requested
  bool close_after_ = false; // as the answer's head says
  bool body_whole_ = false, continued_ = false;
  bool handshaking_ = false; // a TLS handshake is in progress
  bool over_limit_ = false;
  bool measured_ = false;
  bool paced_ = false; // the request has waited for limits.rates
};

} // namespace cairn::net
