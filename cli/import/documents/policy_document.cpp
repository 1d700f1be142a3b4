#include "cli/import/documents/policy_document.hpp"

#include "base/json.hpp"
#include "net/wire/grammar/ascii.hpp"

#include <algorithm>
#include <optional>

namespace cairn::cli {

namespace {

constexpr std::size_t policy_text_bytes_max = 1 << 20, policy_depth_max = 32;
constexpr std::string_view own_account = "000000000000";

std::optional<json_value> read_policy(std::string_view document) {
  auto read = read_json(document, policy_text_bytes_max, policy_depth_max);
  if (read && !read->is_object()) read.reset();
  return read;
}

// One statement may stand without its list.
std::vector<json_value*> statements_of(json_value& policy) {
  std::vector<json_value*> all;
  auto* found = policy.as_object().if_contains("Statement");
  if (found == nullptr) return all;
  if (auto* const list = found->if_array())
    for (auto& one : *list) all.push_back(&one);
  else
    all.push_back(found);
  std::erase_if(all, [](const json_value* one) { return !one->is_object(); });
  return all;
}

bool is_of_other_service(std::string_view action) {
  const auto colon = action.find(':');
  if (colon == std::string_view::npos) return false; // "*", or nonsense
  const auto service = net::ascii_lower(action.substr(0, colon));
  return service != "s3" && service != "iam" && service.find_first_of("*?") == std::string::npos;
}

// Whether a statement is left. What it loses is appended.
bool take_actions(json_value& statement, std::vector<std::string>& left) {
  auto* const actions = statement.as_object().if_contains("Action");
  if (actions == nullptr) return true;
  const auto goes = [&left](const json_value& action) {
    if (!is_of_other_service(text_of(action))) return false;
    left.emplace_back(text_of(action));
    return true;
  };
  auto* const list = actions->if_array();
  if (list == nullptr) return !goes(*actions);
  json_array kept;
  for (const auto& action : *list)
    if (!goes(action)) kept.push_back(action);
  const bool some = !kept.empty() || list->empty();
  *list = std::move(kept);
  return some;
}

bool is_nobody_here(std::string_view principal) {
  if (principal == "*" || principal == own_account) return false;
  constexpr std::string_view prefix = "arn:aws:iam::";
  if (!principal.starts_with(prefix)) return true;
  principal.remove_prefix(prefix.size());
  const auto account = principal.substr(0, principal.find(':'));
  const auto name = principal.substr(std::min(account.size() + 1, principal.size()));
  return (!account.empty() && account != own_account) || !(name == "root" || name.starts_with("user/"));
}

void add_foreign(const json_value& principals, bool of_aws, std::vector<std::string>& found) {
  if (const auto* const list = principals.if_array()) {
    for (const auto& one : *list) add_foreign(one, of_aws, found);
    return;
  }
  const auto name = text_of(principals);
  if (!name.empty() && (!of_aws || is_nobody_here(name))) found.emplace_back(name);
}

} // namespace

std::string with_own_account(std::string_view document, std::string_view account) {
  std::string out{document};
  if (account.size() != own_account.size() || account == own_account) return out;
  const auto theirs = "arn:aws:iam::" + std::string{account} + ":";
  const auto ours = "arn:aws:iam::" + std::string{own_account} + ":";
  for (auto at = out.find(theirs); at != std::string::npos; at = out.find(theirs, at + ours.size()))
    out.replace(at, theirs.size(), ours);
  return out;
}

taken_policy take_policy(std::string_view document, std::string_view account) {
  taken_policy taken{with_own_account(document, account)};
  auto policy = read_policy(taken.document);
  if (!policy) return taken;
  json_array kept;
  for (auto* const statement : statements_of(*policy))
    if (take_actions(*statement, taken.left_actions)) kept.push_back(*statement);
  if (taken.left_actions.empty()) return taken;
  const bool some = !kept.empty();
  policy->as_object()["Statement"] = std::move(kept);
  taken.document = some ? json_text(*policy) : std::string{};
  return taken;
}

bool denies_something(std::string_view document) {
  auto policy = read_policy(document);
  if (!policy) return true;
  return std::ranges::any_of(statements_of(*policy), [](const json_value* statement) {
    const auto* const effect = statement->as_object().if_contains("Effect");
    return effect == nullptr || text_of(*effect) != "Allow";
  });
}

bool is_same_document(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto x = read_policy(a), y = read_policy(b);
  return x && y && *x == *y;
}

std::vector<std::string> foreign_principals(std::string_view document) {
  std::vector<std::string> found;
  auto policy = read_policy(document);
  if (!policy) return found;
  for (const auto* const statement : statements_of(*policy))
    for (const auto* const element : {"Principal", "NotPrincipal"}) {
      const auto* const principals = statement->as_object().if_contains(element);
      if (principals == nullptr || !principals->is_object()) continue;
      for (const auto& kind : principals->as_object())
        if (member_name(kind) != "CanonicalUser") add_foreign(kind.value(), member_name(kind) == "AWS", found);
    }
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

} // namespace cairn::cli
