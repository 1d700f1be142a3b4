// The answers to the requests of multipart uploads and copies. Pure.
#pragma once

#include "actors/protocol/values/objects.hpp"
#include "actors/protocol/values/transfers.hpp"
#include "net/s3/operations/target.hpp"

#include <string>

namespace cairn::net {

std::string upload_begun_xml(const s3_target& target, std::string_view upload_id);

struct parts_request {
  std::string upload_id;
  std::uint32_t after = 0, parts_max = 1000;
};
// `page`: at most parts_max + 1 parts; the additional one only shows that there are more.
std::string parts_xml(const s3_target& target, const parts_request& request, const actors::found_upload& page);

struct uploads_request {
  storage::metadata::uploads_query query;
  std::string upload_marker; // as the request gives it
  bool encode_url = false;
};
std::string uploads_xml(const uploads_request& request, const storage::metadata::uploads_page& page);

// `location`: the URL of the object.
std::string upload_completed_xml(std::string_view location, const s3_target& target,
                                 const storage::metadata::etag& etag, const actors::kept_headers& checksums);

// `element`: CopyObjectResult or CopyPartResult.
std::string copied_xml(std::string_view element, const storage::metadata::etag& etag, wall_ms modified,
                       const actors::kept_headers& checksums);

} // namespace cairn::net
