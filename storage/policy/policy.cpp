#include "storage/policy/policy.hpp"

#include <algorithm>

namespace cairn::storage::policy {

namespace {

// Whether the statement's principals include the sender. The account stands for its root key; in a Deny it stands for
// all of its keys. A role stands for all of its sessions. A web identity is let in by a statement that names its
// provider only.
bool names(const statement& s, const request& r, const std::string& arn) {
  const auto& who = s.who;
  if (!r.provider.empty() && s.allows) return std::find(who.arns.begin(), who.arns.end(), arn) != who.arns.end();
  const auto kind = r.with->kind;
  const bool any_key = r.through_account || (!s.allows && !s.but_principals);
  const bool as_account = who.account && (kind == sender::account || (kind == sender::key && any_key));
  const auto is_named = [&who](const std::string& text) {
    return !text.empty() && std::find(who.arns.begin(), who.arns.end(), text) != who.arns.end();
  };
  return who.anybody || as_account || is_named(arn) ||
         (r.user != nullptr && r.user->is_role() && is_named(r.user->owner_arn()));
}

// Whether the condition keeps a statement for everybody from being public: S3's list ("The meaning of public"), as far
// as its keys exist here.
bool limits(const condition& c) {
  const auto& how = c.how();
  if (how.negated || how.if_exists || how.over == quantifier::for_all) return false;
  if (c.key() == context_key::source_ip && how.how == comparison::ip_address) {
    constexpr unsigned bits_min_of_4 = 96 + 8, bits_min_of_6 = 32;
    return std::all_of(c.ranges().begin(), c.ranges().end(), [](const address_range& range) {
      return range.bits >= (range.is_4() ? bits_min_of_4 : bits_min_of_6);
    });
  }
  const bool is_identity = c.key() == context_key::userid || c.key() == context_key::username ||
                           c.key() == context_key::principal_arn || c.key() == context_key::principal_account;
  const bool is_fixed = std::all_of(c.patterns().begin(), c.patterns().end(), [](const pattern& p) {
    return p.is_fixed() && p.text().find_first_of("*?") == std::string::npos;
  });
  return is_identity && is_fixed && !c.patterns().empty(); // only comparisons of text have patterns
}

answer holds(const statement& s, const request& r) {
  answer all = answer::yes;
  for (const auto& c : s.conditions) {
    const auto one = c.holds(r);
    if (one == answer::no) return one;
    if (one == answer::unknown) all = one;
  }
  return all;
}

} // namespace

decision policy::evaluate(const request& r) const {
  const auto resource = r.resource();
  std::string arn; // of the sender; policies of identities do not ask for it
  decision made;
  bool waits = false;
  for (std::size_t i = 0; i < statements_.size(); ++i) {
    const auto& s = statements_[i];
    if (!s.actions.test(static_cast<std::size_t>(r.act))) continue;
    if (s.has_principals && arn.empty()) arn = r.sender_arn();
    if (s.has_principals && names(s, r, arn) == s.but_principals) continue;
    const auto among = any_matches(s.resources, resource, r, false);
    if (among == (s.but_resources ? answer::yes : answer::no)) continue;
    const auto all = holds(s, r);
    if (all == answer::no) continue;
    if (all == answer::unknown || among == answer::unknown) {
      waits = true;
    } else if (!s.allows) {
      return {effect::deny, i};
    } else if (made.outcome == effect::none) {
      made = {effect::allow, i};
    }
  }
  return waits ? decision{effect::undecided, 0} : made;
}

bool policy::is_public() const {
  return std::any_of(statements_.begin(), statements_.end(), [](const statement& s) {
    return s.allows && s.who.anybody && std::none_of(s.conditions.begin(), s.conditions.end(), limits);
  });
}

bool names_object_lock(std::string_view json) {
  const auto compiled = policy::compile(json, owner_kind::bucket);
  return compiled && std::ranges::any_of(compiled->statements(), [](const statement& s) {
           return std::ranges::any_of(s.conditions, [](const condition& c) { return is_of_object_lock(c.key()); });
         });
}

std::uint8_t level_of(std::string_view json, owner_kind of) {
  const auto compiled = policy::compile(json, of);
  std::uint8_t level = 0;
  if (compiled)
    for (const auto& s : compiled->statements()) level = std::max(level, s.level);
  return level;
}

std::string name_of(const policy& p, std::size_t statement) {
  auto text = "statement " + std::to_string(statement + 1);
  if (const auto& sid = p.statements()[statement].sid; !sid.empty()) text += " (`" + sid + "`)";
  return text;
}

} // namespace cairn::storage::policy
