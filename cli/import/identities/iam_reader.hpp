// Reads the identities of a server through IAM's Query API, on either side of an import. A policy that is AWS's own is
// read like those of the account. Roles and permissions boundaries are only named. Errors: as ask_iam.
#pragma once

#include "cli/client/http_client.hpp"
#include "cli/import/identities/identity_set.hpp"

#include <functional>

namespace cairn::cli {

// Whether a user or a group is read; not asked about policies.
using wanted_identity = std::function<bool(const std::string& name)>;

result<identity_set> read_identities(http_client& client, const wanted_identity& wanted);

} // namespace cairn::cli
