// Whether a request is allowed: by the access key's rights, the bucket's public access and its policy. Pure decisions
// over rows of the metadata, which net/gateway/authorize.hpp requests. The state machine takes the same decision again
// when a command is applied (storage/metadata/commands/authority.hpp).
#pragma once

#include "actors/protocol/values/access.hpp"
#include "net/s3/operation.hpp"
#include "net/s3/request.hpp"
#include "net/s3/xml/acl_xml.hpp"

#include <optional>
#include <string_view>

namespace cairn::net {

// The object that a copy reads; empty: it is no copy.
struct source_name {
  std::string bucket, key;
};
// Authorizes the request by the rows: sets its authority (`asked` must be there) and the sender's rights. Otherwise
// AccessDenied; NoSuchBucket if the bucket does not exist, so that the operation cannot affect a bucket that is created
// after this check.
std::optional<s3_error> decide_access(request& request, const actors::found_access& found, const source_name& source);

// Authorizes the request by the gateway's configuration: the root key or auth.anonymous.
void grant_by_configuration(request& request);
// Why the bucket's policy denies what the configuration allows.
std::optional<s3_error> denied_by_policy(request& request, const storage::metadata::bucket_row& bucket);

// The access control list in the fields of the head, or of a form; nullopt: there is none. Of those whose grants name
// users, the ids are still to be looked up.
std::variant<std::optional<access_list>, s3_error> read_list(const boost::beast::http::fields& about, bool of_object);
// The ids of users that the list of a new object or bucket names, if its sender may set it. A list that is malformed is
// refused by the operation.
std::vector<std::string> grantees_in_head(const request& request, const boost::beast::http::fields& head);

// acl_not_supported: an access control list in a header, in a bucket whose owner owns all objects. As in S3, also a
// list that makes nothing public is refused, except the one that changes nothing. `about`: the fields of the head, or
// of a form.
bool names_list(const request& request, const boost::beast::http::fields& about);
std::optional<s3_error> refused_list(const request& request, const boost::beast::http::fields& about,
                                     const storage::metadata::bucket_row& bucket);

// The last decision, with the row of the object that the request is about, or null if there is none: AccessDenied.
// `bucket`: at the time of that look-up; may be null.
std::optional<s3_error> refused_object(const request& request, const storage::metadata::bucket_row* bucket,
                                       const storage::metadata::object_row* row);
// The same for the source of a copy, by the authority of its command. `takes_tags`: its tags are copied, too.
std::optional<s3_error> refused_source_object(const request& request, const storage::metadata::authority& by,
                                              const storage::metadata::bucket_row* bucket, std::string_view key,
                                              const storage::metadata::object_row& row, bool takes_tags);

// A failure as the sender may see it: only senders who may list the bucket learn that an object does not exist, as in
// S3.
error seen_by(const request& request, const error& reason);
// Whether the failure tells that an object does not exist.
bool tells_of_objects(const error& reason);

// Checks x-amz-expected-bucket-owner, also for a copy's source: AccessDenied unless it is the one owner that exists.
std::optional<s3_error> refused_owner(const boost::beast::http::fields& fields);

// The rights that a command needs to remove a version, which is permanent. Members below feature level 9 require them.
constexpr std::uint8_t version_removal_rights = storage::metadata::rights::write | storage::metadata::rights::owner;
s3_error version_removal_denied();

s3_error access_denied(std::string_view why);

} // namespace cairn::net
