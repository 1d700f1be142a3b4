#include "cli/admin/policy_command.hpp"

#include "base/json.hpp"
#include "base/seams.hpp"
#include "cli/admin/identity_command.hpp"
#include "cli/client/command_support.hpp"
#include "storage/policy/policy.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

namespace cairn::cli {

namespace {

namespace policy = storage::policy;

struct test_options {
  std::string file, action, resource, principal = "anonymous";
  std::vector<std::string> context;
  bool identity = false, json = false;
};

// What is asked; the request's views are of the other members.
struct question {
  policy::context with;
  policy::tag_pairs existing_tags;
  std::string bucket, key, access_key;
  policy::action act{};
};

error wrong(std::string text) {
  return {errc::invalid_argument, std::move(text)};
}

result<std::string> read_text(const std::string& file) {
  std::ifstream from_file;
  if (file != "-") from_file.open(file, std::ios::binary);
  std::istream& in = file == "-" ? std::cin : from_file;
  if (!in) return system_failure(file);
  std::string text(policy::policy_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

result<void> read_principal(const std::string& text, question& asked) {
  const auto own = "arn:aws:iam::" + std::string{policy::account_id} + ":";
  std::string_view name = text;
  for (const auto prefix : {std::string_view{own}, std::string_view{"arn:aws:iam:::"}})
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  if (name == "anonymous" || name == "*") return {};
  asked.with.kind = name == "root" ? policy::sender::account : policy::sender::key;
  if (name.starts_with("user/")) name.remove_prefix(5);
  if (name.starts_with("arn:")) return wrong("--principal " + text + ": no principal of this account");
  if (asked.with.kind == policy::sender::key) asked.access_key = name;
  return {};
}

result<void> read_resource(const std::string& text, question& asked) {
  constexpr std::string_view prefix = "arn:aws:s3:::";
  if (!text.starts_with(prefix) || text.size() == prefix.size())
    return wrong("--resource " + text + ": not arn:aws:s3:::BUCKET or arn:aws:s3:::BUCKET/KEY");
  const auto slash = text.find('/');
  asked.bucket = text.substr(prefix.size(), slash == text.npos ? slash : slash - prefix.size());
  if (slash != text.npos) asked.key = text.substr(slash + 1);
  if (policy::is_of_object(asked.act) == asked.key.empty())
    return wrong(std::string{to_string(asked.act)} + (asked.key.empty() ? " is about an object: arn:aws:s3:::BUCKET/KEY"
                                                                        : " is about a bucket: arn:aws:s3:::BUCKET"));
  return {};
}

result<void> read_context(const std::string& text, question& asked) {
  const auto equals = text.find('=');
  if (equals == text.npos) return wrong("--context " + text + ": not KEY=VALUE");
  const auto key = policy::key_of(std::string_view{text}.substr(0, equals));
  if (!key) return wrong("--context " + text + ": the condition key is unknown");
  auto value = text.substr(equals + 1);
  using policy::context_key;
  if (key->key == context_key::current_time || key->key == context_key::epoch_time) {
    const auto time = policy::read_date(value);
    if (!time) return wrong("--context " + text + ": not a date");
    asked.with.time = *time;
    return {};
  }
  if (key->key == context_key::existing_object_tag) {
    asked.existing_tags.emplace_back(key->name, std::move(value));
    return {};
  }
  auto& values = asked.with.values;
  const auto same = [&key](const auto& v) { return v.key == key->key && v.name == key->name; };
  const auto found = std::find_if(values.begin(), values.end(), same);
  if (found != values.end())
    found->values.push_back(std::move(value));
  else
    values.push_back({key->key, std::string{key->name}, {std::move(value)}});
  return {};
}

result<question> read_question(const test_options& options) {
  question asked;
  asked.with.time = system_clock().wall();
  const auto act = policy::action_of(options.action);
  if (!act) return wrong("--action " + options.action + ": none of S3's actions");
  asked.act = *act;
  if (auto read = read_principal(options.principal, asked); !read) return read.error();
  if (auto read = read_resource(options.resource, asked); !read) return read.error();
  for (const auto& pair : options.context)
    if (auto read = read_context(pair, asked); !read) return read.error();
  return asked;
}

void show(const policy::policy& rules, const policy::decision& found, bool json) {
  const bool decided = found.outcome == policy::effect::allow || found.outcome == policy::effect::deny;
  const std::string outcome = found.outcome == policy::effect::allow ? "allow" : "deny";
  if (json) {
    json_object shown{{"outcome", outcome}, {"explicit", decided}};
    if (decided) shown["statement"] = found.statement + 1;
    if (decided) shown["sid"] = rules.statements()[found.statement].sid;
    std::puts(json_text(shown).c_str());
    return;
  }
  const auto why = decided
                       ? "by " + policy::name_of(rules, found.statement)
                       : std::string{"as no statement is about this request (rights of the key may still allow it)"};
  std::puts(terminal_text(outcome + ", " + why).c_str());
}

// Whether the policy allows the request.
result<bool> test(const test_options& options) {
  const auto text = read_text(options.file);
  if (!text) return text.error();
  const auto kind = options.identity ? policy::owner_kind::identity : policy::owner_kind::bucket;
  const auto rules = policy::policy::compile(*text, kind);
  if (!rules) return wrong(options.file + ": " + rules.error().text);
  const auto asked = read_question(options);
  if (!asked) return asked.error();
  const auto found = rules->evaluate({.act = asked->act,
                                      .bucket = asked->bucket,
                                      .key = asked->key,
                                      .access_key = asked->access_key,
                                      .with = &asked->with,
                                      .existing_tags = &asked->existing_tags});
  show(*rules, found, options.json);
  return found.outcome == policy::effect::allow;
}

} // namespace

void add_policy_command(CLI::App& app, int& exit_code) {
  auto* policies = app.add_subcommand("policy", "Managed policies, and a try of policies before they are put");
  policies->require_subcommand(1);
  add_managed_policy_commands(*policies, exit_code);
  auto* command = policies->add_subcommand(
      "test",
      "Print whether a policy allows or denies a request, and which of its statements decides\n\n"
      "No node is asked. The exit code is 0 for allow, 1 for deny, 2 for a policy or a request that is not valid.\n"
      "The policy alone is asked: the rights of access keys and public access allow requests, too, unless the\n"
      "policy denies them.\n\n"
      "  cairn policy test --policy p.json --action s3:GetObject --resource arn:aws:s3:::files/a \\\n"
      "      --principal CK1 --context aws:SourceIp=10.1.2.3 --context s3:ExistingObjectTag/team=blue\n"
      "  cairn policy test --policy p.json --action s3:ListBucket --resource arn:aws:s3:::files \\\n"
      "      --context s3:prefix=home/ --json");
  auto options = std::make_shared<test_options>();
  command->add_option("--policy", options->file, "The policy, JSON; - reads standard input")
      ->type_name("FILE")
      ->required();
  command->add_option("--action", options->action, "For example s3:GetObject")->required();
  command->add_option("--resource", options->resource, "arn:aws:s3:::BUCKET or arn:aws:s3:::BUCKET/KEY")
      ->type_name("ARN")
      ->required();
  command
      ->add_option("--principal", options->principal,
                   "Who asks: an access key's id or its ARN, `root`, or `anonymous`, which is the default")
      ->type_name("WHO");
  command
      ->add_option("--context", options->context,
                   "The value of a condition key; again for further values of the same key")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  command->add_flag("--identity", options->identity, "The policy is one of an identity, without principals");
  command->add_flag("--json", options->json, "One JSON value, for scripts");
  command->callback([options, &exit_code] {
    bool allowed = false;
    run_command(exit_code, [&]() -> result<void> {
      const auto found = test(*options);
      if (!found) return found.error();
      allowed = *found;
      return {};
    });
    if (exit_code == 0 && !allowed) exit_code = 1;
  });
}

} // namespace cairn::cli
