// The settings of buckets and objects that this node does not keep, as S3 answers them when they were never made: an
// empty document, or an error of their own. And access control lists, of which there are two: the owner may do
// everything, and anybody may read, read and write (in buckets), or neither. Pure.
#pragma once

#include "net/s3/xml/s3_errors.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace cairn::net {

// GET of `sub_resource` ("acl"), of a bucket or, with a key, an object that exists → the document.
std::variant<std::string, s3_error> setting_answer(std::string_view sub_resource, bool of_object);
std::string location_document(std::string_view region); // S3's oldest region is an empty element

// Whose the objects of a bucket are (storage::metadata::ownership), as S3 names it. Nothing: no such name.
std::optional<std::uint8_t> ownership_of(std::string_view name);
std::string ownership_document(std::uint8_t ownership);

struct public_access { // of anybody
  bool read = false, write = false;
};

// The access control list of a bucket or an object.
std::string acl_document(const public_access& access);

// x-amz-acl and x-amz-grant-…: what they ask for beyond `private`, `public-read` and `public-read-write` is refused,
// never dropped.
std::optional<s3_error> refused_acl_header(std::string_view name, std::string_view value);
public_access
public_access_of(std::string_view acl); // of one that is not refused; of objects there is nothing to write

} // namespace cairn::net
