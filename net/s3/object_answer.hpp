// GET and HEAD of an object: its row and the request → status, head and the ranges of the body. Pure, so that every
// rule of RFC 9110 about conditions and ranges is tested without a socket.
#pragma once

#include "net/s3/request.hpp"

namespace cairn::net {

struct object_answer {
  unsigned status = 200; // 200, 206, 304, 403, 412, 416
  actors::download_plan plan;
};

// `bucket`: for its lifecycle rules; null: unknown.
object_answer answer_object(const request& request, const storage::metadata::object_row& row,
                            const storage::metadata::bucket_row* bucket = nullptr);

} // namespace cairn::net
