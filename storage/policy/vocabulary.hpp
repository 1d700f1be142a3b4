// The words of policies: actions of S3, IAM and STS, and condition keys. What is not listed here is refused in a
// policy. The numbers of actions and keys are part of the format of commands (request.cpp): new ones are added at the
// end. Source of the names: AWS, Service Authorization Reference, "Actions, resources, and condition keys for Amazon
// S3", and for IAM.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cairn::storage::policy {

// The actions that Cairn's operations ask for. Policies may name all of S3's (action_name): an operation that Cairn
// does not implement is refused whatever a policy says.
enum class action : std::uint8_t {
  none, // the operation needs no right
  abort_multipart_upload,
  bypass_governance_retention,
  create_bucket,
  delete_bucket,
  delete_bucket_policy,
  delete_bucket_website,
  delete_object,
  delete_object_tagging,
  delete_object_version,
  delete_object_version_tagging,
  get_accelerate_configuration,
  get_bucket_acl,
  get_bucket_cors,
  get_bucket_location,
  get_bucket_logging,
  get_bucket_notification,
  get_bucket_object_lock_configuration,
  get_bucket_ownership_controls,
  get_bucket_policy,
  get_bucket_policy_status,
  get_bucket_public_access_block,
  get_bucket_request_payment,
  get_bucket_tagging,
  get_bucket_versioning,
  get_bucket_website,
  get_encryption_configuration,
  get_lifecycle_configuration,
  get_object,
  get_object_acl,
  get_object_attributes,
  get_object_legal_hold,
  get_object_retention,
  get_object_tagging,
  get_object_version,
  get_object_version_acl,
  get_object_version_attributes,
  get_object_version_tagging,
  get_replication_configuration,
  list_all_my_buckets,
  list_bucket,
  list_bucket_multipart_uploads,
  list_bucket_versions,
  list_multipart_upload_parts,
  put_accelerate_configuration,
  put_bucket_acl,
  put_bucket_cors,
  put_bucket_logging,
  put_bucket_notification,
  put_bucket_object_lock_configuration,
  put_bucket_ownership_controls,
  put_bucket_policy,
  put_bucket_public_access_block,
  put_bucket_request_payment,
  put_bucket_tagging,
  put_bucket_versioning,
  put_bucket_website,
  put_encryption_configuration,
  put_lifecycle_configuration,
  put_object,
  put_object_acl,
  put_object_legal_hold,
  put_object_retention,
  put_object_tagging,
  put_object_version_acl,
  put_object_version_tagging,
  put_replication_configuration,
  restore_object,
  iam_add_user_to_group,
  iam_attach_group_policy,
  iam_attach_user_policy,
  iam_create_access_key,
  iam_create_group,
  iam_create_policy,
  iam_create_policy_version,
  iam_create_user,
  iam_delete_access_key,
  iam_delete_group,
  iam_delete_group_policy,
  iam_delete_policy,
  iam_delete_policy_version,
  iam_delete_user,
  iam_delete_user_policy,
  iam_detach_group_policy,
  iam_detach_user_policy,
  iam_get_access_key_last_used,
  iam_get_group,
  iam_get_group_policy,
  iam_get_policy,
  iam_get_policy_version,
  iam_get_user,
  iam_get_user_policy,
  iam_list_access_keys,
  iam_list_attached_group_policies,
  iam_list_attached_user_policies,
  iam_list_entities_for_policy,
  iam_list_group_policies,
  iam_list_groups,
  iam_list_groups_for_user,
  iam_list_policies,
  iam_list_policy_versions,
  iam_list_user_policies,
  iam_list_user_tags,
  iam_list_users,
  iam_put_group_policy,
  iam_put_user_policy,
  iam_remove_user_from_group,
  iam_set_default_policy_version,
  iam_simulate_custom_policy,
  iam_simulate_principal_policy,
  iam_tag_user,
  iam_untag_user,
  iam_update_access_key,
  iam_update_user,
  iam_attach_role_policy, // this and the following: of roles and sessions (feature level 14)
  iam_create_role,
  iam_delete_role,
  iam_delete_role_policy,
  iam_detach_role_policy,
  iam_get_role,
  iam_get_role_policy,
  iam_list_attached_role_policies,
  iam_list_role_policies,
  iam_list_role_tags,
  iam_list_roles,
  iam_put_role_policy,
  iam_tag_role,
  iam_untag_role,
  iam_update_assume_role_policy,
  iam_update_role,
  sts_assume_role,
  sts_get_caller_identity,
  sts_get_session_token,
  sts_assume_role_with_web_identity, // feature level 15
  sts_tag_session,                   // this and the following: feature level 16
  iam_add_client_id_to_open_id_connect_provider,
  iam_create_open_id_connect_provider,
  iam_delete_open_id_connect_provider,
  iam_get_open_id_connect_provider,
  iam_list_open_id_connect_provider_tags,
  iam_list_open_id_connect_providers,
  iam_remove_client_id_from_open_id_connect_provider,
  iam_tag_open_id_connect_provider,
  iam_untag_open_id_connect_provider,
  iam_update_open_id_connect_provider_thumbprint,
  last = iam_update_open_id_connect_provider_thumbprint,
};

