#include "net/s3/xml/settings.hpp"

#include "net/s3/xml/s3_xml.hpp"
#include "net/s3/xml/xml_reader.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

struct setting {
  std::string_view sub_resource;
  bool of_object;
  std::string_view document; // an element, answered empty; else:
  unsigned status = 404;
  std::string_view code{}, message{};
};

constexpr std::array setting_rows{
    setting{"accelerate", false, "AccelerateConfiguration"},
    setting{"logging", false, "BucketLoggingStatus"},
    setting{"notification", false, "NotificationConfiguration"},
    setting{"cors", false, "", 404, "NoSuchCORSConfiguration", "The bucket has no CORS configuration."},
    setting{"encryption", false, "", 404, "ServerSideEncryptionConfigurationNotFoundError",
            "The bucket has no encryption configuration."},
    setting{"lifecycle", false, "", 404, "NoSuchLifecycleConfiguration", "The bucket has no lifecycle configuration."},
    setting{"ownershipControls", false, "", 404, "OwnershipControlsNotFoundError",
            "The bucket has no ownership controls."},
    setting{"policy", false, "", 404, "NoSuchBucketPolicy", "The bucket has no policy."},
    setting{"publicAccessBlock", false, "", 404, "NoSuchPublicAccessBlockConfiguration",
            "The bucket has no public access block."},
    setting{"replication", false, "", 404, "ReplicationConfigurationNotFoundError",
            "The bucket has no replication configuration."},
    setting{"tagging", false, "", 404, "NoSuchTagSet", "The bucket has no tags."},
    setting{"website", false, "", 404, "NoSuchWebsiteConfiguration", "The bucket has no website configuration."},
};

std::string empty_document(std::string_view root) {
  xml_writer xml;
  xml.open(root, s3_name_space);
  xml.close(root);
  return xml.take();
}

std::string payer_document() {
  xml_writer xml;
  xml.open("RequestPaymentConfiguration", s3_name_space);
  xml.text("Payer", "BucketOwner");
  xml.close("RequestPaymentConfiguration");
  return xml.take();
}

namespace owners = storage::metadata::ownership;
constexpr std::array ownerships{std::pair{std::string_view{"BucketOwnerEnforced"}, owners::enforced},
                                std::pair{std::string_view{"BucketOwnerPreferred"}, owners::preferred},
                                std::pair{std::string_view{"ObjectWriter"}, owners::writer}};

struct block_setting {
  std::string_view element;
  std::uint8_t bit;
};
constexpr std::array block_settings{
    block_setting{"BlockPublicAcls", storage::metadata::public_block::block_acls},
    block_setting{"IgnorePublicAcls", storage::metadata::public_block::ignore_acls},
    block_setting{"BlockPublicPolicy", storage::metadata::public_block::block_policy},
    block_setting{"RestrictPublicBuckets", storage::metadata::public_block::restrict_buckets},
};

} // namespace

std::optional<std::uint8_t> ownership_of(std::string_view name) {
  for (const auto& [known, value] : ownerships)
    if (known == name) return value;
  return std::nullopt;
}

std::string ownership_document(std::uint8_t given) {
  const auto same = [given](const auto& one) { return owners::of_account(one.second) == owners::of_account(given); };
  const auto known = std::find_if(ownerships.begin(), ownerships.end(), same);
  xml_writer xml;
  xml.open("OwnershipControls", s3_name_space);
  xml.open("Rule");
  xml.text("ObjectOwnership", known == ownerships.end() ? std::string_view{} : known->first);
  xml.close("Rule");
  xml.close("OwnershipControls");
  return xml.take();
}

std::variant<std::uint8_t, s3_error> read_ownership(std::string_view body) {
  constexpr xml_bounds bounds{ownership_body_bytes_max, 100, 10, 4};
  const auto root = read_xml(body, bounds);
  const auto* const rule = root && root->name == "OwnershipControls" ? root->child("Rule") : nullptr;
  const bool known = rule != nullptr && has_only(*root, {"Rule"}) && has_only(*rule, {"ObjectOwnership"});
  const auto wanted = known ? ownership_of(rule->text_of("ObjectOwnership")) : std::nullopt;
  if (!wanted) return malformed_xml("The body is not an OwnershipControls with one rule.");
  return *wanted;
}

s3_error ownership_refused_by_acl() {
  return {400, "InvalidBucketAclWithObjectOwnership",
          "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"};
}

std::variant<std::uint8_t, s3_error> read_public_block(std::string_view body) {
  constexpr xml_bounds bounds{public_block_body_bytes_max, 100, 10, 4};
  const auto root = read_xml(body, bounds);
  const bool known =
      root && root->name == "PublicAccessBlockConfiguration" &&
      has_only(*root, {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"});
  if (!known) return malformed_xml("The body is not a PublicAccessBlockConfiguration.");
  std::uint8_t block = storage::metadata::public_block::given;
  for (const auto& [element, bit] : block_settings) {
    const auto* child = root->child(element);
    if (child == nullptr) continue;
    const auto value = xml_boolean(*child);
    if (!value) return malformed_xml(std::string{element} + " is neither true nor false.");
    if (*value) block |= bit;
  }
  return block;
}

std::string public_block_document(std::uint8_t block) {
  xml_writer xml;
  xml.open("PublicAccessBlockConfiguration", s3_name_space);
  for (const auto& [element, bit] : block_settings) xml.text(element, (block & bit) != 0 ? "true" : "false");
  xml.close("PublicAccessBlockConfiguration");
  return xml.take();
}

std::string policy_status_document(bool is_public) {
  xml_writer xml;
  xml.open("PolicyStatus", s3_name_space);
  xml.text("IsPublic", is_public ? "true" : "false");
  xml.close("PolicyStatus");
  return xml.take();
}

std::string location_document(std::string_view region) {
  xml_writer xml;
  xml.open("LocationConstraint", s3_name_space);
  if (region != "us-east-1") xml.escaped(region);
  xml.close("LocationConstraint");
  return xml.take();
}

std::variant<std::string, s3_error> setting_answer(std::string_view sub_resource, bool of_object) {
  if (sub_resource == "requestPayment") return payer_document();
  for (const auto& s : setting_rows) {
    if (s.sub_resource != sub_resource || s.of_object != of_object) continue;
    if (!s.document.empty()) return empty_document(s.document);
    return s3_error{s.status, s.code, std::string{s.message}};
  }
  return not_implemented("?" + std::string{sub_resource});
}

} // namespace cairn::net
