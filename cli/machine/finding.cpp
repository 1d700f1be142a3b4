#include "cli/machine/finding.hpp"

#include "base/json.hpp"
#include "cli/client/command_support.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace cairn::cli {

namespace {

constexpr std::array<std::string_view, 4> verdict_names{"good", "note", "warning", "problem"};

std::string_view name_of(verdict v) {
  return verdict_names[std::size_t(v)];
}

std::size_t count(std::span<const finding> findings, verdict which) {
  return std::size_t(std::ranges::count(findings, which, &finding::found));
}

std::string counted(std::size_t n, std::string_view what) {
  return std::to_string(n) + " " + std::string{what} + (n == 1 ? "" : "s");
}

} // namespace

bool has_problem(std::span<const finding> findings) {
  return count(findings, verdict::problem) > 0;
}

std::string findings_text(std::span<const finding> findings) {
  constexpr std::size_t column = 9; // the longest name and two spaces
  std::string out;
  for (const auto& f : findings) {
    std::string head{name_of(f.found)};
    head.resize(column, ' ');
    out += head + f.subject + ": " + f.text + "\n";
    if (!f.advice.empty()) out += std::string(column, ' ') + "→ " + f.advice + "\n";
  }
  out += counted(count(findings, verdict::problem), "problem") + ", " +
         counted(count(findings, verdict::warning), "warning") + "\n";
  return terminal_text(out);
}

std::string findings_json(std::span<const finding> findings) {
  json_array all;
  for (const auto& f : findings) {
    json_object one{{"verdict", name_of(f.found)}, {"subject", f.subject}, {"text", f.text}};
    if (!f.advice.empty()) one["advice"] = f.advice;
    all.push_back(std::move(one));
  }
  return json_text(json_object{{"problems", count(findings, verdict::problem)},
                               {"warnings", count(findings, verdict::warning)},
                               {"findings", std::move(all)}});
}

} // namespace cairn::cli
