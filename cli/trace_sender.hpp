// Sends the bodies of a span_exporter to the collector of trace.endpoint: one POST and one connection for each.
#pragma once

#include "net/trace/span_exporter.hpp"

#include <string>

namespace cairn::cli {

// invalid_argument: not an http or https URL. What the sender answers: the errors of http_client, and io_error for an
// answer other than 2xx.
result<net::span_exporter::sender> make_trace_sender(const std::string& endpoint);

} // namespace cairn::cli
