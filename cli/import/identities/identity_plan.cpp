#include "cli/import/identities/identity_plan.hpp"

#include "cli/import/documents/policy_document.hpp"
#include "net/wire/grammar/ascii.hpp"

#include <algorithm>
#include <map>

namespace cairn::cli {

namespace {

// Names that differ in case alone are one name in IAM.
template <class Identity>
const Identity* find_named(const std::vector<Identity>& all, std::string_view name) {
  const auto found = std::ranges::find_if(all, [name](const Identity& one) { return net::iequals(one.name, name); });
  return found == all.end() ? nullptr : &*found;
}

bool has_name(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::any_of(names, [name](const std::string& one) { return net::iequals(one, name); });
}

class identity_planner {
public:
  identity_planner(const identity_set& source, const identity_set& target, const identity_rules& rules)
      : source_(source), target_(target), rules_(rules) {}

  identity_plan make() {
    plan_.left = source_.remarks;
    for (const auto& policy : source_.policies) each("policy ", policy, [&](const auto& s) { plan_policy(policy, s); });
    for (const auto& group : source_.groups) each("group ", group, [&](const auto& s) { plan_group(group, s); });
    for (const auto& user : source_.users) each("user ", user, [&](const auto& s) { plan_user(user, s); });
    return std::move(plan_);
  }

private:
  template <class Identity, class Plan>
  void each(const char* kind, const Identity& one, const Plan& plan) {
    const auto subject = kind + one.name;
    if (!subjects_.insert(net::ascii_lower(subject)).second)
      return plan_.left.push_back({subject, "another one has this name, apart from upper and lower case"});
    const auto before = plan_.steps.size() + plan_.left.size() + plan_.differences.size();
    plan(subject);
    if (before == plan_.steps.size() + plan_.left.size() + plan_.differences.size()) ++plan_.same;
  }

  void add(identity_step step) { plan_.steps.push_back(std::move(step)); }

  void plan_policy(const managed_policy& policy, const std::string& subject) {
    auto taken = take_policy(policy.document, source_.account);
    leave_actions(subject, taken);
    denying_[net::ascii_lower(policy.name)] = !taken.document.empty() && denies_something(taken.document);
    if (taken.document.empty()) return; // an attachment says so
    const auto* const present = find_named(target_.policies, policy.name);
    auto path = present ? present->path : policy.path;
    arns_[net::ascii_lower(policy.name)] = "arn:aws:iam:::policy" + path + (present ? present->name : policy.name);
    if (present && is_same_document(present->document, taken.document)) return;
    if (!present) {
      iam_parameters parameters{{"PolicyName", policy.name}, {"PolicyDocument", std::move(taken.document)}};
      if (path != "/") parameters.emplace_back("Path", std::move(path));
      if (!policy.description.empty()) parameters.emplace_back("Description", policy.description);
      return add({subject, "CreatePolicy", std::move(parameters), subject, {}, true});
    }
    if (rules_.overwrite)
      return add({subject + ": new version",
                  "CreatePolicyVersion",
                  {{"PolicyArn", arns_[net::ascii_lower(policy.name)]},
                   {"PolicyDocument", std::move(taken.document)},
                   {"SetAsDefault", "true"}},
                  subject,
                  {},
                  true});
    plan_.differences.push_back({subject, "the target has another document (--overwrite takes the source's)"});
    plan_.withheld.insert(subject);
  }

  void leave_actions(const std::string& subject, const taken_policy& taken) {
    if (taken.left_actions.empty()) return;
    std::string actions;
    for (const auto& action : taken.left_actions) actions += (actions.empty() ? "" : ", ") + action;
    plan_.left.push_back(
        {subject,
         (taken.document.empty() ? "it is only about other services: " : "actions of other services: ") + actions});
  }

  void plan_group(const group_identity& group, const std::string& subject) {
    const auto* const present = find_named(target_.groups, group.name);
    if (!present) {
      iam_parameters parameters{{"GroupName", group.name}};
      if (group.path != "/") parameters.emplace_back("Path", group.path);
      add({subject, "CreateGroup", std::move(parameters), subject, {}, true});
    }
    denying_groups_[net::ascii_lower(group.name)] =
        plan_policies("Group", group.name, subject, group.policies, present ? present->policies : policies_held{});
  }

  void plan_user(const user_identity& user, const std::string& subject) {
    const auto* const present = find_named(target_.users, user.name);
    if (!present) {
      iam_parameters parameters{{"UserName", user.name}};
      if (user.path != "/") parameters.emplace_back("Path", user.path);
      append_tags(parameters, user.tags);
      add({subject, "CreateUser", std::move(parameters), subject, {}, true});
    } else if (auto missing = missing_tags(user.tags, present->tags); !missing.empty()) {
      iam_parameters parameters{{"UserName", user.name}};
      append_tags(parameters, missing);
      add({subject + ": tags", "TagUser", std::move(parameters), subject, {subject}, true});
    }
    if (!user.withheld.empty()) return plan_.left.push_back({subject + ": policies, groups and keys", user.withheld});
    plan_groups_of(user, subject, present, true);
    plan_policies("User", user.name, subject, user.policies, present ? present->policies : policies_held{});
    plan_groups_of(user, subject, present, false);
    plan_keys(user, subject, present);
  }

