// SimulatePrincipalPolicy and SimulateCustomPolicy: what the evaluator says about each action on each resource.
#include "net/iam/iam_answers.hpp"
#include "net/iam/iam_documents.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "storage/policy/policy.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;
namespace policy = storage::policy;

// The answer grows with the pairs of an action and a resource, the time also with the policies and the context.
constexpr std::size_t simulated_max = 1000;          // pairs
constexpr std::size_t resource_bytes_max = 2048;     // as AWS
constexpr std::size_t simulated_bytes_max = 4 << 20; // of policies, counted for each pair
constexpr std::size_t context_bytes_max = 8 << 10;   // of all values

struct simulated {
  std::string bucket, key;
};

// The parts of an ARN that a request is made of.
simulated parts_of(std::string_view arn, policy::action act) {
  constexpr std::string_view of_s3 = "arn:aws:s3:::", of_iam = "arn:aws:iam::";
  if (policy::is_of_iam(act)) {
    const auto colon = arn.starts_with(of_iam) ? arn.find(':', of_iam.size()) : arn.npos;
    return {{}, std::string{colon == arn.npos ? arn : arn.substr(colon + 1)}};
  }
  if (arn.starts_with(of_s3)) arn.remove_prefix(of_s3.size());
  const auto slash = arn.find('/');
  if (!policy::is_of_object(act)) return {std::string{arn}, {}};
  return {std::string{arn.substr(0, slash)}, std::string{slash == arn.npos ? arn : arn.substr(slash + 1)}};
}

std::variant<policy::context, s3_error> read_context(const iam_query& query, wall_ms now) {
  policy::context with;
  with.kind = policy::sender::key;
  with.time = now;
  std::size_t bytes = 0;
  for (std::size_t n = 1;; ++n) {
    const auto entry = "ContextEntries.member." + std::to_string(n) + ".";
    const auto* const name = query.find(entry + "ContextKeyName");
    if (name == nullptr) return with;
    const auto named = policy::key_of(*name);
    if (!named) return s3_error{400, "InvalidInput", "The condition key " + *name + " is unknown."};
    auto values = query.list(entry + "ContextKeyValues");
    for (const auto& value : values) bytes += value.size();
    if (bytes > context_bytes_max) return validation_error("The values of ContextEntries are too long.");
    with.values.push_back({named->key, std::string{named->name}, std::move(values)});
  }
}

bool is_too_much(const std::vector<std::string>& wanted, const std::vector<std::string>& resources,
                 const metadata::identity& of) {
  const auto pairs = wanted.size() * resources.size();
  std::size_t policy_bytes = 0;
  for (const auto& one : of.policies) policy_bytes += one.document.text().size();
  return pairs > simulated_max || pairs * policy_bytes > simulated_bytes_max ||
         std::ranges::any_of(resources, [](const auto& arn) { return arn.size() > resource_bytes_max; });
}

std::string_view decision_text(policy::effect outcome) {
  switch (outcome) {
    case policy::effect::allow: return "allowed";
    case policy::effect::deny: return "explicitDeny";
    default: return "implicitDeny";
  }
}

} // namespace

std::variant<std::string, s3_error> simulation_answer(const iam_query& query, const metadata::identity* of,
                                                      wall_ms now) {
  metadata::identity custom;
  if (of == nullptr) {
    for (const auto& text : query.list("PolicyInputList")) {
      if (auto compiled = policy::policy::compile(text, policy::owner_kind::identity); !compiled)
        return s3_error{400, "InvalidInput", "A policy is not valid: " + compiled.error().text + "."};
      custom.policies.push_back(
          {"PolicyInputList." + std::to_string(custom.policies.size() + 1), metadata::identity_policy{text}});
    }
  }
  const auto& asked_of = of != nullptr ? *of : custom;
  const auto context = read_context(query, now);
  if (const auto* refused = std::get_if<s3_error>(&context)) return *refused;
  const auto wanted = query.list("ActionNames");
  auto resources = query.list("ResourceArns");
  if (resources.empty()) resources.emplace_back("*");
  if (wanted.empty() || is_too_much(wanted, resources, asked_of))
    return validation_error("ActionNames and ResourceArns name nothing, or too much.");
  result_writer xml;
  xml.open("EvaluationResults");
  for (const auto& name : wanted) {
    const auto act = policy::action_of(name);
    if (!act) return s3_error{400, "InvalidInput", "The action " + name + " is unknown."};
    for (const auto& arn : resources) {
      const auto about = parts_of(arn, *act);
      const auto told = metadata::ask_identity(asked_of, {.act = *act,
                                                          .bucket = about.bucket,
                                                          .key = about.key,
                                                          .with = &std::get<policy::context>(context),
                                                          .object_missing = true,
                                                          .user = of != nullptr ? &of->user : nullptr});
      xml.open("member");
      xml.text("EvalActionName", name);
      xml.text("EvalResourceName", readable_xml(arn));
      xml.text("EvalDecision", decision_text(told.outcome));
      xml.open("MatchedStatements");
      xml.close("MatchedStatements");
      xml.open("MissingContextValues");
      xml.close("MissingContextValues");
      xml.close("member");
    }
  }
  xml.close("EvaluationResults");
  write_truth(xml, "IsTruncated", false);
  return xml.take();
}

} // namespace cairn::net
