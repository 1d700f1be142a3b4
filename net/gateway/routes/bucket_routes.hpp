// Buckets over HTTP: list of buckets, creation, HEAD, listing, removal. On the session's strand.
#pragma once

#include "net/gateway/routes/route_steps.hpp"

namespace cairn::net {

void list_buckets(const session_ptr& session);
void put_bucket(const session_ptr& session);
void head_bucket(const session_ptr& session);
void list_objects(const session_ptr& session);
void list_versions(const session_ptr& session);
// Incomplete uploads do not prevent the deletion of a bucket, as in S3: they are aborted.
void delete_bucket(const session_ptr& session);

} // namespace cairn::net
