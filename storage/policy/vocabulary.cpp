#include "storage/policy/vocabulary.hpp"

#include "base/units.hpp"

#include <algorithm>
#include <iterator>

namespace cairn::storage::policy {

namespace {

constexpr std::string_view action_names[] = {
    "",
    "s3:AbortMultipartUpload",
    "s3:BypassGovernanceRetention",
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteBucketWebsite",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:GetAccelerateConfiguration",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketLocation",
    "s3:GetBucketLogging",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPolicyStatus",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetBucketWebsite",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectAttributes",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionTagging",
    "s3:GetReplicationConfiguration",
    "s3:ListAllMyBuckets",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:ListMultipartUploadParts",
    "s3:PutAccelerateConfiguration",
    "s3:PutBucketAcl",
    "s3:PutBucketCORS",
    "s3:PutBucketLogging",
    "s3:PutBucketNotification",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketRequestPayment",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutBucketWebsite",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionTagging",
    "s3:PutReplicationConfiguration",
    "s3:RestoreObject",
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateGroup",
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:CreateUser",
    "iam:DeleteAccessKey",
    "iam:DeleteGroup",
    "iam:DeleteGroupPolicy",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:DeleteUser",
    "iam:DeleteUserPolicy",
    "iam:DetachGroupPolicy",
    "iam:DetachUserPolicy",
    "iam:GetAccessKeyLastUsed",
    "iam:GetGroup",
    "iam:GetGroupPolicy",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetUser",
    "iam:GetUserPolicy",
    "iam:ListAccessKeys",
    "iam:ListAttachedGroupPolicies",
    "iam:ListAttachedUserPolicies",
    "iam:ListEntitiesForPolicy",
    "iam:ListGroupPolicies",
    "iam:ListGroups",
    "iam:ListGroupsForUser",
    "iam:ListPolicies",
    "iam:ListPolicyVersions",
    "iam:ListUserPolicies",
    "iam:ListUserTags",
    "iam:ListUsers",
    "iam:PutGroupPolicy",
    "iam:PutUserPolicy",
    "iam:RemoveUserFromGroup",
    "iam:SetDefaultPolicyVersion",
    "iam:SimulateCustomPolicy",
    "iam:SimulatePrincipalPolicy",
    "iam:TagUser",
    "iam:UntagUser",
    "iam:UpdateAccessKey",
    "iam:UpdateUser",
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:ListRoleTags",
    "iam:ListRoles",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "sts:AssumeRole",
    "sts:GetCallerIdentity",
    "sts:GetSessionToken",
    "sts:AssumeRoleWithWebIdentity",
    "sts:TagSession",
    "iam:AddClientIDToOpenIDConnectProvider",
    "iam:CreateOpenIDConnectProvider",
    "iam:DeleteOpenIDConnectProvider",
    "iam:GetOpenIDConnectProvider",
    "iam:ListOpenIDConnectProviderTags",
    "iam:ListOpenIDConnectProviders",
    "iam:RemoveClientIDFromOpenIDConnectProvider",
    "iam:TagOpenIDConnectProvider",
    "iam:UntagOpenIDConnectProvider",
    "iam:UpdateOpenIDConnectProviderThumbprint",
    // Not asked for by any operation.
    "s3:DeleteAccessPoint",
    "s3:GetAccountPublicAccessBlock",
    "s3:PutAccountPublicAccessBlock",
    "s3:GetObjectTorrent",
    "s3:GetObjectVersionTorrent",
    "s3:GetObjectVersionForReplication",
    "s3:GetAnalyticsConfiguration",
    "s3:PutAnalyticsConfiguration",
    "s3:GetIntelligentTieringConfiguration",
    "s3:PutIntelligentTieringConfiguration",
    "s3:GetInventoryConfiguration",
    "s3:PutInventoryConfiguration",
    "s3:GetMetricsConfiguration",
    "s3:PutMetricsConfiguration",
    "s3:ListAccessPoints",
    "s3:ReplicateObject",
    "s3:ReplicateDelete",
    "s3:ReplicateTags",
    "s3:ObjectOwnerOverrideToBucketOwner",
    "s3:InitiateReplication",
    "s3:CreateAccessPoint",
    "s3:GetAccessPoint",
    "s3:DeleteAccessPointPolicy",
    "s3:GetAccessPointPolicy",
    "s3:GetAccessPointPolicyStatus",
    "s3:PutAccessPointPolicy",
    "s3:CreateJob",
    "s3:DescribeJob",
    "s3:ListJobs",
    "s3:UpdateJobPriority",
    "s3:UpdateJobStatus",
    "s3:GetStorageLensConfiguration",
    "s3:GetStorageLensDashboard",
    "s3:ListStorageLensConfigurations",
    "s3:PutStorageLensConfiguration",
    "s3:DeleteStorageLensConfiguration",
    "s3:TagResource",
    "s3:UntagResource",
    "s3:ListTagsForResource",
    "s3:CreateBucketMetadataTableConfiguration",
    "s3:DeleteBucketMetadataTableConfiguration",
    "s3:GetBucketMetadataTableConfiguration",
    "s3:UpdateObjectEncryption",
    "s3:GetBucketAbac",
    "s3:PutBucketAbac",
    "s3:PauseReplication",
};
static_assert(std::size(action_names) <= actions_max);
static_assert(action_names[static_cast<std::size_t>(action::last)] == "iam:UpdateOpenIDConnectProviderThumbprint");
static_assert(action_names[static_cast<std::size_t>(action::sts_tag_session)] == "sts:TagSession");
static_assert(action_names[static_cast<std::size_t>(action::iam_update_user)] == "iam:UpdateUser");
static_assert(action_names[static_cast<std::size_t>(action::restore_object)] == "s3:RestoreObject");
static_assert(action_names[static_cast<std::size_t>(action::get_object)] == "s3:GetObject");
static_assert(action_names[static_cast<std::size_t>(action::put_object)] == "s3:PutObject");

struct key_row {
  context_key key;
  std::string_view text;
};
constexpr key_row key_rows[] = {
    {context_key::current_time, "aws:CurrentTime"},
    {context_key::epoch_time, "aws:EpochTime"},
    {context_key::multi_factor_auth_age, "aws:MultiFactorAuthAge"},
    {context_key::multi_factor_auth_present, "aws:MultiFactorAuthPresent"},
    {context_key::principal_account, "aws:PrincipalAccount"},
    {context_key::principal_arn, "aws:PrincipalArn"},
    {context_key::principal_tag, "aws:PrincipalTag/"},
    {context_key::principal_type, "aws:PrincipalType"},
    {context_key::referer, "aws:Referer"},
    {context_key::requested_region, "aws:RequestedRegion"},
    {context_key::resource_account, "aws:ResourceAccount"},
    {context_key::secure_transport, "aws:SecureTransport"},
    {context_key::source_ip, "aws:SourceIp"},
    {context_key::token_issue_time, "aws:TokenIssueTime"},
    {context_key::user_agent, "aws:UserAgent"},
    {context_key::userid, "aws:userid"},
    {context_key::username, "aws:username"},
    {context_key::via_aws_service, "aws:ViaAWSService"},
    {context_key::auth_type, "s3:authType"},
    {context_key::delimiter, "s3:delimiter"},
    {context_key::existing_object_tag, "s3:ExistingObjectTag/"},
    {context_key::if_match, "s3:if-match"},
    {context_key::if_none_match, "s3:if-none-match"},
    {context_key::max_keys, "s3:max-keys"},
    {context_key::prefix, "s3:prefix"},
    {context_key::request_object_tag, "s3:RequestObjectTag/"},
    {context_key::request_object_tag_keys, "s3:RequestObjectTagKeys"},
    {context_key::s3_resource_account, "s3:ResourceAccount"},
    {context_key::signature_age, "s3:signatureAge"},
    {context_key::signature_version, "s3:signatureversion"},
    {context_key::version_id, "s3:VersionId"},
    {context_key::x_amz_acl, "s3:x-amz-acl"},
    {context_key::x_amz_content_sha256, "s3:x-amz-content-sha256"},
    {context_key::x_amz_copy_source, "s3:x-amz-copy-source"},
    {context_key::x_amz_grant_full_control, "s3:x-amz-grant-full-control"},
    {context_key::x_amz_grant_read, "s3:x-amz-grant-read"},
    {context_key::x_amz_grant_read_acp, "s3:x-amz-grant-read-acp"},
    {context_key::x_amz_grant_write, "s3:x-amz-grant-write"},
    {context_key::x_amz_grant_write_acp, "s3:x-amz-grant-write-acp"},
    {context_key::x_amz_metadata_directive, "s3:x-amz-metadata-directive"},
    {context_key::x_amz_object_ownership, "s3:x-amz-object-ownership"},
    {context_key::x_amz_server_side_encryption, "s3:x-amz-server-side-encryption"},
    {context_key::x_amz_server_side_encryption_aws_kms_key_id, "s3:x-amz-server-side-encryption-aws-kms-key-id"},
    {context_key::x_amz_server_side_encryption_customer_algorithm,
     "s3:x-amz-server-side-encryption-customer-algorithm"},
    {context_key::x_amz_storage_class, "s3:x-amz-storage-class"},
    {context_key::object_lock_legal_hold, "s3:object-lock-legal-hold"},
    {context_key::object_lock_mode, "s3:object-lock-mode"},
    {context_key::object_lock_remaining_retention_days, "s3:object-lock-remaining-retention-days"},
    {context_key::object_lock_retain_until_date, "s3:object-lock-retain-until-date"},
    {context_key::sts_external_id, "sts:ExternalId"},
    {context_key::sts_role_session_name, "sts:RoleSessionName"},
    {context_key::request_tag, "aws:RequestTag/"},
    {context_key::tag_keys, "aws:TagKeys"},
    {context_key::sts_transitive_tag_keys, "sts:TransitiveTagKeys"},
};

constexpr key_row web_identity_rows[] = {
    {context_key::web_identity_amr, "amr"},
    {context_key::web_identity_aud, "aud"},
    {context_key::web_identity_azp, "azp"},
    {context_key::web_identity_sub, "sub"},
};
static_assert(std::size(key_rows) + std::size(web_identity_rows) ==
              static_cast<std::size_t>(context_key::sts_transitive_tag_keys) + 1);

// "idp.example.org/team:sub"
std::optional<named_key> web_identity_key(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || !config::is_provider_name(lower_case(text.substr(0, colon)))) return std::nullopt;
  for (const auto& row : web_identity_rows)
    if (same_word(row.text, text.substr(colon + 1))) return named_key{row.key, text.substr(0, colon)};
  return std::nullopt;
}

} // namespace

