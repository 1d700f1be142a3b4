#include "cli/import/documents/lifecycle_rules.hpp"

#include "net/s3/xml/s3_xml.hpp"

#include <algorithm>

namespace cairn::cli {

namespace {

bool is_transition(const net::xml_element& element) {
  return element.name == "Transition" || element.name == "NoncurrentVersionTransition";
}

bool is_action(const net::xml_element& element) {
  return element.name == "Expiration" || element.name == "NoncurrentVersionExpiration" ||
         element.name == "AbortIncompleteMultipartUpload";
}

void write_element(net::xml_writer& xml, const net::xml_element& element) {
  if (element.children.empty()) return xml.text(element.name, element.text);
  xml.open(element.name);
  for (const auto& inside : element.children)
    if (!is_transition(inside)) write_element(xml, inside);
  xml.close(element.name);
}

} // namespace

taken_rules without_transitions(const net::xml_element& lifecycle) {
  taken_rules taken;
  net::xml_writer xml;
  xml.open(lifecycle.name, net::s3_name_space);
  bool some = false;
  for (const auto& rule : lifecycle.children) {
    if (std::ranges::any_of(rule.children, is_transition))
      taken.changed_rules += (taken.changed_rules.empty() ? "rule " : ", rule ") + std::string(rule.text_of("ID"));
    if (rule.name == "Rule" && std::ranges::none_of(rule.children, is_action)) continue;
    some = some || rule.name == "Rule";
    write_element(xml, rule);
  }
  xml.close(lifecycle.name);
  if (some) taken.document = xml.take();
  return taken;
}

} // namespace cairn::cli
