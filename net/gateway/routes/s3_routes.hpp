// From the operation of a request to its handler, for all but the bodies of objects and parts, which the session starts
// itself (http_session.cpp, `dispatch`).
#pragma once

#include <memory>

namespace cairn::net {

class http_session;

// Answers the session's current request; 501 for an operation without a handler. On the session's strand.
void serve(const std::shared_ptr<http_session>& session);

} // namespace cairn::net
