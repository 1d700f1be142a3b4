// How the body of a PUT is coded and what it has to prove, from the signature and the headers. Pure.
#pragma once

#include "net/s3/body/payload_check.hpp"
#include "net/s3/request.hpp"

#include <boost/beast/http/fields.hpp>

#include <memory>
#include <optional>
#include <variant>

namespace cairn::net {

struct payload_plan {
  std::optional<std::uint64_t> decoded_length; // the body is aws-chunked, and this long without its framing
  std::shared_ptr<signed_chunks> chunks;       // aws-chunked and signed: tell it of each chunk
  std::shared_ptr<checksum_check> checksum;    // its value may come in the trailer
  std::shared_ptr<actors::body_check> check;   // null: nothing to prove
};

std::variant<payload_plan, s3_error> plan_payload(const boost::beast::http::fields& fields, const request& request);

} // namespace cairn::net
