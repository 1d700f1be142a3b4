// PUT of an object or a part, POST of a form with a file: implements the ingest's upload_client
// (actors/protocol/ports.hpp). Bodies with a length are read from the socket directly into the granted buffers, chunked
// ones and forms are decoded into them. At most the granted buffers are in memory.
#pragma once

#include <memory>

namespace cairn::net {

class s3_session;

// Begins the upload that the session's current request asks for, or refuses it. On the session's strand.
void start_put(const std::shared_ptr<s3_session>& session);
void start_part(const std::shared_ptr<s3_session>& session);  // of a multipart upload
void post_object(const std::shared_ptr<s3_session>& session); // the session has read the form up to its file

} // namespace cairn::net
