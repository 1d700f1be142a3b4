// PUT of an object or a part: implements the ingest's upload_client (actors/protocol/ports.hpp). Bodies with a length
// are read from the socket directly into the granted buffers, chunked ones are decoded into them. At most the granted
// buffers are in memory.
#pragma once

#include <memory>

namespace cairn::net {

class s3_session;

// Begins the upload that the session's current request asks for, or refuses it. On the session's strand.
void start_put(const std::shared_ptr<s3_session>& session);
void start_part(const std::shared_ptr<s3_session>& session); // of a multipart upload

} // namespace cairn::net
