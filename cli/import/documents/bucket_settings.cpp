#include "cli/import/bucket_settings.hpp"

#include "cli/client/s3_answers.hpp"
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

// Another grant than the full control of one grantee, who is the owner.
bool has_grants(const net::xml_element& root) {
  const auto* list = root.child("AccessControlList");
  if (list == nullptr) return false;
  return std::ranges::any_of(list->children, [](const net::xml_element& grant) {
    const auto* grantee = grant.child("Grantee");
    return grant.text_of("Permission") != "FULL_CONTROL" || (grantee && grantee->child("URI") != nullptr);
  });
}

constexpr std::string_view access_block_query = "publicAccessBlock", tags_query = "tagging";

struct setting_kind {
  std::string_view query, name, root; // root of the answer; empty: JSON
  bool carried;
  bool (*says_something)(const net::xml_element&) = has_children;
};

constexpr setting_kind kinds[] = {
    {"lifecycle", "lifecycle", "LifecycleConfiguration", true},
    {"cors", "CORS", "CORSConfiguration", true},
    {tags_query, "tags", "Tagging", true, has_tags},
    {access_block_query, "public access block", "PublicAccessBlockConfiguration", true, blocks_something},
    {"policy", "policy", "", true}, // last: from then on it may deny what follows
    {"acl", "access control list", "AccessControlPolicy", false, has_grants},
    {"website", "website", "WebsiteConfiguration", false},
    {"encryption", "encryption", "ServerSideEncryptionConfiguration", false},
    {"object-lock", "object lock", "ObjectLockConfiguration", false},
    {"replication", "replication", "ReplicationConfiguration", false, has_rule},
    {"notification", "notifications", "NotificationConfiguration", false},
    {"logging", "access logging", "BucketLoggingStatus", false},
    {"requestPayment", "requester pays", "RequestPaymentConfiguration", false, asks_requester},
};

} // namespace

std::vector<std::string_view> setting_queries() {
  std::vector<std::string_view> out;
  for (const auto& kind : kinds) out.push_back(kind.query);
  return out;
}

setting_answer read_setting(std::string_view query, const http_response& response) {
  const auto& kind = *std::ranges::find(kinds, query, &setting_kind::query);
  const std::string name(kind.name);
  const auto unreadable = [&](std::string why) {
    return setting_answer{{}, setting_outcome{name, setting_outcome::kind::unreadable, std::move(why)}};
  };
  const bool missing = response.status == 404 && response.body.find("<Code>NoSuchBucket</Code>") == std::string::npos;
  if (missing) return {};
  // Of what stays behind in any case, a server without it need not say so.
  const bool unknown = response.status == 400 || response.status == 405 || response.status == 501;
  if (unknown && !kind.carried) return {};
  if (!response.ok()) return unreadable(failure_of(response, "the source").text);
  if (kind.root.empty()) {
    if (response.body.empty()) return {};
    if (response.body.find_first_not_of(" \t\r\n") == response.body.find('{'))
      return {found_setting{name, std::string(query), response.body}, {}};
    return unreadable("the source answers something else");
  }
  const bool blocks = query == access_block_query;
  auto root = read_answer(response.body, kind.root);
  if (!root && blocks) root = read_answer(response.body, "BlockPublicAccessBlockConfiguration");
  if (!root) return kind.carried ? unreadable("the source answers something else") : setting_answer{};
  if (!kind.says_something(*root)) return {};
  if (!kind.carried) return {{}, setting_outcome{name, setting_outcome::kind::left_behind}};
  if (query == tags_query && has_system_tags(*root)) {
    setting_answer some{{}, setting_outcome{"system tags (aws:*)", setting_outcome::kind::left_behind}};
    if (auto others = without_system_tags(*root); !others.empty())
      some.found = found_setting{name, std::string(query), std::move(others)};
    return some;
  }
  return {found_setting{name, std::string(query), blocks ? access_block_xml(*root) : response.body}, {}};
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
