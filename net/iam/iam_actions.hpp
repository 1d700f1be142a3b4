// IAM's actions that Cairn implements: one row each. Pure. To add one: its word in storage/policy/vocabulary.hpp, a
// row, and for an action that changes something its effect in storage/metadata/apply/identities.cpp, for one that reads
// its answer in iam_answers.cpp; docs/iam.md.
#pragma once

#include "net/iam/iam_query.hpp"
#include "storage/metadata/commands/identity_commands.hpp"
#include "storage/metadata/read/view.hpp"

#include <optional>

namespace cairn::net {

struct iam_action {
  std::string_view name; // "CreateUser"
  storage::policy::action act{};
  std::string_view subject; // the parameter that names what it is about; empty: a listing
  std::string_view other{}; // the second parameter that it needs
  std::string_view also{};  // further ones, separated by spaces; of lists their names
  bool of_caller = false;   // without its subject it is about the user who calls
  bool changes() const { return storage::metadata::changes_identities(act); }
  bool creates() const; // the subject is not there yet
};

const iam_action* find_action(std::string_view name); // null: there is none

// Finds the action and checks that the request has what it needs, and nothing that it does not know. `caller`: who
// calls; null: the root key. MissingAction, InvalidAction, ValidationError.
std::variant<const iam_action*, s3_error> read_action(iam_query& query, const storage::policy::user_facts* caller);

// The name in "arn:aws:iam::ACCOUNT:policy/team/readers"; nullopt: no policy of this account.
std::optional<std::string> policy_name_of(std::string_view arn);

// The row that the request is about; nullopt: none.
std::optional<storage::metadata::identity_query> subject_of(const iam_action& action, const iam_query& query);
// That row, if the page has it: null if it has not, or if the request names it by an ARN with another path.
const storage::metadata::identity_page* found_subject(const iam_action& action, const iam_query& query,
                                                      const storage::metadata::identity_page& page);
// What policies are asked about: "user/team/ann". `found`: the row that the request is about; null: there is none.
std::string resource_of(const iam_action& action, const iam_query& query,
                        const storage::metadata::identity_page* found);

// The command of an action that changes something, without what only the gateway knows: ids, a secret (unless a request
// to create a key names both, which only the root key may), the time, the authority. ValidationError,
// MalformedPolicyDocument, NoSuchEntity.
std::variant<storage::metadata::change_identity, s3_error> read_change(const iam_action& action,
                                                                       const iam_query& query);

} // namespace cairn::net
