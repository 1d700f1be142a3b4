#include "net/s3/form/form_parser.hpp"

#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/field_text.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

constexpr std::size_t boundary_bytes_max = 70; // RFC 2046 §5.1.1
constexpr std::string_view head_end = "\r\n\r\n";

s3_error too_long() {
  return {400, "MaxPostPreDataLengthExceededError",
          "Your POST request fields preceding the upload file were too large."};
}

// The value of the parameter `name` in a header ("; name=value"), quoted or not. Browsers escape quotes as %22, curl as
// \"; any other backslash is part of the file's name.
std::optional<std::string> parameter(std::string_view text, std::string_view name) {
  for (auto at = text.find(';'); at != text.npos; at = text.find(';')) {
    text = trimmed(text.substr(at + 1));
    const auto equals = text.find_first_of("=;");
    if (equals == text.npos || text[equals] == ';') continue;
    const bool wanted = iequals(trimmed(text.substr(0, equals)), name);
    text = trimmed(text.substr(equals + 1));
    std::string value;
    if (!text.starts_with('"')) {
      const auto end = std::min(text.find(';'), text.size());
      value = trimmed(text.substr(0, end));
      text.remove_prefix(end);
    } else {
      std::size_t i = 1;
      for (; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
        value += text[i];
      }
      if (i == text.size()) return std::nullopt; // the quote does not end
      text.remove_prefix(i + 1);
    }
    if (wanted) return value;
  }
  return std::nullopt;
}

std::string_view without_folders(std::string_view path) {
  const auto last = path.find_last_of("/\\");
  return last == path.npos ? path : path.substr(last + 1);
}

// The value of Content-Disposition in the head of a part; nullopt: none, or several.
std::optional<std::string_view> disposition_of(std::string_view head) {
  std::optional<std::string_view> found;
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    const auto line = head.substr(0, end);
    head = end == head.npos ? std::string_view{} : head.substr(end + 2);
    const auto colon = line.find(':');
    if (colon == line.npos || !iequals(line.substr(0, colon), "content-disposition")) continue;
    if (found) return std::nullopt;
    found = trimmed(line.substr(colon + 1));
  }
  return found;
}

} // namespace

s3_error malformed_form(std::string_view what) {
  return {400, "MalformedPOSTRequest",
          "The body of your POST request is not well-formed multipart/form-data: " + std::string{what} + "."};
}

std::optional<std::string> form_boundary(std::string_view content_type) {
  if (!iequals(trimmed(content_type.substr(0, content_type.find(';'))), "multipart/form-data")) return std::nullopt;
  auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > boundary_bytes_max || !is_header_value(*boundary))
    return std::nullopt;
  return boundary;
}

std::variant<std::size_t, s3_error> form_parser::take(std::string_view bytes) {
  std::size_t used = 0;
  while (!at_file_) {
    auto taken = step(bytes.substr(used));
    if (auto* refused = std::get_if<s3_error>(&taken)) return std::move(*refused);
    const auto n = std::get<std::size_t>(taken);
    if (n == 0) break;
    scanned_ = 0;
    taken_ += n;
    used += n;
  }
  const auto waiting = at_file_ ? 0 : bytes.size() - used;
  if (taken_ + waiting > form_fields_bytes_max) return too_long();
  return used;
}

// Parses one element of the grammar; 0: it is not complete.
std::variant<std::size_t, s3_error> form_parser::step(std::string_view bytes) {
  switch (state_) {
    case state::start: {
      const auto wanted = std::string_view{delimiter_}.substr(bytes.starts_with('\r') ? 0 : 2);
      if (bytes.substr(0, wanted.size()) != wanted.substr(0, bytes.size()))
        return malformed_form("it does not begin with the boundary");
      if (bytes.size() < wanted.size()) return std::size_t{0};
      state_ = state::after_delimiter;
      return wanted.size();
    }
    case state::after_delimiter: {
      const auto padding = bytes.find_first_not_of(" \t");
      if (padding == bytes.npos || padding + 2 > bytes.size()) return std::size_t{0};
      if (bytes.substr(padding, 2) == "--")
        return invalid_argument("POST requires exactly one file upload per request.");
      if (bytes.substr(padding, 2) != "\r\n") return malformed_form("a boundary does not end its line");
      state_ = state::head;
      return padding + 2;
    }
    case state::head: return take_head(bytes);
    case state::value: return take_value(bytes);
  }
  return std::size_t{0};
}

