#include "net/admin/admin_http.hpp"

namespace cairn::net {

namespace http = boost::beast::http;

namespace {

http::status status_of(errc code) {
  switch (code) {
    case errc::invalid_argument: return http::status::bad_request;
    case errc::access_denied: return http::status::forbidden;
    case errc::no_such_bucket:
    case errc::no_such_access_key:
    case errc::no_such_identity:
    case errc::not_found: return http::status::not_found;
    case errc::too_large:
    case errc::precondition_failed: return http::status::conflict;
    case errc::unsupported: return http::status::not_implemented;
    case errc::timeout: return http::status::gateway_timeout;
    case errc::no_leader:
    case errc::busy:
    case errc::stopping:
    case errc::secret_sealed:
    case errc::connection_lost: return http::status::service_unavailable;
    default: return http::status::internal_server_error;
  }
}

} // namespace

admin_response text_response(http::status status, std::string body, std::string_view type) {
  admin_response r{status, 11};
  r.set(http::field::server, "Cairn");
  r.set(http::field::content_type, beast_view(type));
  r.set(http::field::cache_control, "no-store");
  r.set("X-Content-Type-Options", "nosniff");
  r.set("Cross-Origin-Resource-Policy", "same-origin");
  r.body() = std::move(body);
  r.keep_alive(false);
  r.prepare_payload();
  return r;
}

admin_response json_response(const json_value& value, http::status status) {
  return text_response(status, json_text(value) + "\n", "application/json");
}

admin_response refusal(http::status status, const error& why, answer_format format) {
  auto text = why.text.empty() ? std::string(to_string(why.code)) : why.text;
  if (format == answer_format::text) return text_response(status, text + "\n");
  return json_response(json_object{{"code", to_string(why.code)}, {"message", text}}, status);
}

admin_response refusal(const error& why, answer_format format) {
  return refusal(status_of(why.code), why, format);
}

} // namespace cairn::net
