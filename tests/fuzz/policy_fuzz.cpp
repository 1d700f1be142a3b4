// Policies of buckets on arbitrary text. A policy that is accepted answers a request as its statements answer it one by
// one: denied if one denies, else undecided if one is, else allowed if one allows. A statement that denies everything
// to everybody makes every answer a denial. The first bytes choose the request.
#include "base/json.hpp"
#include "storage/policy/policy.hpp"

#include <array>

namespace {

namespace policy = cairn::storage::policy;
using policy::effect;

constexpr std::array<policy::action, 6> actions{
    policy::action::get_object,        policy::action::put_object,
    policy::action::list_bucket,       policy::action::delete_object_version,
    policy::action::get_bucket_policy, policy::action::put_object_tagging};
constexpr std::array<std::string_view, 5> keys{"a", "home/CK1/a", "*", "\xc3\xa9", "a/b?c"};

policy::context context_of(std::uint8_t choice) {
  policy::context with;
  with.kind = static_cast<policy::sender>(choice % 3);
  with.time = 1'796'000'000'000;
  if (choice & 4) with.set(policy::context_key::source_ip, "10.1.2.3");
  if (choice & 8) with.set(policy::context_key::prefix, "home/CK1");
  if (choice & 16) with.set_request_tags({{"team", "blue"}, {"x", ""}});
  if (choice & 32) with.set(policy::context_key::max_keys, "10");
  if (choice & 64) with.body_known = false;
  return with;
}

effect combined(const cairn::json_value& document, const policy::request& asked) {
  auto one = document.get_object();
  const auto list = one["Statement"].is_array() ? one["Statement"].get_array() : cairn::json_array{one["Statement"]};
  bool waits = false, allows = false;
  for (const auto& statement : list) {
    one["Statement"] = statement;
    const auto compiled = policy::policy::compile(cairn::json_text(one), policy::owner_kind::bucket);
    if (!compiled) return effect::deny; // longer when written again: nothing to compare
    const auto answer = compiled->evaluate(asked).outcome;
    if (answer == effect::deny) return answer;
    waits = waits || answer == effect::undecided;
    allows = allows || answer == effect::allow;
  }
  return waits ? effect::undecided : allows ? effect::allow : effect::none;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 4, size - 4};
  auto compiled = policy::policy::compile(text, policy::owner_kind::bucket);
  if (!compiled) {
    CAIRN_ASSERT(!compiled.error().text.empty());
    return 0;
  }
  const auto with = context_of(data[1]);
  const policy::tag_pairs tags{{"team", data[3] & 1 ? "blue" : "red"}};
  const policy::request asked{.act = actions[data[0] % actions.size()],
                              .bucket = "files",
                              .key = keys[data[2] % keys.size()],
                              .access_key = with.kind == policy::sender::key ? "CK1" : "",
                              .with = &with,
                              .existing_tags = data[3] & 2 ? &tags : nullptr,
                              .object_missing = (data[3] & 4) != 0};
  const auto document = cairn::read_json(text, policy::policy_bytes_max, 8);
  const auto whole = compiled->evaluate(asked);
  CAIRN_ASSERT(whole.statement < compiled->statements().size());
  if (cairn::json_text(*document).size() <= policy::policy_bytes_max / 2)
    CAIRN_ASSERT(combined(*document, asked) == whole.outcome);
  compiled->is_public();
  auto locked = document->get_object();
  if (!locked["Statement"].is_array()) locked["Statement"] = cairn::json_array{locked["Statement"]};
  auto& list = locked["Statement"].get_array();
  list.push_back({{"Effect", "Deny"}, {"Principal", "*"}, {"Action", "*"}, {"Resource", "*"}});
  const auto denying = policy::policy::compile(cairn::json_text(locked), policy::owner_kind::bucket);
  CAIRN_ASSERT(!denying || denying->evaluate(asked).outcome == effect::deny);
  return 0;
}
