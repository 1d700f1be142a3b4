// GetObjectAttributes: the request's headers and the answer's document. Pure.
#pragma once

#include "actors/protocol/values/objects.hpp"
#include "base/third_party/beast_message.hpp"
#include "net/s3/xml/s3_errors.hpp"

#include <string>
#include <variant>

namespace cairn::net {

struct attributes_request {
  bool etag = false, checksum = false, parts = false, storage_class = false, size = false;
  std::uint32_t parts_max = 1000, after = 0; // x-amz-max-parts, x-amz-part-number-marker
};
// x-amz-object-attributes: a list of names. InvalidArgument: an empty list, or a name that S3 does not know.
std::variant<attributes_request, s3_error> read_attributes_request(const boost::beast::http::fields& fields);

// `found`: at most parts_max + 1 parts; the additional one only shows that there are more.
std::string attributes_xml(const attributes_request& request, const actors::found_parts& found);

} // namespace cairn::net
