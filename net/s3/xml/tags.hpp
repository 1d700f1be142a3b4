// Tags of objects, at most 10 pairs, and of buckets, at most 50. In a header, in a document, in the answer. Pure.
#pragma once

#include "net/s3/xml/s3_errors.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cairn::net {

using tag_list = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t tags_max = 10, bucket_tags_max = 50, tag_key_characters_max = 128, tag_value_characters_max = 256;
constexpr std::size_t tagging_body_bytes_max = 64 << 10;

// Keys that S3 keeps for itself. A client's tag with such a key is refused.
bool is_system_tag(std::string_view key);

// x-amz-tagging: "key=value&key=value", form-encoded. InvalidArgument, InvalidTag, BadRequest (too many).
std::variant<tag_list, s3_error> read_tagging_header(std::string_view text);
// The Tag elements in `set`. MalformedXML, InvalidTag, BadRequest.
struct xml_element;
std::variant<tag_list, s3_error> read_tag_set(const xml_element& set, std::size_t most);
// A Tagging document. MalformedXML, InvalidTag, BadRequest.
std::variant<tag_list, s3_error> read_tagging(std::string_view body, std::size_t most = tags_max);
std::string tagging_xml(const tag_list& tags);

} // namespace cairn::net
