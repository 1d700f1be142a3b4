#include "cli/import/documents/bucket_settings.hpp"

#include "cli/client/s3_answers.hpp"
#include "cli/import/documents/access_list.hpp"
#include "cli/import/documents/lifecycle_rules.hpp"
#include "cli/import/documents/policy_document.hpp"
#include "net/s3/xml/tags.hpp"

#include <algorithm>

namespace cairn::cli {

namespace {

bool has_children(const net::xml_element& root) {
  return !root.children.empty();
}

bool has_rule(const net::xml_element& root) {
  return root.child("Rule") != nullptr;
}

constexpr std::string_view access_blocks[] = {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy",
                                              "RestrictPublicBuckets"};

bool blocks_something(const net::xml_element& root) {
  return std::ranges::any_of(access_blocks, [&](std::string_view name) { return root.text_of(name) == "true"; });
}

// Ceph answers with another root element than S3 has.
std::string access_block_xml(const net::xml_element& root) {
  std::string xml = "<PublicAccessBlockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (const auto name : access_blocks) {
    const std::string element(name);
    xml += "<" + element + ">" + (root.text_of(name) == "true" ? "true" : "false") + "</" + element + ">";
  }
  return xml + "</PublicAccessBlockConfiguration>";
}

bool has_tags(const net::xml_element& root) {
  const auto* set = root.child("TagSet");
  return set != nullptr && !set->children.empty();
}

// Of a Tagging. Empty: no tag is left.
std::string without_system_tags(const net::xml_element& root) {
  net::tag_list tags;
  for (const auto& tag : root.child("TagSet")->children)
    if (!net::is_system_tag(tag.text_of("Key"))) tags.emplace_back(tag.text_of("Key"), tag.text_of("Value"));
  return tags.empty() ? std::string{} : net::tagging_xml(tags);
}

bool has_system_tags(const net::xml_element& root) {
  return std::ranges::any_of(root.child("TagSet")->children,
                             [](const auto& tag) { return net::is_system_tag(tag.text_of("Key")); });
}

bool asks_requester(const net::xml_element& root) {
  return root.text_of("Payer") == "Requester";
}

constexpr std::string_view access_block_query = "publicAccessBlock";

enum class handling : std::uint8_t {
  carried,
  carried_if_known, // a source that does not know it has none
  left_behind,
};

// What is sent of a document, and why the rest is not.
struct taken_document {
  std::string document; // empty: nothing
  std::string rest = {}, why = {};
};

taken_document take_tags(const net::xml_element& root, std::string_view body) {
  if (!has_system_tags(root)) return {std::string(body)};
  return {without_system_tags(root), "system tags (aws:*)"};
}

taken_document take_access_block(const net::xml_element& root, std::string_view) {
  return {access_block_xml(root)};
}

taken_document take_acl(const net::xml_element& root, std::string_view) {
  auto taken = read_grants(root);
  return {taken.everybody_reads ? grants_xml(taken) : std::string{},
          taken.others.empty() ? "" : "grants of the access control list", std::move(taken.others)};
}

taken_document take_lifecycle(const net::xml_element& root, std::string_view body) {
  auto taken = without_transitions(root);
  if (taken.changed_rules.empty()) return {std::string(body)};
  return {std::move(taken.document), "transitions of the lifecycle", std::move(taken.changed_rules)};
}

struct setting_kind {
  std::string_view query, name, root; // root of the answer; empty: JSON
  handling how = handling::left_behind;
  bool (*says_something)(const net::xml_element&) = has_children;
  taken_document (*take)(const net::xml_element&, std::string_view body) = nullptr; // null: all of it
};

constexpr setting_kind kinds[] = {
    {"lifecycle", "lifecycle", "LifecycleConfiguration", handling::carried, has_children, take_lifecycle},
    {"cors", "CORS", "CORSConfiguration", handling::carried},
    {"tagging", "tags", "Tagging", handling::carried, has_tags, take_tags},
    {website_query, "website", "WebsiteConfiguration", handling::carried_if_known},
    {object_lock_query, "object lock", "ObjectLockConfiguration", handling::carried_if_known},
    {"ownershipControls", "object ownership", "OwnershipControls", handling::carried_if_known, has_rule},
    {"acl", "access control list", "AccessControlPolicy", handling::carried_if_known, has_grants, take_acl},
    {access_block_query, "public access block", "PublicAccessBlockConfiguration", handling::carried, blocks_something,
     take_access_block},
    {"policy", "policy", "", handling::carried}, // last: from then on it may deny what follows
    {"encryption", "encryption", "ServerSideEncryptionConfiguration"},
    {"replication", "replication", "ReplicationConfiguration", handling::left_behind, has_rule},
    {"notification", "notifications", "NotificationConfiguration"},
    {"logging", "access logging", "BucketLoggingStatus"},
    {"requestPayment", "requester pays", "RequestPaymentConfiguration", handling::left_behind, asks_requester},
};

setting_answer read_policy_setting(const setting_kind& kind, const http_response& response, std::string_view account) {
  const std::string name(kind.name);
  if (response.body.empty()) return {};
  if (response.body.find_first_not_of(" \t\r\n") != response.body.find('{'))
    return {{}, setting_outcome{name, setting_outcome::kind::unreadable, "the source answers something else"}};
  setting_answer answer{found_setting{name, std::string(kind.query), with_own_account(response.body, account)}, {}};
  std::string nobody;
  for (const auto& principal : foreign_principals(answer.found->document))
    nobody += (nobody.empty() ? "" : ", ") + principal;
  if (!nobody.empty())
    answer.outcome =
        setting_outcome{"principals of the policy who are nobody in Cairn", setting_outcome::kind::left_behind, nobody};
  return answer;
}

} // namespace

