// Settings of buckets and objects over HTTP: access control lists, CORS, versioning, lifecycle, ownership, tags of
// buckets, object lock, and settings that are not supported. On the session's strand.
#pragma once

#include "net/gateway/routes/route_steps.hpp"
#include "net/s3/xml/acl_xml.hpp"
#include "net/s3/xml/settings.hpp"

namespace cairn::net {

void read_setting(const session_ptr& session);
void write_setting(const session_ptr& session);
void preflight(const session_ptr& session); // OPTIONS

// Object lock (lock_routes.cpp).
void read_lock(const session_ptr& session);
void write_lock(const session_ptr& session);        // of a version
void write_bucket_lock(const session_ptr& session); // PutObjectLockConfiguration

// Applies a list to a bucket. The objects in the bucket have their own lists.
void set_list(storage::metadata::set_bucket& change, const access_list& list);

// The access control list, the ownership and the object lock in the headers of PUT /bucket, or the refusal.
std::variant<storage::metadata::bucket_settings, s3_error> read_bucket_headers(const session_ptr& session);

} // namespace cairn::net
