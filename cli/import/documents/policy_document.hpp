// Policies of another server as Cairn takes them. ARNs of the source's account become those of Cairn's; actions of
// services that Cairn does not have (ec2:…, admin:… of MinIO) are left out of a statement, and a statement that has no
// other is left out: no request here could match it, whether it allows or denies. What Cairn does not know beyond that
// stays, for the target to refuse. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cairn::cli {

struct taken_policy {
  std::string document; // empty: it is about other services only
  std::vector<std::string> left_actions = {};
};

// `account`: of the source, twelve digits; empty: unknown, or it has none.
taken_policy take_policy(std::string_view document, std::string_view account);

// ARNs of the source's account within a document become Cairn's.
std::string with_own_account(std::string_view document, std::string_view account);

// Whether some statement denies. A document that cannot be read is taken for one that does.
bool denies_something(std::string_view document);

// Whether both are the same JSON, apart from white space and the order of members.
bool is_same_document(std::string_view a, std::string_view b);

// The principals of a bucket's policy who are nobody in Cairn: of other accounts, roles, services.
std::vector<std::string> foreign_principals(std::string_view document);

} // namespace cairn::cli
