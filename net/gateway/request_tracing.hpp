// How a request of S3 takes part in a trace: whether it is sampled, and what is exported about it.
#pragma once

#include "base/seams.hpp"
#include "base/third_party/beast_message.hpp"
#include "net/s3/request.hpp"
#include "net/trace/otlp.hpp"
#include "net/wire/request_handler.hpp"

namespace cairn::net {

// The sender decides with a valid header `traceparent`; without one, or with several, `ratio` does. `number`: random.
trace_context context_of(const boost::beast::http::fields& head, std::uint64_t number, double ratio,
                         random_source& random);

// Without spans. `now`: of its end.
traced_request traced_request_of(const request& request, std::string_view address, const request_end& end, wall_ms now);

} // namespace cairn::net
