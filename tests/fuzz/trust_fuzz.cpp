// A trust policy of a role, as a client puts it: never a crash; a policy that compiles is about assuming the role,
// gives the same answer each time, and lets nobody in whom its denying form lets in.
#include "base/json.hpp"
#include "storage/policy/policy.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace policy = cairn::storage::policy;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto rules = policy::policy::compile(text, policy::owner_kind::trust);
  if (!rules) return 0;
  if (rules->statements().empty()) std::abort();
  policy::context with;
  with.kind = policy::sender::key;
  with.set(policy::context_key::sts_external_id, "42");
  with.set(policy::context_key::sts_role_session_name, "nightly");
  const policy::user_facts ann{.name = "ann", .id = "AIDA1", .path = "/team/"};
  for (const bool through_account : {false, true}) {
    policy::request r{
        .act = policy::action::sts_assume_role, .key = "role/backup", .access_key = "AKIA1", .with = &with};
    r.object_missing = true;
    r.user = &ann;
    r.through_account = through_account;
    const auto told = rules->evaluate(r);
    if (told.outcome != rules->evaluate(r).outcome) std::abort();
    bool allows = false, names_resources = true;
    for (const auto& s : rules->statements()) {
      if (!s.has_principals) std::abort();
      allows = allows || s.allows;
      names_resources = names_resources && !s.resources.empty();
    }
    // A web identity is let in by a statement that names its provider.
    policy::request web{.act = policy::action::sts_assume_role_with_web_identity, .key = "role/backup", .with = &with};
    web.object_missing = true;
    web.provider = "idp.example.org/team";
    const auto arn = policy::provider_arn(web.provider);
    const bool is_named = std::any_of(rules->statements().begin(), rules->statements().end(), [&arn](const auto& s) {
      return s.allows && std::find(s.who.arns.begin(), s.who.arns.end(), arn) != s.who.arns.end();
    });
    if (rules->evaluate(web).outcome == policy::effect::allow && !is_named) std::abort();
    if (!names_resources || (told.outcome == policy::effect::allow && !allows)) std::abort();
  }
  return 0;
}
