// Settings of buckets and objects over HTTP: access control lists, CORS, and those that this node does not keep. On the
// session's strand.
#pragma once

#include "net/route_steps.hpp"
#include "net/settings.hpp"

namespace cairn::net {

void read_setting(const session_ptr& session);
void write_setting(const session_ptr& session);
void preflight(const session_ptr& session); // OPTIONS

// What a canned list says of a bucket: the objects in it speak for themselves.
void make_public(storage::metadata::set_bucket& change, const public_access& access);

// Why PUT /bucket can't have these headers; `access`: what x-amz-acl says.
std::optional<s3_error> refused_bucket_headers(const session_ptr& session, public_access& access);

} // namespace cairn::net
