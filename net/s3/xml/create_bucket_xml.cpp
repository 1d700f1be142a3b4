#include "net/s3/xml/create_bucket_xml.hpp"

#include "net/s3/xml/s3_errors.hpp"
#include "net/s3/xml/xml_reader.hpp"

#include <optional>

namespace cairn::net {

namespace {

constexpr xml_bounds configuration_bounds{create_bucket_body_bytes_max, 1000, 100, 8};

s3_error malformed_configuration() {
  return malformed_xml("The body is not a CreateBucketConfiguration.");
}

// Whether no region is requested, or the node's region. S3 refuses us-east-1 here, but clients send it.
bool is_own_region(std::string_view location, std::string_view region) {
  return location.empty() || location == region || (location == "EU" && region == "eu-west-1");
}

} // namespace

std::variant<tag_list, s3_error> read_create_bucket(std::string_view body, std::string_view region) {
  tag_list tags;
  if (body.empty()) return tags;
  const auto root = read_xml(body, configuration_bounds);
  if (!root || root->name != "CreateBucketConfiguration") return malformed_configuration();
  if (!has_only(*root, {"LocationConstraint", "Tags", "Location", "Bucket"})) return malformed_configuration();
  if (root->child("Location") || root->child("Bucket")) return not_implemented("A directory bucket (Location, Bucket)");
  if (const auto* location = root->child("LocationConstraint"); location && !is_own_region(location->token(), region))
    return s3_error{400, "IllegalLocationConstraintException",
                    "The location constraint " + std::string{location->token()} + " is not this node's region, " +
                        std::string{region} + "."};
  if (const auto* set = root->child("Tags")) return read_tag_set(*set, bucket_tags_max);
  return tags;
}

} // namespace cairn::net