  // `denying`: those of the groups whose policies deny something, or the others.
  void plan_groups_of(const user_identity& user, const std::string& subject, const user_identity* present,
                      bool denying) {
    for (const auto& group : user.groups) {
      const auto known = denying_groups_.find(net::ascii_lower(group));
      if (known == denying_groups_.end() ? denying : known->second != denying) continue;
      if (present && has_name(present->groups, group)) continue;
      add({subject + ": group " + group,
           "AddUserToGroup",
           {{"GroupName", group}, {"UserName", user.name}},
           subject,
           {subject, "group " + group},
           denying});
    }
  }

  // Those that deny first. Whether there are any.
  bool plan_policies(const std::string& kind, const std::string& name, const std::string& subject,
                     const policies_held& wanted, const policies_held& present) {
    bool some = false;
    for (const bool denying : {true, false}) {
      for (const auto& policy : wanted.own) {
        if (denies_something(policy.document) != denying) continue;
        some = some || denying;
        plan_inline(kind, name, subject, policy, present);
      }
      for (const auto& policy : wanted.attached) {
        const auto known = denying_.find(net::ascii_lower(policy));
        if ((known == denying_.end() || known->second) != denying) continue;
        some = some || denying;
        plan_attachment(kind, name, subject, policy, present, denying);
      }
    }
    return some;
  }

  void plan_inline(const std::string& kind, const std::string& name, const std::string& subject,
                   const inline_policy& policy, const policies_held& present) {
    const auto what = subject + ": policy " + policy.name;
    auto taken = take_policy(policy.document, source_.account);
    leave_actions(what, taken);
    if (taken.document.empty()) return;
    const auto found = std::ranges::find(present.own, policy.name, &inline_policy::name);
    if (found != present.own.end() && is_same_document(found->document, taken.document)) return;
    const bool denies = denies_something(taken.document);
    if (found != present.own.end() && !rules_.overwrite) {
      plan_.differences.push_back({what, "the target has another document (--overwrite takes the source's)"});
      if (denies) plan_.withheld.insert(subject);
      return;
    }
    add({what,
         "Put" + kind + "Policy",
         {{kind + "Name", name}, {"PolicyName", policy.name}, {"PolicyDocument", std::move(taken.document)}},
         subject,
         {subject},
         denies});
  }

  void plan_attachment(const std::string& kind, const std::string& name, const std::string& subject,
                       const std::string& policy, const policies_held& present, bool denying) {
    if (has_name(present.attached, policy)) return;
    const auto what = subject + ": attached policy " + policy;
    const auto arn = arns_.find(net::ascii_lower(policy));
    if (arn == arns_.end()) {
      const bool known = denying_.contains(net::ascii_lower(policy));
      return plan_.left.push_back({what, known ? "it is only about other services" : "the source does not have it"});
    }
    add({what,
         "Attach" + kind + "Policy",
         {{kind + "Name", name}, {"PolicyArn", arn->second}},
         subject,
         {subject, "policy " + policy},
         denying});
  }

  void plan_keys(const user_identity& user, const std::string& subject, const user_identity* present) {
    const std::vector<known_key> none;
    const auto& here = present ? present->keys : none;
    bool untold = false;
    for (const auto& key : user.keys) {
      const auto what = subject + ": access key " + key.id;
      const auto found = std::ranges::find(here, key.id, &known_key::id);
      if (found != here.end()) {
        plan_status(user, subject, key, found->active);
      } else if (!key.secret.empty()) {
        add({what,
             "CreateAccessKey",
             {{"UserName", user.name}, {"AccessKeyId", key.id}, {"SecretAccessKey", key.secret}},
             subject,
             {subject}});
        plan_status(user, subject, key, true);
      } else {
        untold = untold || key.active;
        if (!rules_.make_keys)
          plan_.left.push_back({what, "the source does not tell its secret (--make-keys FILE makes others)"});
      }
    }
    if (untold && rules_.make_keys && here.empty()) plan_.users_for_keys.push_back(user.name);
  }

  void plan_status(const user_identity& user, const std::string& subject, const known_key& key, bool active) {
    const auto what = subject + ": access key " + key.id;
    if (key.active && !active) plan_.differences.push_back({what, "is disabled in the target"});
    if (key.active || !active) return;
    add({what + ": disabled",
         "UpdateAccessKey",
         {{"UserName", user.name}, {"AccessKeyId", key.id}, {"Status", "Inactive"}},
         subject,
         {subject}});
  }

  using tag_pairs = std::vector<std::pair<std::string, std::string>>;
  static void append_tags(iam_parameters& parameters, const tag_pairs& tags) {
    for (std::size_t i = 0; i < tags.size(); ++i) {
      const auto member = "Tags.member." + std::to_string(i + 1);
      parameters.emplace_back(member + ".Key", tags[i].first);
      parameters.emplace_back(member + ".Value", tags[i].second);
    }
  }
  static tag_pairs missing_tags(const tag_pairs& wanted, const tag_pairs& present) {
    tag_pairs missing;
    for (const auto& tag : wanted)
      if (std::ranges::find(present, tag) == present.end()) missing.push_back(tag);
    return missing;
  }

  const identity_set& source_;
  const identity_set& target_;
  const identity_rules& rules_;
  identity_plan plan_;
  std::set<std::string> subjects_;                       // in lower case
  std::map<std::string, std::string> arns_;              // at the target, by the policy's name in lower case
  std::map<std::string, bool> denying_, denying_groups_; // by the name in lower case
};

} // namespace

identity_plan plan_identities(const identity_set& source, const identity_set& target, const identity_rules& rules) {
  return identity_planner(source, target, rules).make();
}

} // namespace cairn::cli
