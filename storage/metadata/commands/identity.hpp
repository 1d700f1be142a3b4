// The user or the role behind an access key, with the policies that are in force for it: its own, the attached ones,
// and those of its groups; of temporary credentials also the session policy, within which they may act. Read with the
// key's row, in one snapshot or in the batch that applies commands, so that the decision of a gateway and that of the
// state machine are each about one state. Does not change; any thread may use it.
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
  std::shared_ptr<const sts_session> session{}; // null: no temporary credentials
};

// Errors: those of rows. A user, group or policy that is not there grants nothing.
result<std::shared_ptr<const identity>> read_identity(kv_reader& kv, const key_maker& keys, std::string_view user);

// Of temporary credentials; null: their role or user does not exist any more. Their access key as it would be stored.
result<std::shared_ptr<const identity>> read_identity(kv_reader& kv, const key_maker& keys,
                                                      std::shared_ptr<const sts_session> session);
access_key_row temporary_key(std::string id, std::string secret, std::shared_ptr<const identity> of);

// A decision about a request by all policies of an identity together: an explicit deny wins, then what is not decided
// yet. `why`: which statement denied. What a session policy does not allow is denied, whoever else allows it.
struct identity_decision {
  policy::effect outcome{};
  std::string why{};
};
identity_decision ask_identity(const identity& of, const policy::request& asked);

// Whether the sender may assume the role: its trust policy must allow it, and where that names the account, also the
// sender's own policies. `with_tags`: the session is to have tags, for which sts:TagSession must be allowed, too.
// access_denied. `with`: the request's context, with the condition keys of STS.
std::optional<error> assumption_refused(const role_row& role, const access_key_row& key, const policy::context& with,
                                        bool with_tags);

// The same for a web identity for which this provider vouches: a statement must name the provider.
std::optional<error> assumption_refused(const role_row& role, std::string_view provider, const policy::context& with,
                                        bool with_tags);

// Whether a request of IAM's API is allowed: access_denied, no_such_access_key. `key`: the sender's row, null if there
// is none; `resource`: "user/team/ann". A gateway asks before it commits or answers, the state machine again.
std::optional<error> identity_lapsed(const authority& a, policy::action wanted, const access_key_row* key,
                                     std::string_view resource);

} // namespace cairn::storage::metadata
