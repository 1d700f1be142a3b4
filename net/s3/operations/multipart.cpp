#include "net/s3/operations/multipart.hpp"

#include "base/codec.hpp"
#include "net/s3/body/body_checksums.hpp"
#include "net/s3/xml/s3_errors.hpp"
#include "net/s3/xml/xml_reader.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/base64.hpp"
#include "net/wire/grammar/fields.hpp"

#include <array>
#include <charconv>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;
using metadata::checksum_type;

constexpr std::size_t half_bytes = 16; // hexadecimal digits of one number
constexpr xml_bounds complete_bounds{complete_body_bytes_max, 24 * metadata::part_number_max, 100, 8};

struct element_name {
  checksum_kind kind;
  std::string_view element;
};
constexpr std::array elements{
    element_name{checksum_kind::crc32, "ChecksumCRC32"},         element_name{checksum_kind::crc32c, "ChecksumCRC32C"},
    element_name{checksum_kind::crc64nvme, "ChecksumCRC64NVME"}, element_name{checksum_kind::sha1, "ChecksumSHA1"},
    element_name{checksum_kind::sha256, "ChecksumSHA256"},
};

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number n{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::optional<metadata::md5_digest> digest_of(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  metadata::md5_digest digest{};
  if (!read_hex(etag, digest)) return std::nullopt;
  return digest;
}

std::variant<named_part, s3_error> read_part(const xml_element& element) {
  named_part part;
  bool numbered = false, tagged = false;
  for (const auto& field : element.children) {
    if (element.child(field.name) != &field) return malformed_xml("A Part has two elements " + field.name + ".");
    if (field.name == "PartNumber") {
      const auto number = xml_number(field);
      if (!number || *number < 1 || *number > metadata::part_number_max)
        return s3_error{400, "InvalidArgument", "Part numbers go from 1 to 10000."};
      part.chosen.number = static_cast<std::uint32_t>(*number);
      numbered = true;
    } else if (field.name == "ETag") {
      const auto digest = digest_of(field.token());
      if (!digest) return s3_error{400, "InvalidPart", "No part has the ETag " + field.text + "."};
      part.chosen.digest = *digest;
      tagged = true;
    } else {
      const auto known = std::ranges::find(elements, field.name, &element_name::element);
      if (known == elements.end()) return malformed_xml("A Part has no element " + field.name + ".");
      if (!part.checksum_name.empty()) return malformed_xml("A Part has more than one checksum.");
      part.checksum_name = to_string(known->kind);
      part.checksum = field.token();
    }
  }
  if (!numbered || !tagged) return malformed_xml("A Part needs PartNumber and ETag.");
  return part;
}

} // namespace

std::string upload_id_text(metadata::upload_id id, std::uint64_t nonce) {
  return hex_of(id, half_bytes) + hex_of(nonce, half_bytes);
}

std::variant<metadata::upload_name, s3_error> upload_of(const s3_target& target) {
  const auto* text = target.find("uploadId");
  metadata::upload_name name{target.bucket, target.key, 0, 0};
  if (text != nullptr && text->size() == 2 * half_bytes) {
    const std::string_view view{*text};
    const auto id = read_hex(view.substr(0, half_bytes));
    const auto nonce = read_hex(view.substr(half_bytes));
    if (id && nonce) {
      name.id = *id;
      name.nonce = *nonce;
      return name;
    }
  }
  return s3_error_of(error{errc::no_such_upload});
}

std::variant<std::uint32_t, s3_error> part_number_of(const request_target& target) {
  const auto* text = target.find("partNumber");
  const auto number = text == nullptr ? std::nullopt : number_in<std::uint32_t>(*text);
  if (number && *number >= 1 && *number <= metadata::part_number_max) return *number;
  return s3_error{400, "InvalidArgument", "partNumber is a number from 1 to 10000."};
}

std::variant<std::uint32_t, s3_error> bounded_number(const request_target& target, std::string_view name,
                                                     std::uint32_t most) {
  const auto* text = target.find(name);
  if (text == nullptr || text->empty()) return most;
  const auto number = number_in<std::uint32_t>(*text);
  if (!number || *number > 0x7fffffff)
    return s3_error{400, "InvalidArgument", std::string{name} + " is a number from 0 to 2147483647."};
  return std::min(*number, most);
}

metadata::put_part part_of(const metadata::put_object& whole, const metadata::upload_name& upload,
                           std::uint32_t number) {
  metadata::put_part part;
  part.upload = upload;
  part.number = number;
  part.now = whole.now;
  part.size = whole.size;
  part.digest = whole.etag.digest;
  part.content = whole.content;
  part.by = whole.by;
  for (const auto& [name, value] : whole.headers.standard) {
    if (!is_checksum_header(name)) continue;
    part.checksum_name = name.substr(checksum_header_prefix.size());
    part.checksum = value;
  }
  return part;
}

