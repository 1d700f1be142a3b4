// Policies of buckets and identities, and the trust policies of roles, in AWS's policy language (versions 2012-10-17
// and 2008-10-17): compiled from JSON, and asked whether they allow or deny a request. What a policy names and Cairn
// does not know is refused when it is compiled: an ignored condition would allow requests that it excludes.
// docs/access.md describes the language. Pure; a compiled policy does not change and may be used by any thread.
#pragma once

#include "base/error.hpp"
#include "storage/policy/condition.hpp"

#include <bitset>
#include <memory>

namespace cairn::storage::policy {

constexpr std::size_t policy_bytes_max = 20 * 1024; // as S3
constexpr std::size_t statements_max = 256;

enum class effect : std::uint8_t {
  none,      // no statement applies: other rights decide
  allow,     // and no statement denies
  deny,      // whatever others allow
  undecided, // depends on tags that are not known yet
};

struct decision {
  effect outcome = effect::none;
  std::size_t statement = 0; // the one that decided, from 0; 0 if there is none
};

// Whom a statement names.
struct principals {
  bool anybody = false, account = false;
  std::vector<std::string> arns; // with the account's number; also of providers of web identities
};

struct statement {
  std::string sid;
  bool allows = false;
  bool but_principals = false, but_resources = false; // NotPrincipal, NotResource; NotAction is in `actions`
  bool has_principals = false;
  std::uint8_t level = 0; // the feature level from which on builds know its principals, conditions and actions; 0: all
  principals who;
  std::bitset<actions_max> actions;
  std::vector<pattern> resources;
  std::vector<condition> conditions;
};

// A bucket's policy names principals; one of an identity does not, and is about requests of its own. A role's trust
// policy names principals and no resources: who may assume the role.
enum class owner_kind : std::uint8_t { bucket, identity, trust };

class policy {
public:
  // invalid_argument: why the text is not a policy, for people. `bucket`: of a bucket's policy, whose resources must
  // be in it; empty: any.
  static result<policy> compile(std::string_view json, owner_kind of, std::string_view bucket = {});

  // The cost is bounded by the size of the policy times that of the request.
  decision evaluate(const request& r) const;

  // As S3's GetBucketPolicyStatus: allows something to anybody, without one of the conditions that S3 counts as a
  // limit.
  bool is_public() const;

  const std::vector<statement>& statements() const { return statements_; }

private:
  std::vector<statement> statements_;
};

// Whether it has conditions about object lock, which builds below feature level 11 refuse.
bool names_object_lock(std::string_view json);

// The feature level below which builds refuse the policy, for its words about roles, sessions and web identities; 0:
// for none of them, or it is no policy.
std::uint8_t level_of(std::string_view json, owner_kind of);

// "statement 2 (`AllowTeam`)".
std::string name_of(const policy& p, std::size_t statement);

} // namespace cairn::storage::policy
