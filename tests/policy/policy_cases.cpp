// Answers policies and requests for tests/policy/policy_test.py, a JSON line each:
//   {"policy": TEXT, "of": "bucket" or "identity", "bucket": NAME}   → "accepted public", "accepted" or "refused WHY"
//   {"action": …, "bucket": …, "key": …, "sender": …, "access_key": …, "time": MS, "values": [[KEY, [VALUE…]]…],
//    "existing": [[NAME, VALUE]…] or null,                                of the object
//    "user": {"name": …, "id": …, "path": …, "tags": [[NAME, VALUE]…],    to whom the access key belongs: a user, or
//             "session": …, "issued": MS} or null}                        a role in a session; issued: 0: not temporary
//                                                                     → "allow N", "deny N", "none 0" or "undecided 0"
// Requests are about the last policy.
#include "base/json.hpp"
#include "storage/policy/policy.hpp"

#include <iostream>
#include <memory>

namespace {

namespace policy = cairn::storage::policy;

std::string text_of(const cairn::json_object& object, std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_string() ? std::string{value->get_string().data(), value->get_string().size()}
                                                : std::string{};
}

std::string string_of(const cairn::json_value& value) {
  return {value.get_string().data(), value.get_string().size()};
}

policy::sender sender_of(std::string_view text) {
  if (text == "key") return policy::sender::key;
  return text == "account" ? policy::sender::account : policy::sender::anonymous;
}

policy::tag_pairs tags_of(const cairn::json_value& value) {
  policy::tag_pairs tags;
  if (const auto* list = value.if_array())
    for (const auto& pair : *list) tags.emplace_back(string_of(pair.get_array()[0]), string_of(pair.get_array()[1]));
  return tags;
}

std::string ask(const policy::policy& rules, const cairn::json_object& asked) {
  policy::context with;
  with.kind = sender_of(text_of(asked, "sender"));
  with.time = asked.at("time").to_number<std::int64_t>();
  for (const auto& pair : asked.at("values").get_array()) {
    const auto name = string_of(pair.get_array()[0]);
    const auto key = policy::key_of(name);
    if (!key) return "unknown key " + name;
    policy::context_value value{key->key, std::string{key->name}, {}};
    for (const auto& one : pair.get_array()[1].get_array()) value.values.push_back(string_of(one));
    with.values.push_back(std::move(value));
  }
  const auto tags = tags_of(asked.at("existing"));
  policy::user_facts user;
  const auto* has_user = asked.at("user").if_object();
  if (has_user != nullptr)
    user = {text_of(*has_user, "name"),    text_of(*has_user, "id"),
            text_of(*has_user, "path"),    tags_of(has_user->at("tags")),
            text_of(*has_user, "session"), has_user->at("issued").to_number<std::int64_t>()};
  const auto bucket = text_of(asked, "bucket"), key = text_of(asked, "key"), access_key = text_of(asked, "access_key");
  const auto action = policy::action_of(text_of(asked, "action"));
  if (!action) return "unknown action";
  const auto made = rules.evaluate({.act = *action,
                                    .bucket = bucket,
                                    .key = key,
                                    .access_key = access_key,
                                    .with = &with,
                                    .existing_tags = asked.at("existing").is_null() ? nullptr : &tags,
                                    .user = has_user != nullptr ? &user : nullptr});
  constexpr std::string_view words[] = {"none", "allow", "deny", "undecided"};
  return std::string{words[static_cast<std::size_t>(made.outcome)]} + ' ' + std::to_string(made.statement);
}

} // namespace

int main() {
  std::ios::sync_with_stdio(false);
  std::unique_ptr<const policy::policy> rules;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto read = cairn::read_json(line, 1 << 20, 16);
    const auto* asked = read ? read->if_object() : nullptr;
    if (asked == nullptr) return 2;
    if (!asked->contains("policy")) {
      std::cout << (rules ? ask(*rules, *asked) : "no policy") << '\n';
      continue;
    }
    const auto kind = text_of(*asked, "of") == "identity" ? policy::owner_kind::identity : policy::owner_kind::bucket;
    auto compiled = policy::policy::compile(text_of(*asked, "policy"), kind, text_of(*asked, "bucket"));
    if (compiled)
      std::cout << (compiled->is_public() ? "accepted public\n" : "accepted\n");
    else
      std::cout << "refused " << compiled.error().text << '\n';
    rules = compiled ? std::make_unique<const policy::policy>(std::move(*compiled)) : nullptr;
  }
  return 0;
}
