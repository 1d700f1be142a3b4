// POST /bucket?delete: many objects at once. The deletes are committed concurrently, so that they share log entries and
// flushes; each succeeds or fails independently.
#pragma once

#include <memory>

namespace cairn::net {

class s3_session;

// Answers the session's current request. On the session's strand.
void delete_objects(const std::shared_ptr<s3_session>& session);

} // namespace cairn::net
