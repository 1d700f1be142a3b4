// Access control lists of buckets and objects: canned ones (x-amz-acl), grants in headers (x-amz-grant-…), and the
// document of PutBucketAcl and PutObjectAcl, which GetBucketAcl and GetObjectAcl answer. Pure.
//
// Grantees are the owner, all users, all that sign, and users of IAM and access keys of nobody, by their ids; whether
// an id is known is not checked here. Errors: NotImplemented (LogDelivery, aws-exec-read, log-delivery-write),
// UnresolvableGrantByEmailAddress (there are no e-mail addresses), InvalidArgument, InvalidRequest.
#pragma once

#include "net/s3/xml/s3_errors.hpp"
#include "storage/policy/access_list.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn::net {

// As rows and commands have it: grants only if they are none of `private`, `public-read` and, of a bucket,
// `public-read-write`. What the list of an object grants to the account is granted to the bucket's owner: commands know
// whether that is the object's owner, too (storage::metadata::settle_list).
struct access_list {
  bool public_read = false, public_write = false;
  std::optional<storage::policy::acl_grants> grants;
  friend bool operator==(const access_list&, const access_list&) = default;
};

constexpr std::size_t acl_body_bytes_max = 64 << 10;

// `owner`: of the object; empty: the account.
std::string acl_document(const access_list& list, std::string_view owner = {});
// Also MalformedXML; MalformedACLError: more than acl_grants_max grants; AccessDenied: another owner.
std::variant<access_list, s3_error> read_acl_document(std::string_view body, bool of_object,
                                                      std::string_view owner = {});

// The list in the headers of a request, or in the fields of a form.
class acl_headers {
public:
  explicit acl_headers(bool of_object) : of_object_(of_object) {}
  std::optional<s3_error> add(std::string_view name, std::string_view value); // other headers are ignored
  // nullopt: there is none. InvalidRequest: a canned list, and grants.
  std::variant<std::optional<access_list>, s3_error> list() const;

private:
  std::optional<s3_error> add_grants(std::uint8_t permission, std::string_view value);

  bool of_object_ = false;
  std::optional<storage::policy::acl_grants> canned_, granted_;
};
// Longer values would be cut where policies are asked about them.
constexpr std::size_t grant_header_bytes_max = 1900;

bool is_grant_header(std::string_view name); // x-amz-grant-read and the like, in any case
// Whether the header sets a list that gives rights to others than the owner and the bucket's owner, or may do so.
bool gives_rights(std::string_view name, std::string_view value);

// The ids of users that the list names.
std::vector<std::string> grantees_in(const access_list& list);

} // namespace cairn::net