std::string lower_case(std::string_view text) {
  std::string lower{text};
  for (char& c : lower) c = lower_letter(c);
  return lower;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower_letter(x) == lower_letter(y); });
}

std::string_view action_name(std::size_t number) {
  return number < std::size(action_names) ? action_names[number] : std::string_view{};
}

std::optional<action> action_of(std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (std::size_t i = 0; i < std::size(action_names); ++i)
    if (same_word(action_names[i], name)) return static_cast<action>(i);
  return std::nullopt;
}

bool is_of_object(action a) {
  const auto name = to_string(a);
  return a == action::abort_multipart_upload || a == action::list_multipart_upload_parts ||
         a == action::bypass_governance_retention ||
         (name.find("Object") != name.npos && a != action::get_bucket_object_lock_configuration &&
          a != action::put_bucket_object_lock_configuration);
}

bool is_of_iam(action a) {
  return a > action::restore_object;
}

bool is_of_sessions(action a) {
  return a >= action::iam_attach_role_policy && a <= action::sts_tag_session;
}

bool is_of_providers(action a) {
  return a >= action::iam_add_client_id_to_open_id_connect_provider &&
         a <= action::iam_update_open_id_connect_provider_thumbprint;
}

std::uint8_t level_of(action a) {
  constexpr std::uint8_t of_sessions = 14, of_web_identities = 15, of_session_tags = 16, of_providers = 16;
  if (is_of_providers(a)) return of_providers;
  if (!is_of_sessions(a)) return 0;
  if (a < action::sts_assume_role_with_web_identity) return of_sessions;
  return a == action::sts_assume_role_with_web_identity ? of_web_identities : of_session_tags;
}

