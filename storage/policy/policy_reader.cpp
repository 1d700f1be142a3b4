// From JSON to compiled statements.
#include "storage/policy/policy.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <set>

namespace cairn::storage::policy {

namespace {

constexpr std::size_t depth_max = 6;
constexpr std::string_view version_with_variables = "2012-10-17", version_before = "2008-10-17";
constexpr std::string_view arn_of_s3 = "arn:aws:s3:::", arn_of_iam = "arn:aws:iam::";

std::string quoted(std::string_view text) {
  constexpr std::size_t shown_max = 120;
  return '`' + std::string{text.substr(0, shown_max)} + (text.size() > shown_max ? "…`" : "`");
}

class statement_reader {
public:
  statement_reader(owner_kind of, std::string_view bucket, bool variables)
      : of_(of), bucket_(bucket), variables_(variables) {}

  bool read(const json_value& value, statement& into);
  const std::string& problem() const { return problem_; }

private:
  bool fail(std::string why) {
    if (problem_.empty()) problem_ = std::move(why);
    return false;
  }
  // The strings of a value: one, or a list of at least one.
  bool texts_of(std::string_view element, const json_value& value, std::vector<std::string_view>& into);
  bool read_member(std::string_view name, const json_value& value, statement& into);
  bool read_principals(std::string_view element, const json_value& value, statement& into);
  bool read_aws_principal(std::string_view text, principals& into);
  bool read_provider(std::string_view text, statement& into);
  bool read_actions(const json_value& value, bool but, statement& into);
  bool is_own_action(std::size_t number) const;
  bool read_resources(const json_value& value, bool but, statement& into);
  bool read_conditions(const json_value& value, statement& into);
  bool read_condition(std::string_view how, std::string_view key, const json_value& value, statement& into);
  bool in_bucket(const pattern& resource) const;
  bool complete(statement& read);

  const owner_kind of_;
  const std::string_view bucket_;
  const bool variables_;
  std::string problem_;
  bool has_effect_ = false, has_action_ = false, has_resource_ = false;
};

bool statement_reader::texts_of(std::string_view element, const json_value& value,
                                std::vector<std::string_view>& into) {
  if (value.is_string()) into.push_back(text_of(value));
  const auto* list = value.if_array();
  if (list != nullptr)
    for (const auto& item : *list) {
      if (!item.is_string()) return fail(std::string{element} + " has a value that is not a string");
      into.push_back(text_of(item));
    }
  if (into.empty()) return fail(std::string{element} + " must be a string or a list of at least one");
  return true;
}

bool is_account(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == text.npos;
}

// Of ARNs also names, as other stores give them.
bool is_account_name(std::string_view text) {
  return text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
         });
}

bool statement_reader::read_aws_principal(std::string_view text, principals& into) {
  constexpr std::string_view iam = "arn:aws:iam::", sts = "arn:aws:sts::";
  const auto wrong = [&] {
    return fail("the principal " + quoted(text) +
                " is neither `*` nor an account nor arn:aws:iam::ACCOUNT:root, …:user/KEY, …:role/NAME or "
                "arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION");
  };
  if (text == "*") {
    into.anybody = true;
    return true;
  }
  if (is_account(text)) {
    if (text == account_id) into.account = true;
    return true;
  }
  const bool of_session = text.starts_with(sts);
  if (!text.starts_with(iam) && !of_session) return wrong();
  const auto rest = text.substr(iam.size());
  const auto colon = rest.find(':');
  if (colon == rest.npos) return wrong();
  const auto account = rest.substr(0, colon), name = rest.substr(colon + 1);
  if (!is_account_name(account)) return wrong();
  const bool is_own = account.empty() || account == account_id;
  if (name == "root" && !of_session) {
    into.account = into.account || is_own;
    return true;
  }
  const auto slash = name.find('/');
  const auto kind = name.substr(0, slash);
  const bool is_kind = of_session ? kind == "assumed-role" : kind == "user" || kind == "role";
  if (!is_kind || slash == name.npos || slash + 1 == name.size() || name.size() > 1024 ||
      name.find_first_of("*?${}") != name.npos)
    return wrong();
  // A name of another account is nobody here.
  if (is_own) into.arns.push_back(std::string{of_session ? sts : iam}.append(account_id).append(":").append(name));
  return true;
}

