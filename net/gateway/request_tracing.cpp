#include "net/gateway/request_tracing.hpp"

#include "net/wire/grammar/fields.hpp"

#include <iterator>

namespace cairn::net {

namespace {

constexpr std::size_t traced_bytes_max = 1024; // longer ones are refused, but have a request, too

} // namespace

trace_context context_of(const boost::beast::http::fields& head, std::uint64_t number, double ratio,
                         random_source& random) {
  const auto [first, last] = head.equal_range("traceparent");
  if (first != last && std::next(first) == last)
    if (const auto given = parse_traceparent(view_of(first->value()))) return *given;
  trace_context out;
  out.sampled = is_sampled(number, ratio);
  if (out.sampled) out.trace = make_trace_id(random.next(), number);
  return out;
}

traced_request traced_request_of(const request& request, std::string_view address, const request_end& end,
                                 wall_ms now) {
  traced_request out;
  out.id = request.basics.request_id;
  out.operation = request.operation->name;
  out.bucket = request.target.bucket.substr(0, traced_bytes_max);
  out.key = request.target.key.substr(0, traced_bytes_max);
  out.address = address;
  out.status = end.status;
  out.began_at = std::chrono::milliseconds{now} - end.took;
  out.began = end.began;
  out.took = end.took;
  return out;
}

} // namespace cairn::net