std::optional<named_key> key_of(std::string_view text) {
  const auto slash = text.find('/');
  const auto word = text.substr(0, slash == text.npos ? slash : slash + 1);
  for (const auto& row : key_rows) {
    if (!same_word(row.text, word)) continue;
    const auto name = slash == text.npos ? std::string_view{} : text.substr(slash + 1);
    if (is_tag(row.key) == name.empty()) return std::nullopt;
    return named_key{row.key, name};
  }
  return web_identity_key(text);
}

bool is_tag(context_key k) {
  return k == context_key::principal_tag || k == context_key::existing_object_tag ||
         k == context_key::request_object_tag || k == context_key::request_tag;
}

bool is_of_object_lock(context_key k) {
  return k >= context_key::object_lock_legal_hold && k <= context_key::object_lock_retain_until_date;
}

bool is_of_sts(context_key k) {
  return k == context_key::sts_external_id || k == context_key::sts_role_session_name || is_of_web_identity(k) ||
         is_of_session_tags(k);
}

bool is_of_web_identity(context_key k) {
  return k >= context_key::web_identity_amr && k <= context_key::web_identity_sub;
}

bool is_of_session_tags(context_key k) {
  return k >= context_key::request_tag && k <= context_key::sts_transitive_tag_keys;
}

std::uint8_t level_of(context_key k) {
  constexpr std::uint8_t of_web_identities = 15, of_session_tags = 16;
  return is_of_session_tags(k) ? of_session_tags : is_of_web_identity(k) ? of_web_identities : 0;
}

} // namespace cairn::storage::policy
