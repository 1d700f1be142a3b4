// Settings of buckets and objects that are not supported, answered as S3 answers settings that do not exist: an empty
// document, or their own error. And settings that are: ownership, the public access block. Pure.
#pragma once

#include "net/s3/xml/s3_errors.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace cairn::net {

// GET of `sub_resource` ("acl"), of a bucket or, with a key, an object that exists → the document.
std::variant<std::string, s3_error> setting_answer(std::string_view sub_resource, bool of_object);
std::string location_document(std::string_view region); // S3's oldest region is an empty element

// The object ownership (storage::metadata::ownership) of S3's name. nullopt: no such name.
std::optional<std::uint8_t> ownership_of(std::string_view name);
std::string ownership_document(std::uint8_t given);
// OwnershipControls, which has one rule. MalformedXML.
constexpr std::size_t ownership_body_bytes_max = 4096;
std::variant<std::uint8_t, s3_error> read_ownership(std::string_view body);
s3_error ownership_refused_by_acl(); // BucketOwnerEnforced of a bucket whose access control list is not private

// S3's PublicAccessBlockConfiguration ↔ the bits of storage::metadata::public_block.
constexpr std::size_t public_block_body_bytes_max = 4096;
std::variant<std::uint8_t, s3_error> read_public_block(std::string_view body);
std::string public_block_document(std::uint8_t block);
std::string policy_status_document(bool is_public);

} // namespace cairn::net
