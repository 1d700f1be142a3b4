// Settings of buckets and objects over HTTP: access control lists, CORS, versioning, lifecycle, ownership, tags of
// buckets, and those that this node does not keep. On the session's strand.
#pragma once

#include "net/gateway/routes/route_steps.hpp"
#include "net/s3/xml/settings.hpp"

namespace cairn::net {

void read_setting(const session_ptr& session);
void write_setting(const session_ptr& session);
void preflight(const session_ptr& session); // OPTIONS

// What a canned list says of a bucket: the objects in it speak for themselves.
void make_public(storage::metadata::set_bucket& change, const public_access& access);

// What the headers of PUT /bucket say: its access control list and its ownership. Or why it can't have them.
std::variant<storage::metadata::bucket_settings, s3_error> read_bucket_headers(const session_ptr& session);

} // namespace cairn::net
