#include "net/gateway/s3_session.hpp"

#include "actors/protocol/errors.hpp"
#include "base/codec.hpp"
#include "base/log.hpp"
#include "base/third_party/asio.hpp"
#include "config/keys.hpp"
#include "net/gateway/ask.hpp"
#include "net/gateway/authorize.hpp"
#include "net/gateway/form_reader.hpp"
#include "net/gateway/request_access.hpp"
#include "net/gateway/request_audit.hpp"
#include "net/gateway/request_tracing.hpp"
#include "net/iam/iam_query.hpp"
#include "net/s3/access.hpp"
#include "net/s3/header_rules.hpp"
#include "net/s3/operations/copy_source.hpp"
#include "net/s3/router.hpp"
#include "net/s3/signed_query.hpp"
#include "net/wire/grammar/fields.hpp"

namespace cairn::net {

namespace {

// Without a zone; IPv4 in its own form.
std::string address_of(http_session& connection) {
  boost::system::error_code failed;
  const auto other_end = connection.stream().socket().remote_endpoint(failed);
  if (failed) return {};
  auto address = other_end.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  auto text = address.to_string();
  return text.substr(0, text.find('%'));
}

s3_error audit_failed(std::string_view what) {
  return {503, "ServiceUnavailable", "The audit log cannot be written. " + std::string{what}, "Retry-After: 1\r\n"};
}

s3_error slow_down(std::string_view why) {
  return {503, "SlowDown", std::string{why}, "Retry-After: 1\r\n"};
}

} // namespace

s3_error timeout_error(end_reason why) {
  switch (why) {
    case end_reason::deadline: return {408, "RequestTimeout", "The body made no progress for http.idle_timeout."};
    case end_reason::rate: return {408, "RequestTimeout", "The body came slower than limits.transfer_rate_min."};
    case end_reason::place:
    case end_reason::memory: break;
  }
  return slow_down("The body made no progress, and other requests needed its resources.");
}

s3_session::s3_session(http_session& connection, std::shared_ptr<s3_gateway> gateway)
    : http_(connection), gateway_(std::move(gateway)) {}

void s3_session::buffer_body(std::size_t bytes, std::function<void()> then) {
  http_.read_body(http_.buffer().prepare(bytes),
                  [session = self(), then = std::move(then)](boost::system::error_code failed, std::size_t n) {
                    auto& connection = session->http_;
                    if (connection.closed()) return;
                    if (failed && connection.stalled())
                      return session->respond_error(timeout_error(*connection.stalled()));
                    if (failed) return connection.close();
                    connection.disarm();
                    connection.received(n);
                    connection.buffer().commit(n);
                    then();
                  });
}

// `head`: null if it was not understood.
void s3_session::begin_records(const boost::beast::http::fields* head) {
  const auto number = gateway_->random.next();
  request_ = {};
  audited_ = false;
  request_.basics.request_id = hex_of(number, 16);
  request_.basics.lines = http_.answer_lines();
  if (address_.empty()) address_ = address_of(http_);
  trace_context_ = {};
  trace_.reset();
  authorization_ = {};
  if (gateway_->logs.traces && head != nullptr) {
    trace_context_ = context_of(*head, number, gateway_->trace_sample, gateway_->random);
    if (trace_context_.sampled) span_seed_ = gateway_->random.next();
  }
  if (!gateway_->measures_requests() && !trace_context_.sampled) return;
  http_.measure();
  if (trace_context_.sampled || gateway_->looks_for_slow_requests()) trace_ = std::make_shared<request_trace>();
  refused_line_.clear();
  authenticating_since_ = {};
  authentication_ = metadata_ = {};
}

void s3_session::handle() {
  begin_records(&fields());
  head_understood_ = true;
  request_.address = address_;
  request_.encrypted = encrypted();
  const auto unreadable = read_head();
  if (exceeds(config::rate_of::address, address_)) return;
  if (unreadable) return respond_error(*unreadable);
  if (request_.operation->query_api) {
    if (!http_.admit({})) return respond_error(slow_down(too_many_connections.reason));
    return request_.operation->serve(self());
  }
  if (const auto refused = begin_audit(request_.operation->changes_data)) return respond_error(*refused);
  if (!request_.operation->takes_form) return authorize_request();
  if (!http_.admit({})) return respond_error(slow_down(too_many_connections.reason));
  read_form(self(), [session = self()](post_form form) { session->take_form(std::move(form)); });
}

void s3_session::take_form(post_form form) {
  request_.target.key = form.key;
  request_.form = std::make_shared<const post_form>(std::move(form));
  authorize_request();
}

void s3_session::authorize_request() {
  read_conditions(fields(), request_);
  if (!request_.operation->takes_form) authenticating_since_ = wait_begins(); // else while the body arrives
  if (trace_ && authenticating_since_ != steady_time{})
    authorization_ = trace().begin(span_name::authorize, authenticating_since_);
  auto decided = authorize(http_.parser().get(), *gateway_, request_);
  if (auto* query = std::get_if<actors::access_query>(&decided)) return look_up_access(std::move(*query));
  const auto* const refused = std::get_if<s3_error>(&decided);
  judged(refused != nullptr ? std::optional{*refused} : std::nullopt);
}

// A key counts what it has signed, also what is refused; a request with a wrong signature counts at its address only. A
// bucket counts what is allowed.
void s3_session::judged(const std::optional<s3_error>& refused) {
  if (key_exceeds()) return;
  if (refused) return respond_error(*refused);
  if (!request_.target.bucket.empty() && exceeds(config::rate_of::bucket, request_.target.bucket)) return;
  proceed();
}

// Whose share a signed request is: anybody can have many temporary credentials, which count as their role or user.
std::string s3_session::counted_key() const {
  const auto& key = request_.key;
  const bool temporary = key && key->of_user && key->of_user->session;
  return temporary ? key->of_user->user.owner_arn() : request_.signer->claim.access_key;
}

bool s3_session::key_exceeds() {
  return request_.signer && exceeds(config::rate_of::key, counted_key());
}

// True: the request was refused and answered.
bool s3_session::exceeds(config::rate_of of, std::string_view name) {
  const auto wait = http_.limit(of, name);
  if (!wait) return false;
  const auto index = static_cast<std::size_t>(of);
  send_error({503, "SlowDown",
              "Please reduce your request rate: it exceeds the limit of the " +
                  std::string{config::names_of(of)[index].first} + " on this node.",
              "Retry-After: " + std::to_string(wait->count()) + "\r\n"});
  return true;
}

void s3_session::authenticate_query(std::string_view service, const std::string& body, std::function<void()> then) {
  auto decided = authenticate(http_.parser().get(), service, body, *gateway_, request_);
  const auto judged = [session = self(), then = std::move(then)](const std::optional<s3_error>& refused) {
    if (session->key_exceeds()) return;
    if (refused) return session->respond_error(*refused);
    then();
  };
  if (const auto* refused = std::get_if<s3_error>(&decided)) return judged(*refused);
  if (std::holds_alternative<authorized>(decided)) return judged(std::nullopt);
  ask<actors::found_access>(
      self(),
      [session = self(), judged](const actors::found_access& found) {
        judged(authorize_with_rows(session->http_.parser().get(), found, *session->gateway_, session->request_));
      },
      actors::access_atom_v, std::get<actors::access_query>(std::move(decided)));
}

std::optional<s3_error> s3_session::begin_query(storage::policy::action act, bool changes, std::string subject) {
  request_.iam = act;
  request_.iam_subject = std::move(subject);
  return begin_audit(changes);
}

void s3_session::refuse(const head_refusal& why) {
  begin_records(nullptr);
  head_understood_ = false;
  if (gateway_->logs.access) refused_line_ = http_.refused_line();
  if (why.status == 503) return respond_error(slow_down(why.reason));
  const std::string_view code = why.status == 501 ? "NotImplemented" : "InvalidRequest";
  respond_error({why.status, code, std::string{why.reason}});
}

std::optional<s3_error> s3_session::read_head() {
  auto& message = http_.parser().get();
  request_.basics.http_1_0 = message.version() == 10;
  request_.head_only = message.method() == boost::beast::http::verb::head;
  auto parsed = parse_s3_target(view_of(message.target()), field_of(message, "Host"), gateway_->domains);
  if (!parsed) return s3_error{400, "InvalidURI", "Bad request target: " + parsed.error().text + "."};
  if (!is_host(parsed->authority)) return s3_error{400, "InvalidURI", "Bad request target: malformed authority."};
  request_.target = std::move(*parsed);
  if (auto refused = refused_repetition(message)) return refused;
  if (auto refused = take_query_headers(message, request_)) return refused;
  auto routed = route(gateway_->operations, view_of(message.method_string()), request_.target, asks_to_copy(message));
  request_.operation = routed.operation;
  request_.route = routed.route;
  unrouted_ = std::move(routed.refused);
  // 501 depends on the request alone and reads no row, so it is answered without authorization.
  if (unrouted_ && unrouted_->status == 501) return *unrouted_;
  return std::nullopt;
}

std::optional<s3_error> s3_session::begin_audit(bool changes) {
  const auto& log = gateway_->logs.audit;
  const auto& operation = *request_.operation;
  const bool reads = !changes && !operation.preflight && &operation != &no_operation;
  if (!log || (!changes && !(gateway_->audits_reads && reads))) return std::nullopt;
  error_ = {};
  version_.reset();
  objects_.clear();
  audited_ = log->accepts();
  if (audited_) return std::nullopt;
  gateway_->metrics.audit_refused.fetch_add(1, std::memory_order_relaxed);
  return audit_failed("Nothing was done.");
}

void s3_session::note_object(audited_object object) {
  if (audited_) objects_.push_back(std::move(object));
}

// One line for the request or, if it names several objects, one for each.
std::string s3_session::audit_lines(unsigned status) {
  auto entry = audit_entry_of(request_, fields(), gateway_->root_access_key, gateway_->clock.wall());
  entry.status = status;
  entry.error = error_;
  add_authority(entry, request_);
  const auto& version = version_ ? version_ : request_.version;
  if (version) entry.version = to_string(*version);
  if (objects_.empty()) return audit_line(entry);
  std::string lines;
  for (auto& object : objects_) {
    entry.key = std::move(object.key);
    entry.version = object.version ? to_string(*object.version) : std::string{};
    entry.status = object.status;
    entry.error = object.error;
    lines += audit_line(entry);
  }
  return lines;
}

// The rows of the access key and of the bucket decide.
void s3_session::look_up_access(actors::access_query query) {
  ask<actors::found_access>(
      self(),
      [session = self()](const actors::found_access& found) {
        const auto& head = session->http_.parser().get();
        session->judged(authorize_with_rows(head, found, *session->gateway_, session->request_));
      },
      actors::access_atom_v, std::move(query));
}

void s3_session::proceed() {
  if (authenticating_since_ != steady_time{}) {
    const auto now = gateway_->clock.now();
    authentication_ = now - std::exchange(authenticating_since_, {});
    std::exchange(authorization_, {}).end(now);
  }
  if (!http_.admit(request_.signer ? counted_key() : std::string{}))
    return respond_error(slow_down(too_many_connections.reason));
  if (unrouted_) return respond_error(*unrouted_);
  if (const auto refused = refused_headers(fields(), *request_.operation, request_.route))
    return respond_unless_denied(*refused);
  if (const auto refused = read_version(request_)) return respond_error(*refused);
  with_known_grantees(self(), grantees_in_head(request_, fields()),
                      [session = self()] { session->request_.operation->serve(session); });
}

answer_basics s3_session::basics() {
  request_.basics.close = http_.closes_after_answer();
  request_.basics.now = gateway_->clock.wall();
  return request_.basics;
}

void s3_session::respond(unsigned status, std::string bytes, std::shared_ptr<void> hold) {
  // A read's line follows its answer: see ended().
  if (!audited_ || !request_.operation->changes_data) return http_.respond(status, std::move(bytes), std::move(hold));
  audited_ = false;
  gateway_->logs.audit->append(audit_lines(status), [session = self(), status, bytes = std::move(bytes),
                                                     hold = std::move(hold)](bool written) mutable {
    const auto on = session->executor();
    boost::asio::post(on, [session = std::move(session), status, bytes = std::move(bytes), hold = std::move(hold),
                           written]() mutable {
      if (session->closed()) return;
      if (written) return session->http_.respond(status, std::move(bytes), std::move(hold));
      session->respond_error(audit_failed("Whether the request was carried out is not told."));
    });
  });
}

void s3_session::respond_empty(unsigned status, std::string_view header_lines) {
  respond(status, whole_answer(status, basics(), {}, {}, header_lines, request_.head_only));
}

void s3_session::respond_error(const s3_error& problem) {
  if (problem.code == "SlowDown") gateway_->metrics.slow_down.fetch_add(1, std::memory_order_relaxed);
  send_error(problem);
}

void s3_session::send_error(const s3_error& problem) {
  if (request_.operation->query_api) return respond_iam_error(as_iam_error(problem));
  if (audited_) error_ = problem.code;
  respond(problem.status, error_answer(problem, basics(), request_.resource(), request_.head_only));
}

void s3_session::respond_iam_error(const s3_error& problem) {
  const auto name_space = to_string(request_.iam).starts_with("sts:") ? sts_name_space : iam_name_space;
  if (audited_) error_ = problem.code;
  respond(problem.status,
          whole_answer(problem.status, basics(), "text/xml",
                       iam_error_xml(problem, request_.basics.request_id, name_space), problem.headers));
}

// Whether the bucket's policy was evaluated, if it must be. Requests that the configuration allows look the object up
// without reading the bucket's row first.
bool s3_session::is_judged() const {
  return request_.bucket || request_.by.by != storage::metadata::allowed_by::configuration;
}

void s3_session::with_bucket_of_authorization(then_bucket then) {
  if (request_.bucket) return then(request_.bucket);
  look_up_bucket(std::move(then));
}

void s3_session::look_up_bucket(then_bucket then) {
  ask_result<actors::found_access>(
      self(),
      [then = std::move(then)](const result<actors::found_access>& found) { then(found ? found->bucket : nullptr); },
      actors::access_atom_v, actors::access_query{{}, request_.target.bucket, {}});
}

void s3_session::respond_failure(const error& reason) {
  if (is_judged() || !tells_of_objects(reason)) return respond_error_of(reason);
  look_up_bucket([session = self(), reason](auto bucket) {
    session->request_.bucket = std::move(bucket);
    session->respond_error_of(reason);
  });
}

// A request that the bucket's policy denies is denied, whatever else is wrong with it.
void s3_session::respond_unless_denied(const s3_error& problem) {
  if (is_judged() || request_.target.bucket.empty()) return respond_error(problem);
  look_up_bucket([session = self(), problem](const auto& bucket) {
    const auto denied = bucket ? denied_by_policy(session->request_, *bucket) : std::nullopt;
    session->respond_error(denied ? *denied : problem);
  });
}

void s3_session::respond_error_of(const error& reason) {
  const auto problem = s3_error_of(seen_by(request_, reason));
  if (actors::is_fault(reason.code)) {
    log::warn("request failed", {{"request", request_.basics.request_id},
                                 {"bucket", request_.target.bucket},
                                 {"key", request_.target.key},
                                 {"status", std::uint64_t{problem.status}},
                                 {"error", to_string(reason)}});
  }
  respond_error(problem);
}

// Waits within the authentication are part of it, and those while the body arrives delay nothing.
void s3_session::metadata_answered(steady_time asked, steady_time answered) {
  if (authenticating_since_ == steady_time{} && !http_.reads_body()) metadata_ += answered - asked;
}

void s3_session::log_access(const request_end& end) {
  auto& log = *gateway_->logs.access;
  if (!log.accepts()) {
    gateway_->metrics.access.lost.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  auto entry = access_entry_of(request_, head_understood_ ? &http_.parser().get().base() : nullptr, address_, end,
                               gateway_->clock.wall());
  entry.refused_line = refused_line_;
  const bool json = gateway_->access_format == config::access_log_format::json;
  log.append(json ? access_json_line(entry) : combined_line(entry), {});
}

trace_scope s3_session::begin_span(span_name name, steady_time at) const {
  if (!trace_) return {};
  return (authorization_ ? authorization_ : trace()).begin(name, at);
}

// nullopt: the request was not slow.
std::optional<request_phases> s3_session::slow_phases(const request_end& end) {
  const auto least = gateway_->slow_request_time.load(std::memory_order_relaxed);
  if (least == config::duration{0} || end.took < least) return std::nullopt;
  if (authenticating_since_ != steady_time{}) authentication_ = end.took; // it was refused there
  const auto phases = phases_of({end.took, end.body, authentication_, metadata_, end.first_byte});
  return phases.server < least ? std::nullopt : std::optional{phases};
}

void s3_session::end_measurement(const request_end& end) {
  const auto phases = slow_phases(end);
  const auto recording = std::exchange(trace_, nullptr);
  authorization_ = {};
  const bool is_sampled = recording && trace_context_.sampled;
  if (!phases && !is_sampled) return;
  auto spans = recording ? recording->close(end.began + end.took) : request_trace::recorded{};
  const auto now = gateway_->clock.wall();
  if (phases) {
    auto slow = slow_request_of(request_, address_, end, now);
    slow.phases = *phases;
    slow.began = end.began;
    slow.spans = spans;
    if (is_sampled) slow.trace = hex_of(trace_context_.trace);
    gateway_->logs.slow->note(std::move(slow));
  }
  if (!is_sampled) return;
  auto exported = traced_request_of(request_, address_, end, now);
  exported.context = trace_context_;
  exported.span_seed = span_seed_;
  exported.spans = std::move(spans.spans);
  exported.left_out = spans.left_out;
  gateway_->logs.traces->offer(std::move(exported));
}

void s3_session::ended(const request_end& end) {
  const auto status = end.status;
  if (std::exchange(audited_, false)) gateway_->logs.audit->append(audit_lines(status), {});
  if (gateway_->logs.access) log_access(end);
  if (http_.measured()) end_measurement(end);
  const auto us = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(end.took).count());
  auto& counters = gateway_->counters_of(*request_.operation);
  counters.by_status_class[status / 100 % counters.by_status_class.size()].fetch_add(1, std::memory_order_relaxed);
  counters.duration.observe_us(us);
  if (!log::enabled(log::level::debug)) return;
  log::debug("request", {{"request", request_.basics.request_id},
                         {"bucket", request_.target.bucket},
                         {"key", request_.target.key},
                         {"status", std::uint64_t{status}},
                         {"us", us}});
}

} // namespace cairn::net
