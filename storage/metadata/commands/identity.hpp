// The user behind an access key, with the policies that are in force for it: its own, the attached ones, and those of
// its groups. Read with the key's row, in one snapshot or in the batch that applies commands, so that the decision of a
// gateway and that of the state machine are each about one state. Does not change; any thread may use it.
#pragma once

#include "storage/metadata/commands/authority.hpp"
#include "storage/metadata/rows/identity_rows.hpp"
#include "storage/metadata/rows/tables.hpp"
#include "storage/policy/policy.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::storage::metadata {

struct identity {
  struct source {
    std::string name;
    identity_policy document;
  };
  policy::user_facts user;
  std::vector<source> policies;
};

// Errors: those of rows. A user, group or policy that is not there grants nothing.
result<std::shared_ptr<const identity>> read_identity(kv_reader& kv, const key_maker& keys, std::string_view user);

// A decision about a request by all policies of an identity together: an explicit deny wins, then what is not decided
// yet. `why`: which statement denied.
struct identity_decision {
  policy::effect outcome{};
  std::string why{};
};
identity_decision ask_identity(const identity& of, const policy::request& asked);

// Whether a request of IAM's API is allowed: access_denied, no_such_access_key. `key`: the sender's row, null if there
// is none; `resource`: "user/team/ann". A gateway asks before it commits or answers, the state machine again.
std::optional<error> identity_lapsed(const authority& a, policy::action wanted, const access_key_row* key,
                                     std::string_view resource);

} // namespace cairn::storage::metadata