bool statement_reader::read_provider(std::string_view text, statement& into) {
  constexpr std::string_view kind = ":oidc-provider/";
  const auto at = text.find(kind);
  const auto account = text.starts_with(arn_of_iam) && at != text.npos && at >= arn_of_iam.size()
                           ? std::optional{text.substr(arn_of_iam.size(), at - arn_of_iam.size())}
                           : std::nullopt;
  const auto name = text.substr(std::min(text.size(), at + kind.size()));
  if (!account || !is_account_name(*account) || !config::is_provider_name(name))
    return fail("the principal " + quoted(text) + " is not arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH");
  into.level = std::max(into.level, level_of(action::sts_assume_role_with_web_identity));
  if (account->empty() || *account == account_id) into.who.arns.push_back(provider_arn(name));
  return true;
}

bool statement_reader::read_principals(std::string_view element, const json_value& value, statement& into) {
  if (of_ == owner_kind::identity)
    return fail(std::string{element} + " is for policies of buckets: this policy is about whom it is attached to");
  if (into.has_principals) return fail("Principal and NotPrincipal exclude each other");
  into.has_principals = true;
  if (value.is_string() && text_of(value) == "*") {
    into.who.anybody = true;
    return true;
  }
  const auto* kinds = value.if_object();
  if (kinds == nullptr || kinds->empty())
    return fail(std::string{element} + R"( must be "*" or an object such as {"AWS": "arn:aws:iam:::user/KEY"})");
  for (const auto& member : *kinds) {
    const std::string_view kind = member_name(member);
    std::vector<std::string_view> names;
    if (!texts_of(kind, member.value(), names)) return false;
    if (kind == "AWS") {
      for (const auto name : names)
        if (!read_aws_principal(name, into.who)) return false;
    } else if (kind == "CanonicalUser") {
      for (const auto name : names) {
        if (name != canonical_owner) return fail("the canonical user " + quoted(name) + " is unknown");
        into.who.account = true;
      }
    } else if (kind == "Federated" && of_ == owner_kind::trust) {
      for (const auto name : names)
        if (!read_provider(name, into)) return false;
    } else {
      return fail("principals of the kind " + quoted(kind) + " do not exist here; the kinds are AWS and CanonicalUser");
    }
  }
  return true;
}

// Whether policies of this kind can be about the action.
bool statement_reader::is_own_action(std::size_t number) const {
  if (of_ == owner_kind::trust) {
    const auto named = static_cast<action>(number);
    return named == action::sts_assume_role || named == action::sts_assume_role_with_web_identity ||
           named == action::sts_tag_session;
  }
  return of_ == owner_kind::identity || action_name(number).starts_with("s3:");
}

bool statement_reader::read_actions(const json_value& value, bool but, statement& into) {
  if (has_action_) return fail("Action and NotAction exclude each other");
  has_action_ = true;
  std::vector<std::string_view> names;
  if (!texts_of(but ? "NotAction" : "Action", value, names)) return false;
  std::bitset<actions_max> named;
  for (const auto name : names) {
    const auto read = pattern::read(name, true, false, problem_);
    if (!read) return false;
    std::optional<std::uint8_t> level; // builds that know one of the actions take the name
    for (std::size_t i = 1; !action_name(i).empty(); ++i) {
      if (!read->matches(action_name(i), {}, true)) continue;
      named.set(i);
      const auto known_since = level_of(static_cast<action>(i));
      if (is_own_action(i)) level = std::min(level.value_or(known_since), known_since);
    }
    if (!level)
      return fail("the action " + quoted(name) +
                  (of_ == owner_kind::identity ? " is none of S3's, IAM's or STS's"
                   : of_ == owner_kind::trust  ? " is none of assuming a role: sts:AssumeRole, sts:TagSession, …"
                                               : " is none of S3's"));
    into.level = std::max(into.level, *level);
  }
  into.actions = but ? ~named : named;
  return true;
}