std::variant<std::vector<named_part>, s3_error> read_complete_request(std::string_view body) {
  const auto root = read_xml(body, complete_bounds);
  if (!root || root->name != "CompleteMultipartUpload")
    return malformed_xml("The body is not a CompleteMultipartUpload document.");
  std::vector<named_part> parts;
  for (const auto& child : root->children) {
    if (child.name != "Part") return malformed_xml("A CompleteMultipartUpload has no element " + child.name + ".");
    auto part = read_part(child);
    if (auto* refused = std::get_if<s3_error>(&part)) return std::move(*refused);
    parts.push_back(std::move(std::get<named_part>(part)));
    if (parts.size() > 1 && parts[parts.size() - 2].chosen.number >= parts.back().chosen.number)
      return s3_error_of(error{errc::invalid_part_order});
  }
  if (parts.empty()) return malformed_xml("The document names no part.");
  return parts;
}

metadata::etag etag_of_parts(std::span<const named_part> parts) {
  cairn::md5 md5;
  for (const auto& part : parts) md5.update(std::as_bytes(std::span{part.chosen.digest}));
  return {.digest = md5.finish(), .parts = static_cast<std::uint32_t>(parts.size())};
}

bool is_made_by(const metadata::object_row& row, const metadata::upload_name& upload, const metadata::etag& etag) {
  if (row.etag != etag) return false;
  if (row.origin) return *row.origin == metadata::upload_origin{upload.id, upload.nonce};
  // An upload without bytes leaves no manifest.
  return row.content == metadata::content_kind::manifest ? row.manifest > upload.id : row.size == 0;
}

std::optional<checksum_kind> checksum_kind_of(std::string_view name) {
  for (const auto kind : checksum_kinds)
    if (iequals(name, to_string(kind))) return kind;
  return std::nullopt;
}

std::string_view checksum_element(std::string_view name) {
  const auto kind = checksum_kind_of(name);
  const auto known = std::ranges::find_if(elements, [&](const auto& e) { return kind && e.kind == *kind; });
  return known == elements.end() ? std::string_view{} : known->element;
}

std::string_view checksum_algorithm_text(std::string_view name) {
  constexpr std::string_view before = "Checksum";
  const auto element = checksum_element(name);
  return element.starts_with(before) ? element.substr(before.size()) : element;
}

std::string_view checksum_type_text(checksum_type type) {
  return type == checksum_type::composite ? "COMPOSITE" : "FULL_OBJECT";
}

std::string_view checksum_type_of(std::string_view value) {
  return checksum_type_text(value.find('-') == value.npos ? checksum_type::full_object : checksum_type::composite);
}

std::variant<wanted_checksum, s3_error> read_wanted_checksum(const boost::beast::http::fields& fields) {
  const auto algorithm = field_of(fields, "x-amz-checksum-algorithm"), type = field_of(fields, "x-amz-checksum-type");
  const auto refused = [](std::string message) { return s3_error{400, "InvalidRequest", std::move(message)}; };
  if (algorithm.empty()) {
    if (!type.empty()) return refused("x-amz-checksum-type came without x-amz-checksum-algorithm.");
    return wanted_checksum{};
  }
  const auto kind = checksum_kind_of(algorithm);
  if (!kind) return refused("x-amz-checksum-algorithm names no algorithm.");
  wanted_checksum wanted{std::string{to_string(*kind)}, checksum_type::composite};
  const bool is_hash = *kind == checksum_kind::sha1 || *kind == checksum_kind::sha256;
  if (type == "FULL_OBJECT" || (type.empty() && *kind == checksum_kind::crc64nvme))
    wanted.type = checksum_type::full_object;
  else if (!type.empty() && type != "COMPOSITE")
    return refused("x-amz-checksum-type is COMPOSITE or FULL_OBJECT.");
  const bool full = wanted.type == checksum_type::full_object;
  if ((full && is_hash) || (!full && *kind == checksum_kind::crc64nvme))
    return refused("This checksum algorithm does not go with this x-amz-checksum-type.");
  return wanted;
}

whole_checksum::whole_checksum(wanted_checksum wanted) : wanted_(std::move(wanted)), required_(!wanted_.name.empty()) {
  if (!required_) wanted_ = {std::string{to_string(default_checksum)}, checksum_type::full_object};
  kind_ = checksum_kind_of(wanted_.name);
}

bool whole_checksum::add(const metadata::uploaded_part& part) {
  if (!kind_) return true;
  const auto bytes = part.checksum_name == wanted_.name ? base64_decode(part.checksum) : std::nullopt;
  if (!bytes && required_) return false;
  if (!bytes) {
    kind_.reset();
    return true;
  }
  if (wanted_.type == checksum_type::composite || parts_ == 0) {
    joined_ += *bytes;
  } else {
    auto joined = joined_checksum(*kind_, joined_, *bytes, part.length);
    if (!joined) return false;
    joined_ = std::move(*joined);
  }
  ++parts_;
  return true;
}

actors::kept_headers whole_checksum::header() const {
  if (!kind_) return {};
  std::string value;
  if (wanted_.type == checksum_type::composite) {
    running_checksum sum{*kind_};
    sum.update(std::as_bytes(std::span{joined_}));
    value = base64_encode(sum.finish()) + "-" + std::to_string(parts_);
  } else {
    value = base64_encode(joined_);
  }
  return {{"x-amz-checksum-" + wanted_.name, std::move(value)}};
}

} // namespace cairn::net
