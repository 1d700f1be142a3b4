#include "net/admin/admin_api.hpp"

#include "base/log.hpp"
#include "net/admin/api_handlers.hpp"
#include "net/admin/cluster_page.hpp"
#include "net/admin/console_files.hpp"
#include "net/wire/grammar/host_check.hpp"

#include <algorithm>
#include <set>

namespace cairn::net {

namespace http = boost::beast::http;

namespace {

// Scripts and styles of this origin only, no frames, no forms that a page could send elsewhere.
constexpr const char* console_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// Not of the API's table: S3 answers, and its audit log has the line.
constexpr std::string_view object_requests_path = "/v1/s3/";
constexpr api_row object_requests_row{.method = http::verb::unknown,
                                      .path = object_requests_path,
                                      .right = api_right::signed_in,
                                      .name = "s3",
                                      .command = {},
                                      .summary = {},
                                      .handle = &handle_objects,
                                      .parameters = {},
                                      .schema = {}};

admin_response console_answer(std::string_view path) {
  if (path == "/console") {
    auto moved = text_response(http::status::permanent_redirect, "");
    moved.set(http::field::location, "/console/");
    return moved;
  }
  const auto file = std::ranges::find(console_files(), path, &console_file::path);
  if (file == console_files().end()) return text_response(http::status::not_found, "there is no such file\n");
  auto r = text_response(http::status::ok, std::string{file->content}, file->type);
  r.set(http::field::cache_control, "no-cache");
  r.set("Content-Security-Policy", console_policy);
  r.set("X-Frame-Options", "DENY");
  r.set("Referrer-Policy", "no-referrer");
  r.set("Cross-Origin-Opener-Policy", "same-origin");
  return r;
}

admin_response method_refused(const std::string& allowed, answer_format format) {
  auto r = refusal(http::status::method_not_allowed, {errc::invalid_argument, "only " + allowed}, format);
  r.set(http::field::allow, allowed);
  return r;
}

bool changes(const admin_request& asked) {
  return asked.method() != http::verb::get && asked.method() != http::verb::head;
}

// Whether the browser declares the request as cross-origin. Browsers send Sec-Fetch-Site only over TLS or to localhost;
// over plain HTTP a cross-origin read has an Origin. For changes, forged() checks Origin.
bool is_of_other_page(const admin_request& asked, bool encrypted) {
  if (!is_own_page(find_field(asked, "Sec-Fetch-Site"))) return true;
  const auto origin = find_field(asked, "Origin");
  return !changes(asked) && origin && !is_same_origin(origin, view_of(asked[http::field::host]), encrypted);
}

// A session's change must prove that a page of this port sends it. nullopt: it does.
std::optional<error> forged(const admin_request& asked, const console_session& session, bool encrypted) {
  if (!is_same_origin(find_field(asked, "Origin"), view_of(asked[http::field::host]), encrypted))
    return error{errc::access_denied, "the header Origin is not this port's"};
  if (!may_command(find_field(asked, "Cairn-CSRF"), session.csrf))
    return error{errc::access_denied, "the header Cairn-CSRF is not the session's"};
  return std::nullopt;
}

// The code of a refusal, or its text.
std::string problem_of(const admin_response& r) {
  constexpr std::size_t bytes_max = 64 << 10;
  if (r.result_int() < 400) return {};
  const auto read = read_json(r.body(), bytes_max, 8);
  const auto* members = read ? read->if_object() : nullptr;
  const auto* code = members != nullptr ? members->if_contains("code") : nullptr;
  if (code != nullptr) return std::string{text_of(*code)};
  return r.body().substr(0, r.body().find('\n'));
}

audit_entry entry_of(const request_target& target, std::string_view operation, std::string subject,
                     const std::string& address) {
  audit_entry entry;
  entry.port = "admin";
  entry.address = address;
  entry.who = "anonymous";
  entry.operation = operation;
  entry.subject = std::move(subject);
  for (const auto& [name, value] : target.query)
    if (name != "format") entry.parameters.emplace_back(name, value);
  return entry;
}

void run(api_services& services, const api_call& call, const admin_done& done) {
  if (services.record) {
    services.record->who = audit_name_of(call.caller);
    if (call.caller.session) services.record->access_key = call.caller.session->key;
  }
  if (call.row.right == api_right::operators && !call.caller.is_operator)
    return done({refusal({errc::access_denied, "only the root key and the admin token may do this"}, call.format)});
  // Logs no parameters, because secrets must not be logged.
  if (call.row.right == api_right::operators && changes(call.request))
    log::info("an operator's command", {{"path", std::string{call.row.path}}, {"name", std::string{call.row.name}}});
  call.row.handle(services, call, done);
}

// Null: each parameter comes once.
const std::string* repeated_in(const std::vector<query_parameter>& query) {
  std::set<std::string_view> seen; // anybody may ask with a head full of parameters
  for (const auto& p : query)
    if (!seen.insert(p.name).second) return &p.name;
  return nullptr;
}

error host_refused() {
  return {errc::access_denied, "Host is none of this port's names (admin.server_names), and the token is missing"};
}

} // namespace

std::string_view audit_name_of(const api_caller& caller) {
  if (!caller.session) return caller.is_operator ? "token" : "anonymous";
  return caller.session->key.empty() ? "token" : caller.is_operator ? "root" : "key";
}

admin_api::admin_api(config::admin_settings settings, admin_options options, const cairn::clock& clock,
                     random_source& random)
    : settings_(std::move(settings)),
      options_(std::move(options)),
      clock_(clock),
      sessions_(clock, random),
      started_(clock.wall()) {}

bool admin_api::has_token(const admin_request& asked) const {
  return may_command(find_field(asked, "Cairn-Token"), options_.token).has_value();
}

// A web page can make its own host name resolve to this port (DNS rebinding), but it does not know the token.
bool admin_api::may_read(const admin_request& asked) const {
  return host_allowed(view_of(asked[http::field::host]), settings_.listen, settings_.server_names) || has_token(asked);
}

api_services admin_api::make_services(bool encrypted) {
  // A host's cookies are common to all its ports, and its nodes have sessions of their own.
  const auto cookie =
      (encrypted ? "__Secure-cairn-console-" : "cairn-console-") + std::to_string(settings_.listen.port);
  return {settings_, options_, clock_, sessions_, cookie, encrypted, node_.load(), started_};
}

bool admin_api::begin_audit(api_services& services, audit_entry entry, bool must_wait, answer_format format,
                            admin_done& done) {
  const auto& log = options_.audit;
  if (!log) return true;
  const auto refused = [format] { return refusal({errc::busy, "the audit log cannot be written"}, format); };
  if (must_wait && !log->accepts()) {
    if (options_.counters) options_.counters->audit_refused.fetch_add(1, std::memory_order_relaxed);
    done({refused()});
    return false;
  }
  entry.time = clock_.wall();
  services.record = std::make_shared<audit_entry>(std::move(entry));
  done = [log, record = services.record, must_wait, refused, then = std::move(done)](admin_answer answer) {
    record->status = answer.response.result_int();
    record->error = problem_of(answer.response);
    auto line = audit_line(*record);
    if (!must_wait) {
      log->append(std::move(line), {});
      return then(std::move(answer));
    }
    log->append(std::move(line), [then, refused, answer = std::move(answer)](bool written) mutable {
      then(written ? std::move(answer) : admin_answer{refused()});
    });
  };
  return true;
}

void admin_api::answer(const admin_request& asked, bool encrypted, const std::string& address, admin_done done) {
  auto target = parse_target(view_of(asked.target()));
  if (!target) return done({refusal(target.error(), answer_format::text)});
  // The name that is checked is the name that was asked for.
  const bool other_name = !target->authority.empty() && target->authority != view_of(asked[http::field::host]);
  if (other_name || asked.count(http::field::host) > 1)
    return done({refusal({errc::invalid_argument, "more than one host is named"}, answer_format::text)});
  const bool of_api = target->path.starts_with("/v1/");
  // The audit log would tell of one value while another one takes effect.
  if (const auto* twice = repeated_in(target->query))
    return done({refusal({errc::invalid_argument, "the parameter \"" + *twice + "\" comes twice"},
                         of_api ? answer_format::json : answer_format::text)});
  if (target->path.starts_with(object_requests_path))
    return objects(asked, std::move(*target), encrypted, std::move(done));
  if (of_api) return api(asked, std::move(*target), encrypted, address, std::move(done));
  const bool of_older = target->path == "/cluster/command" || target->path == "/keys/command";
  if (of_older && asked.method() == http::verb::post)
    return older_command(asked, *target, encrypted, address, std::move(done));
  page(asked, *target, encrypted, done);
}

admin_response admin_api::health(std::string_view path) const {
  if (path == "/health/live") return text_response(http::status::ok, "live\n");
  if (path != "/health/ready")
    return text_response(http::status::not_found, "there is /health/live and /health/ready\n");
  if (stopping_) return text_response(http::status::service_unavailable, "stopping\n");
  const auto status = options_.status();
  return status.ready ? text_response(http::status::ok, "ready\n")
                      : text_response(http::status::service_unavailable, "not ready: " + status.reason + "\n");
}

void admin_api::page(const admin_request& asked, const request_target& target, bool encrypted, const admin_done& done) {
  const std::string_view path = target.path;
  const bool of_health = path.starts_with("/health/");
  if (!of_health && !may_read(asked)) return done({refusal(host_refused(), answer_format::text)});
  if (changes(asked)) return done({method_refused("GET, HEAD", answer_format::text)});
  if (of_health) return done({health(path)});
  if (path == "/metrics")
    return done({text_response(http::status::ok, options_.metrics(), "text/plain; version=0.0.4; charset=utf-8")});
  if (path == "/console" || path.starts_with("/console/")) return done({console_answer(path)});
  if (path == "/cluster") {
    auto services = make_services(encrypted);
    return answer_cluster(services, target.find("format") ? *target.find("format") : std::string{}, answer_format::text,
                          done);
  }
  done({text_response(http::status::not_found,
                      "there is /health/live, /health/ready, /metrics, /console/ and /v1/openapi.json\n")});
}

void admin_api::older_command(const admin_request& asked, const request_target& target, bool encrypted,
                              const std::string& address, admin_done done) {
  const bool of_keys = target.path == "/keys/command";
  auto services = make_services(encrypted);
  auto entry = entry_of(target, of_keys ? "keys/command" : "cluster/command", {}, address);
  if (!begin_audit(services, std::move(entry), true, answer_format::text, done)) return;
  if (const auto may = may_command(find_field(asked, "Cairn-Token"), options_.token); !may)
    return done({text_response(http::status::forbidden, may.error().text + "\n"), true});
  const auto* kind = target.find("kind");
  log::info("an operator's command", {{"path", target.path.substr(1)}, {"kind", kind ? *kind : std::string{}}});
  if (services.record) services.record->who = "token";
  (of_keys ? change_keys : change_cluster)(services, target, answer_format::text, done);
}

void admin_api::api(const admin_request& asked, request_target target, bool encrypted, const std::string& address,
                    admin_done done) {
  auto match = find_api_row(asked.method(), target.path);
  const auto* wanted = target.find("format");
  const auto format = wanted && *wanted == "text" ? answer_format::text : answer_format::json;
  const bool by_token = has_token(asked);
  if (!may_read(asked)) return done({refusal(host_refused(), format)});
  if (match.allowed.empty())
    return done({refusal({errc::not_found, "/v1/openapi.json says which paths there are"}, format)});
  if (!match.row) return done({method_refused(match.allowed, format)});
  auto services = make_services(encrypted);
  const auto& row = *match.row;
  if (changes(asked) && !begin_audit(services, entry_of(target, row.name, match.subject, address),
                                     row.right == api_right::operators, format, done))
    return;
  if (auto good = check_parameters(*match.row, target); !good) return done({refusal(good.error(), format)});
  api_call call{row, asked, std::move(target), std::move(match.subject), {}, format, address};
  if (by_token) {
    call.caller.is_operator = true;
    return run(services, call, done);
  }
  if (call.row.right == api_right::anyone) return run(services, call, done);
  if (const auto sent = find_field(asked, "Cairn-Token"))
    return done({refusal(http::status::forbidden, may_command(sent, options_.token).error(), format), true});
  with_session(std::move(services), std::move(call), std::move(done));
}

void admin_api::objects(const admin_request& asked, request_target target, bool encrypted, admin_done done) {
  if (!may_read(asked)) return done({refusal(host_refused(), answer_format::json)});
  auto bucket = percent_decode(std::string_view{target.path}.substr(object_requests_path.size()), false);
  if (!bucket || bucket->empty() || bucket->find('/') != bucket->npos)
    return done({refusal({errc::not_found, "there is /v1/s3/BUCKET?key=KEY"}, answer_format::json)});
  api_call call{object_requests_row, asked, std::move(target), std::move(*bucket), {}};
  with_session(make_services(encrypted), std::move(call), std::move(done));
}

void admin_api::with_session(api_services services, api_call call, admin_done done) {
  const auto not_signed_in = [format = call.format] {
    auto r = refusal(http::status::unauthorized,
                     {errc::access_denied, "sign in to the console, or send the header Cairn-Token"}, format);
    r.set(http::field::www_authenticate, "Cairn-Token");
    return admin_answer{std::move(r)};
  };
  auto& caller = call.caller;
  caller.session_id = cookie_of(field_of(call.request, "Cookie"), services.cookie);
  // For pages of other ports of this host, too, a browser sends a cookie with SameSite=Strict.
  if (!is_of_other_page(call.request, services.encrypted)) caller.session = sessions_.find(caller.session_id);
  if (!caller.session) return done(not_signed_in());
  if (changes(call.request))
    if (auto why = forged(call.request, *caller.session, services.encrypted)) return done({refusal(*why, call.format)});
  caller.is_operator = caller.session->is_operator;
  if (caller.is_operator) return run(services, call, done);
  if (!services.node) return done({refusal(node_not_open(), call.format)});
  actors::access_query query;
  query.key = caller.session->key;
  const auto node = services.node;
  actors::ask_metadata<actors::found_access>(
      node->keys.node,
      [this, services = std::move(services), call = std::move(call), not_signed_in,
       done = std::move(done)](const result<actors::found_access>& found) mutable {
        if (!found) return done({refusal(found.error(), call.format)});
        if (!found->key) {
          sessions_.end(call.caller.session_id); // the key was deleted
          return done(not_signed_in());
        }
        call.caller.key = found->key;
        run(services, call, done);
      },
      actors::access_atom_v, query);
}

} // namespace cairn::net