bool statement_reader::in_bucket(const pattern& resource) const {
  const auto own = std::string{arn_of_s3}.append(bucket_);
  return bucket_.empty() || resource.may_match(own) || resource.may_begin_with(own + "/");
}

// "arn:aws:iam:::user/a": the account's number may be left out.
std::string with_account(std::string_view resource) {
  std::string text{resource};
  if (resource.starts_with(arn_of_iam) && resource.substr(arn_of_iam.size()).starts_with(':'))
    text.insert(arn_of_iam.size(), account_id);
  return text;
}

bool statement_reader::read_resources(const json_value& value, bool but, statement& into) {
  if (of_ == owner_kind::trust) return fail("a trust policy is about its role: it has no Resource");
  if (has_resource_) return fail("Resource and NotResource exclude each other");
  has_resource_ = true;
  into.but_resources = but;
  std::vector<std::string_view> names;
  if (!texts_of(but ? "NotResource" : "Resource", value, names)) return false;
  for (const auto name : names) {
    const bool of_iam = of_ == owner_kind::identity && name.starts_with(arn_of_iam) && name.size() > arn_of_iam.size();
    if (name != "*" && !of_iam && (!name.starts_with(arn_of_s3) || name.size() == arn_of_s3.size()))
      return fail("the resource " + quoted(name) + " is not arn:aws:s3:::BUCKET or arn:aws:s3:::BUCKET/KEY");
    auto read = pattern::read(with_account(name), true, variables_, problem_);
    if (!read) return false;
    if (!in_bucket(*read)) return fail("the resource " + quoted(name) + " is not in the bucket of this policy");
    into.resources.push_back(std::move(*read));
  }
  return true;
}

bool statement_reader::read_condition(std::string_view how, std::string_view key, const json_value& value,
                                      statement& into) {
  const auto op = operator_of(how);
  if (!op) return fail("the condition operator " + quoted(how) + " is unknown");
  const auto named = key_of(key);
  if (!named || (is_of_sts(named->key) && of_ != owner_kind::trust))
    return fail("the condition key " + quoted(key) + " is unknown, or Cairn does not have it");
  into.level = std::max(into.level, level_of(named->key));
  condition made{*op, *named};
  const auto add = [&](const json_value& item) {
    // Numbers and truth values may be written without quotes.
    const auto written = item.is_string() ? std::string{text_of(item)} : json_text(item);
    if (!item.is_string() && !item.is_number() && !item.is_bool())
      return fail("a value of " + std::string{key} + " is neither a string nor a number nor a truth value");
    std::string why;
    return made.add(written, variables_, why) ||
           fail("the value " + quoted(written) + " of " + std::string{how} + " " + std::string{key} + ": " + why);
  };
  const auto* list = value.if_array();
  if (list != nullptr && list->empty()) return fail("the condition " + std::string{key} + " has no value");
  if (list == nullptr && !add(value)) return false;
  if (list != nullptr)
    for (const auto& item : *list)
      if (!add(item)) return false;
  into.conditions.push_back(std::move(made));
  return true;
}

bool statement_reader::read_conditions(const json_value& value, statement& into) {
  const auto* blocks = value.if_object();
  if (blocks == nullptr) return fail("Condition is not an object");
  for (const auto& block : *blocks) {
    const std::string_view how = member_name(block);
    const auto* lines = block.value().if_object();
    if (lines == nullptr || lines->empty())
      return fail("the condition operator " + quoted(how) + " needs an object of condition keys");
    for (const auto& line : *lines)
      if (!read_condition(how, member_name(line), line.value(), into)) return false;
  }
  return true;
}

