#include "net/s3/xml/xml_reader.hpp"

#include "net/wire/grammar/ascii.hpp"
#include "storage/metadata/rows/names.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace cairn::net {

namespace {

constexpr std::string_view spaces = " \t\r\n";
constexpr char32_t code_point_max = 0x10ffff;

// Elements of S3's documents that hold elements and never a text of their own, also where they are empty. In STS's
// Credentials an Expiration is a time.
constexpr std::array<std::string_view, 29> containers{
    "AbortIncompleteMultipartUpload",
    "AccessControlList",
    "AccessControlPolicy",
    "And",
    "CORSConfiguration",
    "CORSRule",
    "CompleteMultipartUpload",
    "CreateBucketConfiguration",
    "Delete",
    "Expiration",
    "Filter",
    "Grant",
    "Grantee",
    "LifecycleConfiguration",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransition",
    "Object",
    "Owner",
    "OwnershipControls",
    "Part",
    "PublicAccessBlockConfiguration",
    "Rule",
    "Tag",
    "TagSet",
    "Tagging",
    "Tags",
    "Transition",
    "VersioningConfiguration",
    "WebsiteConfiguration",
};

bool is_space(char c) {
  return spaces.find(c) != spaces.npos;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(spaces) == text.npos;
}

// All characters beyond ASCII count as letters.
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool continues_name(char c) {
  return begins_name(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

void append_utf8(std::string& out, char32_t c) {
  const auto byte = [&out](char32_t bits) { out += static_cast<char>(bits); };
  const auto tail = [&](unsigned shift) { byte(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) {
    byte(0xc0 | (c >> 6));
    return tail(0);
  }
  if (c < 0x10000) {
    byte(0xe0 | (c >> 12));
  } else {
    byte(0xf0 | (c >> 18));
    tail(12);
  }
  tail(6);
  tail(0);
}

// Normalizes line ends to LF. (XML 1.0, section 2.11)
void append_lines(std::string& out, std::string_view text) {
  for (auto at = text.find('\r'); at != text.npos; at = text.find('\r')) {
    out.append(text.substr(0, at)) += '\n';
    text.remove_prefix(at + (text.substr(at).starts_with("\r\n") ? 2 : 1));
  }
  out.append(text);
}

class reader {
public:
  reader(std::string_view body, const xml_bounds& bounds) : rest_(body), bounds_(bounds) {}

  std::optional<xml_element> read() {
    if (rest_.size() > bounds_.bytes_max || rest_.find('\0') != rest_.npos) return std::nullopt;
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3); // a byte order mark
    if (rest_.starts_with("<?xml") && rest_.size() > 5 && is_space(rest_[5]) && !read_declaration())
      return std::nullopt;
    while (!rest_.empty())
      if (!(rest_.front() == '<' ? read_markup() : read_text())) return std::nullopt;
    if (!open_.empty()) return std::nullopt;
    return std::move(root_);
  }

private:
  struct open_element {
    xml_element element;
    std::string_view name; // as written, with its prefix
  };

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  bool take_spaces() {
    const auto count = std::min(rest_.find_first_not_of(spaces), rest_.size());
    rest_.remove_prefix(count);
    return count > 0;
  }

  // Takes the text before `end`, and `end` itself.
  std::optional<std::string_view> take_until(std::string_view end) {
    const auto at = rest_.find(end);
    if (at == rest_.npos) return std::nullopt;
    const auto text = rest_.substr(0, at);
    rest_.remove_prefix(at + end.size());
    return text;
  }

  // Empty: there is no name.
  std::string_view take_name() {
    if (rest_.empty() || !begins_name(rest_.front())) return {};
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), continues_name);
    const auto name = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(name.size());
    return name;
  }

  struct attribute {
    std::string_view name, value;
  };

  std::optional<attribute> take_attribute() {
    attribute out{take_name(), {}};
    take_spaces();
    if (out.name.empty() || !take("=")) return std::nullopt;
    take_spaces();
    const char quote = rest_.empty() ? '\0' : rest_.front();
    if (quote != '"' && quote != '\'') return std::nullopt;
    rest_.remove_prefix(1);
    const auto value = take_until({&quote, 1});
    if (!value || value->find('<') != value->npos || ++attributes_ > bounds_.attributes_max) return std::nullopt;
    out.value = *value;
    return out;
  }

  // <?xml version="1.0" encoding="UTF-8"?>
  bool read_declaration() {
    if (++tags_ > bounds_.tags_max) return false;
    rest_.remove_prefix(std::string_view{"<?xml"}.size());
    while (true) {
      const bool apart = take_spaces();
      if (take("?>")) return true;
      const auto said = apart ? take_attribute() : std::nullopt;
      if (!said) return false;
      if (said->name == "encoding" && !iequals(said->value, "UTF-8") && !iequals(said->value, "US-ASCII")) return false;
    }
  }

  bool read_markup() {
    if (++tags_ > bounds_.tags_max) return false;
    if (take("<!--")) return take_until("--") && take(">");
    if (take("<![CDATA[")) {
      const auto text = take_until("]]>");
      if (!text || open_.empty()) return false;
      append_lines(open_.back().element.text, *text);
      return true;
    }
    if (take("</")) return read_end();
    if (take("<?")) {
      const auto target = take_name();
      return !target.empty() && !iequals(target, "xml") && take_until("?>");
    }
    return take("<") && read_start(); // refuses "<!DOCTYPE", which is not a name
  }

  bool read_start() {
    open_element opened;
    opened.name = take_name();
    if (opened.name.empty() || (open_.empty() && root_) || open_.size() >= bounds_.depth_max) return false;
    opened.element.name = opened.name.substr(opened.name.find(':') + 1);
    open_.push_back(std::move(opened));
    std::vector<std::string_view> names; // of its attributes
    while (true) {
      const bool apart = take_spaces();
      if (take(">")) return true;
      if (take("/>")) return close();
      const auto said = apart ? take_attribute() : std::nullopt;
      if (!said || std::ranges::find(names, said->name) != names.end()) return false;
      names.push_back(said->name);
    }
  }

  bool read_end() {
    const auto name = take_name();
    take_spaces();
    return take(">") && !open_.empty() && open_.back().name == name && close();
  }

  bool close() {
    auto element = std::move(open_.back().element);
    open_.pop_back();
    // S3 has no mixed content, so the text must be indentation.
    const bool holds_elements = !element.children.empty();
    const bool is_time = element.name == "Expiration" && !open_.empty() && open_.back().element.name == "Credentials";
    const bool may_hold_text =
        !holds_elements && (is_time || std::ranges::find(containers, element.name) == containers.end());
    if (!may_hold_text && !is_blank(element.text)) return false;
    if (holds_elements) element.text.clear();
    if (open_.empty())
      root_ = std::move(element);
    else
      open_.back().element.children.push_back(std::move(element));
    return true;
  }

  // Up to the next markup or behind a reference.
  bool read_text() {
    const auto text = rest_.substr(0, std::min(rest_.find_first_of("<&"), rest_.size()));
    rest_.remove_prefix(text.size());
    if (open_.empty()) return is_blank(text) && !rest_.starts_with('&');
    auto& out = open_.back().element.text;
    append_lines(out, text);
    return !take("&") || read_reference(out);
  }

  bool read_reference(std::string& out) {
    constexpr std::array<std::pair<std::string_view, char>, 5> entities{
        {{"lt;", '<'}, {"gt;", '>'}, {"amp;", '&'}, {"apos;", '\''}, {"quot;", '"'}}};
    for (const auto& [name, character] : entities) {
      if (!take(name)) continue;
      out += character;
      return true;
    }
    if (!take("#")) return false;
    const int base = take("x") ? 16 : 10;
    std::uint32_t c = 0;
    const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), c, base);
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    const bool surrogate = c >= 0xd800 && c <= 0xdfff;
    if (problem != std::errc{} || c == 0 || c > code_point_max || surrogate || !take(";")) return false;
    append_utf8(out, c);
    return true;
  }

  std::string_view rest_;
  const xml_bounds& bounds_;
  std::size_t tags_ = 0, attributes_ = 0;
  std::vector<open_element> open_; // from the root to the current element
  std::optional<xml_element> root_;
};

} // namespace

