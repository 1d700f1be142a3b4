// The body of a POST with an HTML form, multipart/form-data (RFC 7578, RFC 2046 §5.1.1):
//
//   --boundary CRLF  header CRLF …  CRLF  value CRLF     each field
//   --boundary CRLF  header CRLF …  CRLF  bytes CRLF     the file: the part whose name is "file"
//   --boundary [-- or CRLF]  …                           what follows the file is ignored, as in S3
//
// Two incremental parsers: form_parser reads everything before the file's bytes, form_file finds the end of the file.
// Neither stores bytes of the file. Pure, bounded, fuzzed. Errors: 400, with S3's codes; a parser is unusable after
// one.
#pragma once

#include "net/s3/xml/s3_errors.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn::net {

constexpr std::size_t form_text_bytes_max = 20 << 10; // of names and values, as in S3
constexpr std::size_t form_fields_max = 256;
constexpr std::size_t form_part_head_bytes_max = 4 << 10;
// Of the body before the file's bytes: the text, and a boundary and a head for each field.
constexpr std::size_t form_fields_bytes_max = 64 << 10;

struct form_field {
  std::string name, value; // the name as it was sent
};

// The boundary in a Content-Type. nullopt: it is not multipart/form-data, or has no valid boundary.
std::optional<std::string> form_boundary(std::string_view content_type);

class form_parser {
public:
  explicit form_parser(const std::string& boundary) : delimiter_("\r\n--" + boundary) {}

  // Parses complete elements at the front of `bytes`, at most up to the file's bytes; returns their size. The caller
  // passes the rest again, followed by more bytes. Only while !at_file().
  std::variant<std::size_t, s3_error> take(std::string_view bytes);
  bool at_file() const { return at_file_; } // the next byte belongs to the file, or to the delimiter that ends it

  const std::string& delimiter() const { return delimiter_; }
  const std::string& file_name() const { return file_name_; } // without folders; may be empty
  std::vector<form_field>& fields() { return fields_; }

private:
  enum class state : std::uint8_t { start, after_delimiter, head, value };

  std::variant<std::size_t, s3_error> step(std::string_view bytes);
  std::variant<std::size_t, s3_error> take_head(std::string_view bytes);
  std::variant<std::size_t, s3_error> take_value(std::string_view bytes);

  const std::string delimiter_;
  std::vector<form_field> fields_;
  std::string name_, file_name_;
  std::size_t taken_ = 0, text_bytes_ = 0;
  std::size_t scanned_ = 0; // bytes of the unfinished value that were searched for its end
  state state_ = state::start;
  bool at_file_ = false;
};

class form_file {
public:
  // `size_min`, `size_max`: allowed sizes of the file, in bytes.
  form_file(std::string delimiter, std::uint64_t size_min, std::uint64_t size_max)
      : delimiter_(std::move(delimiter)), size_min_(size_min), size_max_(size_max) {}

  struct piece {
    std::size_t content = 0; // bytes at the front that belong to the file
    std::size_t used = 0;    // `content`, and the bytes after it that are known not to belong to the file
  };
  // Finds at most `room` bytes of content. EntityTooLarge: the file has more than size_max bytes.
  std::variant<piece, s3_error> take(std::string_view bytes, std::size_t room);
  bool ended() const { return ended_; }
  // Called at the end of the body. EntityTooSmall, MalformedPOSTRequest; nullopt: the file is complete.
  std::optional<s3_error> finish() const;

private:
  const std::string delimiter_;
  const std::uint64_t size_min_, size_max_;
  std::uint64_t size_ = 0;
  bool ended_ = false;
};

s3_error malformed_form(std::string_view what);

} // namespace cairn::net