std::vector<std::string_view> setting_queries() {
  std::vector<std::string_view> out;
  for (const auto& kind : kinds) out.push_back(kind.query);
  return out;
}

setting_answer read_setting(std::string_view query, const http_response& response, std::string_view account) {
  const auto& kind = *std::ranges::find(kinds, query, &setting_kind::query);
  const std::string name(kind.name);
  const auto unreadable = [&](std::string why) {
    return setting_answer{{}, setting_outcome{name, setting_outcome::kind::unreadable, std::move(why)}};
  };
  const bool missing = response.status == 404 && response.body.find("<Code>NoSuchBucket</Code>") == std::string::npos;
  if (missing) return {};
  const bool unknown = response.status == 400 || response.status == 405 || response.status == 501;
  if (unknown && kind.how != handling::carried) return {};
  if (!response.ok()) return unreadable(failure_of(response, "the source").text);
  if (kind.root.empty()) return read_policy_setting(kind, response, account);
  auto root = read_answer(response.body, kind.root);
  if (!root && query == access_block_query) root = read_answer(response.body, "BlockPublicAccessBlockConfiguration");
  if (!root) return kind.how == handling::carried ? unreadable("the source answers something else") : setting_answer{};
  if (!kind.says_something(*root)) return {};
  if (kind.how == handling::left_behind) return {{}, setting_outcome{name, setting_outcome::kind::left_behind}};
  auto taken = kind.take ? kind.take(*root, response.body) : taken_document{response.body};
  setting_answer answer;
  if (!taken.document.empty()) answer.found = found_setting{name, std::string(query), std::move(taken.document)};
  if (!taken.rest.empty())
    answer.outcome = setting_outcome{std::move(taken.rest), setting_outcome::kind::left_behind, std::move(taken.why)};
  return answer;
}

bool has_object_lock(const http_response& response) {
  if (!response.ok()) return false;
  const auto root = read_answer(response.body, "ObjectLockConfiguration");
  return root && root->text_of("ObjectLockEnabled") == "Enabled";
}

std::string object_lock_xml() {
  return "<ObjectLockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
         "<ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
}

result<versioning_state> parse_versioning(std::string_view xml) {
  const auto root = read_answer(xml, "VersioningConfiguration");
  if (!root) return root.error();
  const auto status = root->text_of("Status");
  if (status == "Enabled") return versioning_state::enabled;
  return status == "Suspended" ? versioning_state::suspended : versioning_state::none;
}

std::string versioning_xml(versioning_state state) {
  return std::string("<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>") +
         (state == versioning_state::enabled ? "Enabled" : "Suspended") + "</Status></VersioningConfiguration>";
}

std::string_view to_string(versioning_state state) {
  switch (state) {
    case versioning_state::enabled: return "enabled";
    case versioning_state::suspended: return "suspended";
    case versioning_state::none: break;
  }
  return "off";
}

} // namespace cairn::cli