const xml_element* xml_element::child(std::string_view child_name) const {
  for (const auto& inside : children) {
    if (inside.name == child_name) return &inside;
  }
  return nullptr;
}

bool has_only(const xml_element& element, std::initializer_list<std::string_view> names) {
  const auto once = [&](const xml_element& inside) { return element.child(inside.name) == &inside; };
  return std::all_of(element.children.begin(), element.children.end(), [&](const xml_element& inside) {
    return std::find(names.begin(), names.end(), inside.name) != names.end() && once(inside);
  });
}

std::string_view xml_element::text_of(std::string_view child_name) const {
  const auto* found = child(child_name);
  return found != nullptr ? std::string_view{found->text} : std::string_view{};
}

std::string_view xml_element::token() const {
  const auto first = text.find_first_not_of(spaces);
  if (first == text.npos) return {};
  return std::string_view{text}.substr(first, text.find_last_not_of(spaces) + 1 - first);
}

std::optional<xml_element> read_xml(std::string_view body, const xml_bounds& bounds) {
  if (body.size() > bounds.bytes_max || !storage::metadata::valid_utf8(body)) return std::nullopt;
  return reader{body, bounds}.read();
}

std::optional<std::uint64_t> xml_number(const xml_element& element) {
  auto digits = element.token();
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::uint64_t number = 0;
  const auto* end = digits.data() + digits.size();
  const auto [at, problem] = std::from_chars(digits.data(), end, number);
  return problem == std::errc{} && at == end ? std::optional{number} : std::nullopt;
}

std::optional<bool> xml_boolean(const xml_element& element) {
  const auto said = element.token();
  if (iequals(said, "true") || said == "1") return true;
  if (iequals(said, "false") || said == "0") return false;
  return std::nullopt;
}

} // namespace cairn::net
