// What the audit log says about a request of S3.
#pragma once

#include "net/logs/audit_entry.hpp"
#include "net/s3/request.hpp"

namespace cairn::net {

// Without outcome and version. `root_key`: its access key; empty: there is none.
audit_entry audit_entry_of(const request& request, const boost::beast::http::fields& fields, std::string_view root_key,
                           wall_ms now);
// What allowed it, unless the answer says that nothing did.
void add_authority(audit_entry& entry, const request& request);

} // namespace cairn::net
