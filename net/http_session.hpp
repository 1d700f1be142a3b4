// One HTTP/1.1 connection: reads heads, hands requests to their operation, writes answers, keeps or closes the
// connection. Everything runs on the connection's strand unless a comment says otherwise.
//
// Life: a session lives while an operation on its socket is pending or an actor holds it (through the exchange of a
// download or upload). An idle connection costs this object and a read buffer of 4 KiB.
//
// Deadlines: header_timeout for a head, idle_timeout between requests and for a body or an answer that makes no
// progress. While actors work on a request there is none here: they have their own.
#pragma once

#include "net/authorize.hpp"
#include "net/head_check.hpp"
#include "net/http_shared.hpp"
#include "net/request.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <optional>
#include <string>
#include <vector>

namespace cairn::net {

// A request whose answer takes more than one step. Owned by the actor that serves it; the session only watches it.
class exchange {
public:
  virtual ~exchange() = default;
  virtual void sent(std::uint64_t number) = 0; // the socket took the part of this number
  virtual void stalled() = 0;                  // the client sent nothing of its body for idle_timeout
  virtual void lost() = 0;                     // the connection is gone; the last call
};

struct pending_write {
  enum class kind : std::uint8_t { part, interim, last };
  kind what = kind::part;
  std::uint64_t number = 0; // part: told to the exchange
  std::string text;
  storage::slice bytes;         // after the text, when it has an owner
  std::shared_ptr<void> hold{}; // let go of when all is written
};

using body_parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;

class http_session : public std::enable_shared_from_this<http_session>, public session_link {
public:
  enum class wait : std::uint8_t { nothing, head, idle, body, write, linger };

  http_session(session_socket socket, std::shared_ptr<http_shared> shared);
  ~http_session();
  http_session(const http_session&) = delete;
  http_session& operator=(const http_session&) = delete;

  // Any thread.
  void start();
  void refuse(); // instead of start: 503 and close
  bool overdue(storage::steady_time now) const;
  void deadline_passed();
  void stop(bool at_once); // else an idle connection closes, a busy one after its answer
  session_strand executor() { return stream_.socket().get_executor(); }
  http_shared& shared() const { return *shared_; }

  // For the operation that serves the request.
  const net::request& current() const { return request_; }
  void choose_part(const part_extent& part) { request_.part = part; } // before the operation reads current()
  bool stalled() const { return stalled_; } // no byte of the body came within http.idle_timeout
  const boost::beast::http::fields& fields() const { return parser_->get(); }
  bool closed() const { return closed_; }
  void begin(std::weak_ptr<exchange> e) { exchange_ = std::move(e); }
  answer_basics basics(); // decides whether the connection stays open after the answer
  // A whole answer made with basics().
  void respond(unsigned status, std::string bytes, std::shared_ptr<void> hold = {});
  void respond_empty(unsigned status, std::string_view header_lines = {});
  void respond_error(const s3_error& problem);
  void respond_failure(const error& reason);     // as its sender may see it; logs faults of the node
  void keep_no_longer() { keep_alive_ = false; } // what follows on the connection cannot be trusted
  void write(pending_write w);
  void status_decided(unsigned status) { status_ = status; }
  void finish(); // every part was written: the request is over
  void close();  // now, whatever is pending

  // The request's body: what buffer() holds comes first, then the socket.
  session_stream& stream() { return stream_; }
  boost::beast::flat_buffer& buffer() { return buffer_; }
  body_parser& parser() { return *parser_; }
  bool chunked() const { return info_.chunked; }
  bool has_length() const { return info_.content_length.has_value(); }
  std::uint64_t body_left() const { return body_left_; } // of Content-Length
  void body_taken(std::uint64_t bytes) { body_left_ -= bytes; }
  void body_complete() { body_whole_ = true; }
  void send_continue(); // when the client waits for it
  void arm(wait what);
  void disarm() { deadline_.store(0, std::memory_order_relaxed); }

private:
  void greet();
  void next_request();
  void read_then(void (http_session::*next)());
  void process_input();
  void handle_head(std::size_t length);
  authorization begin_request(std::string_view head);
  void look_up_access(actors::access_query query);
  void go_on_with(); // the request is let in
  void dispatch();
  void refuse_head(head_refusal refusal);
  void flush();
  void write_rest(std::size_t taken);
  void written();
  bool body_skippable() const;
  void end_request();
  void skip_body();
  void linger();
  void discard_input();
  void say_goodbye();
  void drain_socket();
  void close_idle();
  void on_deadline();
  void record();

  session_stream stream_;
  std::shared_ptr<http_shared> shared_;
  boost::beast::flat_buffer buffer_;
  std::optional<body_parser> parser_;
  net::request request_;
  std::optional<s3_error> unrouted_; // why no operation serves it; told to those who may ask
  std::weak_ptr<exchange> exchange_;
  std::vector<pending_write> writes_;

  std::atomic<storage::steady_time::rep> deadline_{0}; // 0: none
  storage::steady_time started_{};                     // of the request
  head_info info_;
  std::size_t scanned_ = 0; // bytes of buffer_ without an end of head
  std::uint64_t body_left_ = 0, discarded_ = 0;
  unsigned status_ = 0;
  wait waiting_ = wait::nothing;
  bool stalled_ = false;
  void (http_session::*after_read_)() = nullptr;
  bool closed_ = false, writing_ = false, reading_ = false;
  bool busy_ = false;        // between a head and the end of its answer
  bool keep_alive_ = false;  // the client's wish
  bool close_after_ = false; // what the answer said
  bool body_whole_ = false, continued_ = false;
};

} // namespace cairn::net