bool statement_reader::read_member(std::string_view name, const json_value& value, statement& into) {
  if (name == "Sid") {
    if (!value.is_string()) return fail("Sid is not a string");
    into.sid = text_of(value);
    return true;
  }
  if (name == "Effect") {
    has_effect_ = true;
    into.allows = text_of(value) == "Allow";
    return into.allows || text_of(value) == "Deny" || fail("Effect is neither Allow nor Deny");
  }
  if (name == "Principal" || name == "NotPrincipal") {
    into.but_principals = name == "NotPrincipal";
    return read_principals(name, value, into);
  }
  if (name == "Action" || name == "NotAction") return read_actions(value, name == "NotAction", into);
  if (name == "Resource" || name == "NotResource") return read_resources(value, name == "NotResource", into);
  if (name == "Condition") return read_conditions(value, into);
  return fail("a statement has no element " + quoted(name));
}

bool statement_reader::complete(statement& read) {
  if (!has_effect_) return fail("a statement needs an Effect");
  if (of_ != owner_kind::identity && !read.has_principals) return fail("a statement needs a Principal or NotPrincipal");
  if (read.but_principals && read.allows)
    return fail("NotPrincipal with Allow would let in everybody but some; it is for Deny");
  if (!has_action_) return fail("a statement needs an Action or NotAction");
  if (of_ == owner_kind::trust) {
    read.resources.push_back(*pattern::read("*", true, false, problem_));
    return true;
  }
  return has_resource_ || fail("a statement needs a Resource or NotResource");
}

bool statement_reader::read(const json_value& value, statement& into) {
  problem_.clear();
  has_effect_ = has_action_ = has_resource_ = false;
  const auto* members = value.if_object();
  if (members == nullptr) return fail("a statement is not an object");
  for (const auto& member : *members)
    if (!read_member(member_name(member), member.value(), into)) return false;
  return complete(into);
}

error refusal(std::string why) {
  return {errc::invalid_argument, std::move(why)};
}

} // namespace

result<policy> policy::compile(std::string_view json, owner_kind of, std::string_view bucket) {
  if (json.size() > policy_bytes_max)
    return refusal("a policy has at most " + std::to_string(policy_bytes_max) + " bytes");
  const auto document = read_json(json, policy_bytes_max, depth_max);
  const auto* members = document ? document->if_object() : nullptr;
  if (members == nullptr)
    return refusal("it is not a JSON object of at most " + std::to_string(depth_max) + " levels in UTF-8");
  if (has_repeated_members(json, *document)) return refusal("an element comes twice in the same object");
  bool variables = false;
  const json_value* body = nullptr;
  for (const auto& member : *members) {
    const std::string_view name = member_name(member);
    const auto text = text_of(member.value());
    if (name == "Version") {
      variables = text == version_with_variables;
      if (!variables && text != version_before) return refusal("Version is neither 2012-10-17 nor 2008-10-17");
    } else if (name == "Id") {
      if (!member.value().is_string()) return refusal("Id is not a string");
    } else if (name == "Statement") {
      body = &member.value();
    } else {
      return refusal("a policy has no element " + quoted(name));
    }
  }
  if (body == nullptr) return refusal("it has no Statement");
  const auto* list = body->if_array();
  if (list != nullptr && (list->empty() || list->size() > statements_max))
    return refusal("it has 1 to " + std::to_string(statements_max) + " statements");
  const std::size_t count = list != nullptr ? list->size() : 1;
  policy made;
  std::set<std::string> sids;
  statement_reader reader{of, bucket, variables};
  for (std::size_t i = 0; i < count; ++i) {
    statement read;
    const auto where = [&] { return "statement " + std::to_string(i + 1) + ": "; };
    if (!reader.read(list != nullptr ? (*list)[i] : *body, read)) return refusal(where() + reader.problem());
    if (!read.sid.empty() && !sids.insert(read.sid).second)
      return refusal(where() + "the Sid " + quoted(read.sid) + " comes twice");
    made.statements_.push_back(std::move(read));
  }
  return made;
}

} // namespace cairn::storage::policy
