// GET and HEAD of an object or of one of its parts: implements the streamer's download_client
// (actors/protocol/ports.hpp).
#pragma once

#include <memory>

namespace cairn::net {

class s3_session;

// Begins the download that the session's current request asks for. On the session's strand.
void get_object(const std::shared_ptr<s3_session>& session);

} // namespace cairn::net
