// What an import of identities does at the target, from what source and target have: requests of IAM's API, in their
// order. What the target has already is not asked for again, so an import that broke off goes on with the rest. What
// only the target has stays. Pure.
//
// Nobody gets more at the target than at the source. A policy that denies may be refused there, so what denies is put
// first: when that fails, the steps after it that grant something to the same user are left out (identity_step::needs).
#pragma once

#include "cli/client/iam_client.hpp"
#include "cli/import/identities/identity_set.hpp"

#include <cstdint>
#include <set>

namespace cairn::cli {

struct identity_step {
  std::string what; // "user ann: group devs"
  std::string action;
  iam_parameters parameters;
  std::string subject;            // "user ann", "group devs" or "policy readers"
  std::vector<std::string> needs; // subjects of which nothing that denies has failed
  bool denies = false;            // when it fails, or is left out, nothing more is granted to the subject
};

struct identity_rules {
  bool overwrite = false; // the source's documents count, where the target has others of the same name
  bool make_keys = false; // for users whose secrets the source does not tell
};

struct identity_plan {
  std::vector<identity_step> steps = {};
  std::set<std::string> withheld = {}; // subjects to which nothing is granted
  std::vector<identity_remark> differences = {}, left = {};
  std::uint64_t same = 0;                       // users, groups and policies for which nothing is to be done
  std::vector<std::string> users_for_keys = {}; // who get a key of the target's making
};

identity_plan plan_identities(const identity_set& source, const identity_set& target, const identity_rules& rules);

} // namespace cairn::cli
