#include "actors/members/node_names.hpp"

#include <charconv>

namespace cairn::actors {

namespace {

constexpr std::size_t id_prefix_min = 4;

std::optional<node_number> as_number(std::string_view text) {
  node_number n = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

} // namespace

result<node_number> find_node(const cluster::layout& l, std::string_view name, bool removed) {
  const auto quoted = '"' + std::string(name) + '"';
  const auto matching = [&](auto fits) {
    std::vector<node_number> out;
    for (const auto& m : l.members)
      if ((removed || cluster::is_member(m)) && fits(m)) out.push_back(m.number);
    return out;
  };
  const char* several = "several nodes have the address ";
  std::vector<node_number> found;
  if (const auto number = as_number(name)) {
    found = matching([&](const auto& m) { return m.number == *number; });
  } else {
    found = matching([&](const auto& m) { return m.address == name; });
    if (found.empty() && name.size() >= id_prefix_min) {
      several = "several nodes have an id that begins with ";
      found = matching([&](const auto& m) { return cairn::to_string(m.id).starts_with(name); });
    }
  }
  if (found.empty()) return error{errc::not_found, "the cluster has no node " + quoted};
  if (found.size() > 1) return error{errc::invalid_argument, several + quoted};
  return found.front();
}

result<admin_command> with_numbers(const cluster::layout& l, admin_command c) {
  std::vector<node_number> numbers;
  for (const auto& name : c.names) {
    const auto number = find_node(l, name, c.repeated && c.kind == admin_verb::remove);
    if (!number) return number.error();
    if (std::ranges::find(numbers, *number) != numbers.end())
      return error{errc::invalid_argument, "node \"" + name + "\" is named twice"};
    numbers.push_back(*number);
  }
  if (numbers.empty()) return c;
  c.names.clear();
  c.repeated = false;
  std::ranges::sort(numbers);
  if (find_verb(c.kind)->subject == verb_subject::nodes)
    c.nodes = std::move(numbers);
  else
    c.node = numbers.front();
  return c;
}

std::string numbers_text(const std::vector<node_number>& nodes) {
  std::string out;
  for (const auto n : nodes) out += (out.empty() ? "" : ", ") + std::to_string(n);
  return out;
}

} // namespace cairn::actors
