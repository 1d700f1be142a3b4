// The operations that ask the metadata one thing: buckets, listings, deletes. And OPTIONS.
#pragma once

#include <memory>

namespace cairn::net {

class http_session;

// Answers the session's current request. On the session's strand.
void serve(const std::shared_ptr<http_session>& session);

} // namespace cairn::net
