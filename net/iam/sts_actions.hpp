// STS's actions: requests and documents. Pure. Source: AWS, STS API Reference. Errors are STS's.
#pragma once

#include "net/iam/iam_query.hpp"
#include "storage/metadata/read/view.hpp"

namespace cairn::net {

// The session tags of a request, or of the token of a web identity, as they were sent.
struct asked_tags {
  storage::policy::tag_pairs all;
  std::vector<std::string> transitive_keys;
};

struct sts_request {
  storage::policy::action act{};
  std::string role; // that is assumed: "role/team/backup"; of another account: empty
  std::string session, policy;
  std::optional<std::string> external_id;
  std::uint32_t seconds = 0;
  std::string web_token{}; // of AssumeRoleWithWebIdentity; secret
  asked_tags tags{};       // of AssumeRole
  std::string role_name() const { return role.substr(role.rfind('/') + 1); }
};

// The action that the request names, whether or not it is one that can be carried out; nullopt: none of STS's.
std::optional<storage::policy::action> sts_action_of(std::string_view name);

// MissingAction, InvalidAction, ValidationError, MalformedPolicyDocument, PackedPolicyTooLarge.
std::variant<sts_request, s3_error> read_sts(const iam_query& query);

// The tags of the session: what the request asks for, and the transitive tags of the session that asks (`inherited`:
// its tags), which the request cannot set. ValidationError, InvalidParameterValue, PackedPolicyTooLarge: with the
// session policy of the request.
std::variant<storage::metadata::session_tags, s3_error>
tags_of_session(const asked_tags& asked, const storage::metadata::session_tags& inherited, std::string_view policy);

// Whether this sender may have credentials for that long. `role`: null: of GetSessionToken. ValidationError.
std::optional<s3_error> refused_time(const sts_request& request, const storage::metadata::access_key_row& sender,
                                     const storage::metadata::role_row* role);

// What the request, and the tags of the session, add to the condition keys of the sender.
storage::policy::context with_sts_keys(storage::policy::context with, const sts_request& request,
                                       const storage::metadata::session_tags& tags);

struct temporary_credentials {
  std::string access_key, token; // token: as sent
  storage::metadata::opened_token contents;
  std::string subject{}, audience{}, provider{}; // of a web identity; else empty. provider: its ARN
};
std::string credentials_answer(const temporary_credentials& made);
// `sender`: null: the root key.
std::string caller_answer(const storage::metadata::access_key_row* sender);

} // namespace cairn::net
