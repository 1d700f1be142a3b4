#include "net/xml_reader.hpp"

#include "storage/metadata/store.hpp"

#include <pugixml.hpp>

#include <algorithm>

namespace cairn::net {

namespace {

// Whether pugixml may see it. Counts what a tag looks like; what is well-formed is pugixml's business.
class bounds_check {
public:
  bounds_check(std::string_view body, const xml_bounds& bounds) : body_(body), bounds_(bounds) {}

  bool passes() {
    if (body_.size() > bounds_.bytes_max || body_.find('\0') != body_.npos) return false;
    while (at_ < body_.size()) {
      if (body_[at_] == '<') {
        if (++tags_ > bounds_.tags_max || !pass_markup()) return false;
      } else {
        if (body_[at_] == '&' && names_nul()) return false;
        ++at_;
      }
    }
    return true;
  }

private:
  bool pass_markup() {
    const auto rest = body_.substr(at_);
    if (rest.starts_with("<!--")) return pass("-->");
    if (rest.starts_with("<![CDATA[")) return pass("]]>");
    if (rest.starts_with("<!")) return false; // a document type
    if (rest.starts_with("<?")) return pass("?>");
    return pass_tag();
  }

  bool pass(std::string_view end) {
    const auto found = body_.find(end, at_);
    if (found == body_.npos) return false;
    at_ = found + end.size();
    return true;
  }

  bool pass_tag() {
    const bool closes = body_.substr(at_).starts_with("</");
    if (closes && depth_ == 0) return false;
    char quote = 0;
    for (++at_; at_ < body_.size(); ++at_) {
      const char c = body_[at_];
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '=') {
        if (++attributes_ > bounds_.attributes_max) return false;
      } else if (c == '<') {
        return false;
      } else if (c == '>') {
        const bool alone = body_[at_ - 1] == '/';
        ++at_;
        if (closes)
          --depth_;
        else if (!alone && ++depth_ > bounds_.depth_max)
          return false;
        return true;
      }
    }
    return false;
  }

  // "&#0;", its longer spellings, and numbers so large that they may wrap to it.
  bool names_nul() const {
    auto digits = body_.substr(at_ + 1);
    if (!digits.starts_with('#')) return false;
    digits.remove_prefix(digits.starts_with("#x") ? 2 : 1);
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    constexpr std::size_t digits_max = 7; // of U+10FFFF in decimal
    const auto end = digits.find(';');
    return end == 0 || end > digits_max;
  }

  std::string_view body_;
  const xml_bounds& bounds_;
  std::size_t at_ = 0, tags_ = 0, attributes_ = 0, depth_ = 0;
};

// As deep as bounds.depth_max.
xml_element element_of(const pugi::xml_node& node) {
  xml_element out;
  const std::string_view name = node.name();
  out.name = name.substr(name.find(':') + 1);
  for (const auto& inside : node.children()) {
    if (inside.type() == pugi::node_element)
      out.children.push_back(element_of(inside));
    else
      out.text += inside.value();
  }
  return out;
}

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

std::optional<xml_element> read_xml(std::string_view body, const xml_bounds& bounds) {
  if (!storage::metadata::valid_utf8(body) || !bounds_check{body, bounds}.passes()) return std::nullopt;
  pugi::xml_document document;
  // A text of spaces alone may be a key.
  constexpr auto options = pugi::parse_default | pugi::parse_ws_pcdata_single;
  if (!document.load_buffer(body.data(), body.size(), options, pugi::encoding_utf8)) return std::nullopt;
  const auto root = document.document_element();
  if (!root || root.next_sibling()) return std::nullopt;
  return element_of(root);
}

} // namespace cairn::net
