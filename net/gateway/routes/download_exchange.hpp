// GET and HEAD of an object: the connection as a streamer sees it (actors/protocol/ports.hpp).
#pragma once

#include <memory>

namespace cairn::net {

class http_session;

// Begins the download that the session's current request asks for. On the session's strand.
void start_get(const std::shared_ptr<http_session>& session);

} // namespace cairn::net
