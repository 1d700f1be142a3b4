// The grants of S3's access control lists, and which of them allow an action. Pure. What each permission allows: AWS,
// S3 user guide, "Mapping of ACL permissions and access policy permissions". The encoding (grammar: access_list.cpp) is
// part of the formats of rows and commands.
#pragma once

#include "base/codec.hpp"
#include "storage/policy/request.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::storage::policy {

// In the order in which lists have them. `owner`: of the bucket or the object; `bucket_owner`: of an object's bucket,
// where it may be another one (from feature level 16 on).
enum class grantee : std::uint8_t { all_users = 1, authenticated_users, user, owner, bucket_owner };

namespace permission {
constexpr std::uint8_t read = 1, write = 2, read_acp = 4, write_acp = 8, full_control = 16, all = 31;
} // namespace permission

struct acl_grant {
  grantee to{};
  std::string id;               // of a user: its id, or an access key that belongs to nobody; else empty
  std::uint8_t permissions = 0; // not 0
  friend bool operator==(const acl_grant&, const acl_grant&) = default;
};
// By ascending grantees, each of which comes once.
using acl_grants = std::vector<acl_grant>;

// S3's limit. Each permission of a grantee counts.
constexpr std::size_t acl_grants_max = 100;
constexpr std::size_t grantee_id_bytes_max = 128;

void add_grant(acl_grants& list, grantee to, std::string_view id, std::uint8_t permissions);
std::size_t grants_in(const acl_grants& list);
bool well_formed(const acl_grants& list);
std::size_t bytes_of(const std::optional<acl_grants>& list); // in memory
bool is_public(const acl_grants& list);                      // grants something to all users or to all that sign
bool names_others(const acl_grants& list);                   // than the owner and the bucket's owner
bool names_bucket_owner(const acl_grants& list);
const acl_grants& bucket_owner_full_control(); // canned lists of objects
const acl_grants& public_read_write();
// The list of an object of this owner (empty: the account): what it was granted by its id or as the bucket's owner is
// granted to `owner`.
acl_grants of_owner(const acl_grants& list, std::string_view owner);

// An action that grants can allow: the permission that it needs, on the object or on the bucket. 0: none allows it.
struct acl_need {
  std::uint8_t permission = 0;
  bool of_object = false;
};
acl_need acl_need_of(action a);

// The permissions that a list grants to a sender, by which grantee it is named. FULL_CONTROL is all of them.
struct held_permissions {
  std::uint8_t as_anybody = 0, as_signer = 0, as_user = 0;
};
struct acl_sender {
  bool is_signed = false;
  std::string_view id; // empty: no user that a list can name
  bool owns = false;   // the object: it may always read and set its list
};
held_permissions held_by(const acl_grants& list, const acl_sender& sender);

// The grantees of a permission as x-amz-grant-… names them: "uri=…, id=…"; empty: there are none. `owner`: of the
// object; empty: the account.
std::string header_text(const acl_grants& list, std::uint8_t permission, std::string_view owner = {});
// The name of the canned list of an object that these grants are, if it is neither `private` nor `public-read`; empty:
// none is.
std::string_view canned_name(const acl_grants& list);
constexpr std::string_view all_users_uri = "http://acs.amazonaws.com/groups/global/AllUsers",
                           authenticated_users_uri = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";

void write_grants(byte_writer& w, const acl_grants& list);
acl_grants read_grants(byte_reader& r); // fails unless well_formed

} // namespace cairn::storage::policy
