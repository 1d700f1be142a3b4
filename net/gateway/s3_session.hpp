// Handles the S3 requests of one HTTP connection, one at a time: parses and authorizes a request, calls the handler of
// its operation, sends answers. On the connection's strand.
//
// Handlers of operations hold a session_ptr, which keeps the connection alive.
#pragma once

#include "base/trace/spans.hpp"
#include "base/trace/trace_context.hpp"
#include "net/gateway/s3_gateway.hpp"
#include "net/s3/request.hpp"
#include "net/wire/http_session.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cairn::net {

// What became of one of the objects that a request names in its body.
struct audited_object {
  std::string key;
  std::optional<storage::metadata::version_id> version;
  unsigned status = 0;
  std::string_view error{}; // S3's code; empty: none
};

class s3_session;
using session_ptr = std::shared_ptr<s3_session>;

class s3_session final : public request_handler {
public:
  s3_session(http_session& connection, std::shared_ptr<s3_gateway> gateway);

  void handle() override;
  void refuse(const head_refusal& why) override;
  void ended(const request_end& end) override;

  s3_gateway& shared() const { return *gateway_; }
  const net::request& current() const { return request_; }
  void choose_part(const part_extent& part) { request_.part = part; } // before the operation reads current()

  answer_basics basics(); // decides whether the connection stays open after the answer
  // Sends a whole answer made with basics(), after the request's line is in the audit log, if it needs one.
  void respond(unsigned status, std::string bytes, std::shared_ptr<void> hold = {});
  void respond_empty(unsigned status, std::string_view header_lines = {});
  void respond_error(const s3_error& problem);
  void respond_failure(const error& reason); // as the sender may see it; logs faults of the node

  // `then` gets the row of the request's bucket, as it was when the request was authorized or is now; null: it cannot
  // be read.
  using then_bucket = std::function<void(std::shared_ptr<const storage::metadata::bucket_row>)>;
  void with_bucket_of_authorization(then_bucket then);

  // For the audit log: the version that the request made or removed, and objects that are told apart.
  void note_version(const std::optional<storage::metadata::version_id>& id) { version_ = id; }
  void note_object(audited_object object);

  // Begins a span of the request that is recorded, if it is: within the authorization while that lasts.
  trace_scope begin_span(span_name name, steady_time at) const;
  trace_scope trace() const { return {trace_, 0}; }

  // For the log of slow requests: the clock, {} if the request is not measured; and the end of a wait for the metadata
  // that began then. The first on any thread.
  steady_time wait_begins() const { return http_.measured() ? gateway_->clock.now() : steady_time{}; }
  void metadata_answered(steady_time asked, steady_time answered);
  // Of IAM's API: `then` is called when the signature, which covers the body, is that of the root key or of an access
  // key that exists; otherwise the session answers.
  void authenticate_query(std::string_view service, const std::string& body, std::function<void()> then);
  // What the request asks for is known now: begins its audit, if it needs one. ServiceUnavailable: that is not
  // possible.
  std::optional<s3_error> begin_query(storage::policy::action act, bool changes, std::string subject);

  // The token of a request is one of this web identity.
  void note_web_identity(std::string name) { request_.web_identity = std::move(name); }

  // The connection: for reading a body or writing an answer in parts.
  http_session& http() { return http_; }
  session_strand executor() { return http_.executor(); }
  bool closed() const { return http_.closed(); }
  bool encrypted() const { return http_.encrypted(); }
  const boost::beast::http::fields& fields() const { return http_.fields(); }
  const account_ptr& payer() const { return http_.payer(); }
  [[nodiscard]] bool charge(std::size_t bytes) { return http_.charge(bytes); } // of limits.memory (http_session.hpp)
  // Reads at most so many bytes of the body into the connection's buffer. If none come, the session answers.
  void buffer_body(std::size_t bytes, std::function<void()> then);

private:
  session_ptr self() { return {http_.shared_from_this(), this}; }
  std::optional<s3_error> read_head();
  std::optional<s3_error> begin_audit(bool changes);
  std::string audit_lines(unsigned status);
  void begin_records(const boost::beast::http::fields* head);
  void log_access(const request_end& end);
  std::optional<request_phases> slow_phases(const request_end& end);
  void end_measurement(const request_end& end);
  void take_form(post_form form);
  void authorize_request();
  void judged(const std::optional<s3_error>& refused);
  bool exceeds(config::rate_of of, std::string_view name);
  std::string counted_key() const;
  bool key_exceeds();
  void look_up_access(actors::access_query query);
  void proceed(); // the request is authorized
  bool is_judged() const;
  void look_up_bucket(then_bucket then);
  void respond_error_of(const error& reason);
  void respond_iam_error(const s3_error& problem);
  void respond_unless_denied(const s3_error& problem);
  void send_error(const s3_error& problem);

  http_session& http_;
  const std::shared_ptr<s3_gateway> gateway_;
  net::request request_;
  std::string address_;              // of the client's socket
  std::optional<s3_error> unrouted_; // the refusal of a request without an operation; sent after authorization

  // Of the request, for the audit log.
  bool audited_ = false; // it gets a line, which is not written yet
  std::string_view error_;
  std::optional<storage::metadata::version_id> version_;
  std::vector<audited_object> objects_;

  // Of the request, for the access log and the log of slow requests.
  bool head_understood_ = false;
  std::string refused_line_;           // of a head that was not
  steady_time authenticating_since_{}; // {}: it is not
  std::chrono::nanoseconds authentication_{0}, metadata_{0};

  // Of the request, for its spans.
  trace_context trace_context_;
  std::uint64_t span_seed_ = 0;
  std::shared_ptr<request_trace> trace_; // null: it is not recorded
  trace_scope authorization_;
};

// The answer when the session stops waiting for the client's body.
s3_error timeout_error(end_reason why);

} // namespace cairn::net