// Words and names that are not case-sensitive: of ASCII letters.
constexpr char lower_letter(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string lower_case(std::string_view text);
bool same_word(std::string_view a, std::string_view b);

constexpr std::size_t actions_max = 224; // all that a policy may name

// "s3:GetObject"; empty: there is no action with this number.
std::string_view action_name(std::size_t number);
inline std::string_view to_string(action a) {
  return action_name(static_cast<std::size_t>(a));
}
std::optional<action> action_of(std::string_view name); // names are not case-sensitive
bool is_of_object(action a);                            // its resource is an object; else the bucket, or all of S3
bool is_of_iam(action a);                               // its resource is a user, a group, a role or a policy
bool is_of_sessions(action a);                          // of roles and sessions
bool is_of_providers(action a);                         // of web identities, which IAM's API makes
// The feature level from which on builds know the action; 0: all builds that have policies of its kind.
std::uint8_t level_of(action a);

enum class context_key : std::uint8_t {
  current_time,
  epoch_time,
  multi_factor_auth_age,
  multi_factor_auth_present,
  principal_account,
  principal_arn,
  principal_tag, // with a name behind the slash
  principal_type,
  referer,
  requested_region,
  resource_account,
  secure_transport,
  source_ip,
  token_issue_time,
  user_agent,
  userid,
  username,
  via_aws_service,
  auth_type,
  delimiter,
  existing_object_tag, // with a name
  if_match,
  if_none_match,
  max_keys,
  prefix,
  request_object_tag, // with a name
  request_object_tag_keys,
  s3_resource_account,
  signature_age,
  signature_version,
  version_id,
  x_amz_acl,
  x_amz_content_sha256,
  x_amz_copy_source,
  x_amz_grant_full_control,
  x_amz_grant_read,
  x_amz_grant_read_acp,
  x_amz_grant_write,
  x_amz_grant_write_acp,
  x_amz_metadata_directive,
  x_amz_object_ownership,
  x_amz_server_side_encryption,
  x_amz_server_side_encryption_aws_kms_key_id,
  x_amz_server_side_encryption_customer_algorithm,
  x_amz_storage_class,
  object_lock_legal_hold, // this and the following: of object lock
  object_lock_mode,
  object_lock_remaining_retention_days,
  object_lock_retain_until_date,
  sts_external_id, // this and the following: only in the trust policies of roles
  sts_role_session_name,
  last = sts_role_session_name,
  web_identity_amr, // the following are in no command; with the name of the identity provider
  web_identity_aud,
  web_identity_azp,
  web_identity_sub,
  request_tag, // with a name; this and the following: of tags of sessions (feature level 16), and in no command
  tag_keys,
  sts_transitive_tag_keys,
};

// A condition key as policies and requests name it.
struct named_key {
  context_key key{};
  std::string_view name{}; // of a tag, or of an identity provider; else empty
};
// "aws:SourceIp", "s3:ExistingObjectTag/team", "idp.example.org/team:sub". Names are not case-sensitive, except those
// of tags. nullopt: unknown, or a tag without a name.
std::optional<named_key> key_of(std::string_view text);
bool is_tag(context_key k);
bool is_of_object_lock(context_key k);
bool is_of_sts(context_key k); // only in trust policies
bool is_of_web_identity(context_key k);
bool is_of_session_tags(context_key k);
std::uint8_t level_of(context_key k); // as of an action; of those of object lock 0

} // namespace cairn::storage::policy
