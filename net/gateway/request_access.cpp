#include "net/gateway/request_access.hpp"

#include "net/wire/grammar/fields.hpp"

namespace cairn::net {

access_entry access_entry_of(const request& request, const boost::beast::http::request_header<>* head,
                             std::string_view address, const request_end& end, wall_ms now) {
  access_entry entry;
  entry.time = now;
  entry.address = address;
  const bool of_role = request.key && request.key->of_user && request.key->of_user->user.is_role();
  entry.user = of_role ? request.key->user : request.claimed_key;
  if (head != nullptr) {
    entry.method = view_of(head->method_string());
    entry.target = view_of(head->target());
    entry.protocol = head->version() == 10 ? "HTTP/1.0" : "HTTP/1.1";
    entry.referer = field_of(*head, "Referer");
    entry.user_agent = field_of(*head, "User-Agent");
  }
  entry.status = end.status;
  entry.whole = end.whole;
  entry.received = end.received;
  entry.sent = end.sent;
  entry.sent_of_body = end.sent_of_body;
  entry.took = end.took;
  entry.first_byte = end.first_byte;
  entry.request = request.basics.request_id;
  entry.operation = request.operation->name;
  entry.bucket = request.target.bucket;
  entry.key = request.target.key;
  return entry;
}

slow_request slow_request_of(const request& request, std::string_view address, const request_end& end, wall_ms now) {
  slow_request slow;
  slow.time = now;
  slow.request = request.basics.request_id;
  slow.address = address;
  slow.access_key = request.claimed_key;
  slow.operation = request.operation->name;
  slow.bucket = request.target.bucket;
  slow.key = without_secrets(request.target.key);
  slow.status = end.status;
  return slow;
}

} // namespace cairn::net