std::variant<std::size_t, s3_error> form_parser::take_head(std::string_view bytes) {
  if (bytes.starts_with("\r\n")) return malformed_form("a part has no head");
  const auto end = bytes.find(head_end);
  if (std::min(end, bytes.size()) > form_part_head_bytes_max) return malformed_form("the head of a field is too long");
  if (end == bytes.npos) return std::size_t{0};
  const auto disposition = disposition_of(bytes.substr(0, end));
  if (!disposition || !iequals(trimmed(disposition->substr(0, disposition->find(';'))), "form-data"))
    return malformed_form("a part is not form-data");
  auto name = parameter(*disposition, "name");
  if (!name || name->empty()) return malformed_form("a field has no name");
  if (iequals(*name, "file")) {
    const auto path = parameter(*disposition, "filename").value_or("");
    file_name_ = without_folders(path);
    at_file_ = true;
  } else {
    text_bytes_ += name->size();
    if (fields_.size() == form_fields_max) return too_long();
  }
  name_ = std::move(*name);
  state_ = state::value;
  return end + head_end.size();
}

std::variant<std::size_t, s3_error> form_parser::take_value(std::string_view bytes) {
  const auto from = scanned_ < delimiter_.size() ? 0 : scanned_ - delimiter_.size();
  const auto end = bytes.find(delimiter_, from);
  if (text_bytes_ + std::min(end, bytes.size()) > form_text_bytes_max + delimiter_.size()) return too_long();
  scanned_ = bytes.size();
  if (end == bytes.npos) return std::size_t{0};
  text_bytes_ += end;
  if (text_bytes_ > form_text_bytes_max) return too_long();
  fields_.push_back({std::move(name_), std::string{bytes.substr(0, end)}});
  state_ = state::after_delimiter;
  return end + delimiter_.size();
}

std::variant<form_file::piece, s3_error> form_file::take(std::string_view bytes, std::size_t room) {
  if (ended_) return piece{0, bytes.size()};
  piece found;
  // The content ends at the delimiter, or where a delimiter may begin.
  const auto window = bytes.substr(0, room + delimiter_.size());
  const auto at = window.find(delimiter_);
  found.content = std::min(at, window.size());
  if (at == window.npos) {
    const auto tail = window.size() - std::min(window.size(), delimiter_.size() - 1);
    for (auto cr = window.find('\r', tail); cr != window.npos; cr = window.find('\r', cr + 1)) {
      if (!delimiter_.starts_with(window.substr(cr))) continue;
      found.content = cr;
      break;
    }
  }
  found.content = std::min(found.content, room);
  found.used = found.content;
  size_ += found.content;
  if (size_ > size_max_)
    return s3_error{400,
                    "EntityTooLarge",
                    "Your proposed upload exceeds the maximum allowed size",
                    {},
                    {{"MaxSizeAllowed", std::to_string(size_max_)}}};
  if (at != found.content) return found;
  // A longer line that begins with the delimiter is refused: the boundary must not occur in the content.
  const auto rest = bytes.substr(at + delimiter_.size());
  if (rest.size() < 2) return found;
  if (!rest.starts_with("--") && !rest.starts_with("\r\n") && !rest.starts_with(' ') && !rest.starts_with('\t'))
    return malformed_form("the boundary is part of the file");
  ended_ = true;
  found.used = bytes.size();
  return found;
}

std::optional<s3_error> form_file::finish() const {
  if (!ended_) return malformed_form("it ends within the file");
  if (size_ >= size_min_) return std::nullopt;
  return s3_error{400,
                  "EntityTooSmall",
                  "Your proposed upload is smaller than the minimum allowed size",
                  {},
                  {{"ProposedSize", std::to_string(size_)}, {"MinSizeAllowed", std::to_string(size_min_)}}};
}

} // namespace cairn::net
