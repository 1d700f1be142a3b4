// The coding and the checks of a PUT's body, from the signature and the headers. Pure.
#pragma once

#include "base/third_party/beast_message.hpp"
#include "net/s3/body/payload_check.hpp"
#include "net/s3/form/form_parser.hpp"
#include "net/s3/request.hpp"

#include <memory>
#include <optional>
#include <variant>

namespace cairn::net {

struct payload_plan {
  std::optional<std::uint64_t> decoded_length; // the body is aws-chunked; its length without framing
  std::optional<form_file> file;               // the body is a form; what follows its fields
  std::shared_ptr<signed_chunks> chunks;       // aws-chunked and signed: announce each chunk to it
  std::shared_ptr<checksum_check> checksum;    // its value may follow in the trailer
  std::shared_ptr<actors::body_check> check;   // null: nothing to check
};

std::variant<payload_plan, s3_error> plan_payload(const boost::beast::http::fields& fields, const request& request);

} // namespace cairn::net
