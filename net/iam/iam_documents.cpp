#include "net/iam/iam_documents.hpp"

#include "net/wire/grammar/uri.hpp"
#include "storage/policy/request.hpp"

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;
namespace policy = storage::policy;

void write_tag(xml_writer& xml, const std::pair<std::string, std::string>& tag) {
  xml.open("member");
  xml.text("Key", readable_xml(tag.first));
  xml.text("Value", readable_xml(tag.second));
  xml.close("member");
}

} // namespace

std::string iam_arn_of(std::string_view resource) {
  return std::string{"arn:aws:iam::"}.append(policy::account_id).append(":").append(resource);
}

std::string version_id_text(std::uint32_t number) {
  return "v" + std::to_string(number);
}

void write_truth(xml_writer& xml, std::string_view element, bool value) {
  xml.text(element, value ? "true" : "false");
}

void write_tags(xml_writer& xml, const policy::tag_pairs& tags) {
  xml.open("Tags");
  for (const auto& tag : tags) write_tag(xml, tag);
  xml.close("Tags");
}

void write_user(xml_writer& xml, const metadata::user_row& row, bool with_tags) {
  xml.text("Path", row.who.path);
  xml.text("UserName", row.who.name);
  xml.text("UserId", row.who.id);
  xml.text("Arn", iam_arn_of(metadata::resource_of(row)));
  xml.text("CreateDate", policy::date_text(row.created));
  if (with_tags && !row.who.tags.empty()) write_tags(xml, row.who.tags);
}

void write_group(xml_writer& xml, const metadata::group_row& row) {
  xml.text("Path", row.path);
  xml.text("GroupName", row.name);
  xml.text("GroupId", row.id);
  xml.text("Arn", iam_arn_of(metadata::resource_of(row)));
  xml.text("CreateDate", policy::date_text(row.created));
}

void write_role(xml_writer& xml, const metadata::role_row& row, bool with_tags) {
  xml.text("Path", row.who.path);
  xml.text("RoleName", row.who.name);
  xml.text("RoleId", row.who.id);
  xml.text("Arn", iam_arn_of(metadata::resource_of(row)));
  xml.text("CreateDate", policy::date_text(row.created));
  write_document(xml, "AssumeRolePolicyDocument", row.trust);
  if (!row.description.empty()) xml.text("Description", readable_xml(row.description));
  xml.number("MaxSessionDuration", row.session_seconds_max);
  if (with_tags && !row.who.tags.empty()) write_tags(xml, row.who.tags);
}

void write_provider(xml_writer& xml, const metadata::provider_row& row) {
  const auto list = [&xml](std::string_view element, const std::vector<std::string>& texts) {
    xml.open(element);
    for (const auto& text : texts) xml.text("member", text);
    xml.close(element);
  };
  xml.text("Url", row.name);
  list("ClientIDList", row.client_ids);
  list("ThumbprintList", row.thumbprints);
  xml.text("CreateDate", policy::date_text(row.created));
  if (!row.tags.empty()) write_tags(xml, row.tags);
}

void write_managed_policy(xml_writer& xml, const metadata::policy_row& row, bool whole) {
  xml.text("PolicyName", row.name);
  xml.text("PolicyId", row.id);
  xml.text("Arn", iam_arn_of(metadata::resource_of(row)));
  xml.text("Path", row.path);
  xml.text("DefaultVersionId", version_id_text(row.default_version));
  xml.number("AttachmentCount", row.attachments);
  xml.number("PermissionsBoundaryUsageCount", 0);
  write_truth(xml, "IsAttachable", true);
  if (whole && !row.description.empty()) xml.text("Description", readable_xml(row.description));
  xml.text("CreateDate", policy::date_text(row.created));
  xml.text("UpdateDate", policy::date_text(row.updated));
}

void write_policy_version(xml_writer& xml, const metadata::policy_row& row, const metadata::policy_version& version,
                          bool with_text) {
  if (with_text) write_document(xml, "Document", version.text);
  xml.text("VersionId", version_id_text(version.number));
  write_truth(xml, "IsDefaultVersion", version.number == row.default_version);
  xml.text("CreateDate", policy::date_text(version.created));
}

void write_document(xml_writer& xml, std::string_view element, std::string_view text) {
  std::string encoded;
  append_percent_encoded(encoded, text, false);
  xml.text(element, encoded);
}

void write_access_key(xml_writer& xml, std::string_view user, const metadata::access_key_row& key,
                      std::string_view secret) {
  xml.text("UserName", user);
  xml.text("AccessKeyId", key.id);
  xml.text("Status", key.active ? "Active" : "Inactive");
  if (!secret.empty()) xml.text("SecretAccessKey", secret);
  xml.text("CreateDate", policy::date_text(key.created));
}

std::string iam_document(std::string_view action, std::string_view result, std::string_view request_id,
                         std::string_view name_space) {
  const auto response = std::string{action} + "Response", inner = std::string{action} + "Result";
  xml_writer xml;
  xml.open(response, name_space);
  const bool empty_one = action == "UpdateRole"; // clients read a result, which has no elements
  if (!result.empty() || empty_one) {
    xml.open(inner);
    xml.raw(result);
    xml.close(inner);
  }
  xml.open("ResponseMetadata");
  xml.text("RequestId", request_id);
  xml.close("ResponseMetadata");
  xml.close(response);
  return xml.take();
}

} // namespace cairn::net
