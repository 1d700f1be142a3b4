#include "cli/import/identities/identity_import.hpp"

#include "cli/client/secret_file.hpp"
#include "cli/import/documents/minio_admin.hpp"
#include "cli/import/identities/iam_reader.hpp"
#include "cli/import/identities/identity_plan.hpp"
#include "cli/import/identities/minio_export.hpp"
#include "cli/transfer/retry.hpp"
#include "net/wire/grammar/ascii.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace cairn::cli {

namespace {

constexpr std::string_view key_file_head = "User name,Access key ID,Secret access key\n";

result<std::unique_ptr<http_client>> iam_client_for(s3_endpoint endpoint) {
  endpoint.service = "iam";
  return client_for(endpoint);
}

result<identity_set> ask_minio(const s3_endpoint& from) {
  const auto client = client_for(from);
  if (!client) return client.error();
  auto answer = with_retries([&]() -> result<http_response> {
    auto response = (*client)->exchange(minio_identities_request());
    if (response && !response->ok()) return minio_failure(*response, "the admin API of the source");
    return response;
  });
  if (!answer) return answer.error();
  return read_minio_archive(std::move(answer->body));
}

result<identity_set> read_source(const identity_import_options& options) {
  if (!options.minio_export.empty()) return read_minio_export(options.minio_export);
  if (options.minio_admin) return ask_minio(options.from);
  const auto client = iam_client_for(options.from);
  if (!client) return client.error();
  auto read = read_identities(**client, [](const std::string&) { return true; });
  if (!read) return error{read.error().code, "users of the source: " + read.error().text};
  return read;
}

result<identity_set> read_target(http_client& client, const identity_set& source) {
  std::set<std::string> names;
  for (const auto& user : source.users) names.insert(net::ascii_lower(user.name));
  for (const auto& group : source.groups) names.insert(net::ascii_lower(group.name));
  auto read = read_identities(client, [&](const std::string& name) { return names.contains(net::ascii_lower(name)); });
  if (!read) return error{read.error().code, "users of the target: " + read.error().text};
  return read;
}

class identity_importer {
public:
  identity_importer(const identity_import_options& options, http_client& target, identity_plan plan,
                    const std::function<void(const std::string&)>& say)
      : options_(options), target_(target), plan_(std::move(plan)), say_(say) {}

  result<identity_result> run() {
    for (const auto& step : plan_.steps)
      if (auto done = take(step); !done) return done.error();
    if (auto made = make_keys(); !made) return made.error();
    result_.same = plan_.same;
    result_.left = std::move(plan_.left);
    result_.differences = std::move(plan_.differences);
    return std::move(result_);
  }

private:
  // Errors: the target cannot be reached.
  result<void> take(const identity_step& step) {
    const auto missing =
        std::ranges::find_if(step.needs, [this](const std::string& need) { return plan_.withheld.contains(need); });
    if (missing != step.needs.end()) {
      fail(step, "left out, as " + *missing + " is not carried over as a whole");
      return {};
    }
    if (!options_.dry_run) {
      const auto done = ask_target(step);
      if (!done && may_pass(done.error().code)) return done;
      if (!done) {
        fail(step, done.error().text);
        return {};
      }
    }
    ++result_.done;
    say_(step.what);
    return {};
  }

  void fail(const identity_step& step, std::string why) {
    result_.failures.push_back({step.what, std::move(why)});
    if (step.denies) plan_.withheld.insert(step.subject);
  }

  result<void> ask_target(const identity_step& step) {
    bool repeats = false;
    return with_retries([&]() -> result<void> {
      const auto answer = ask_iam(target_, step.action, step.parameters);
      if (answer) return {};
      // The target may have done it although its answer was lost.
      if (std::exchange(repeats, true) && answer.error().code == errc::identity_exists) return {};
      return answer.error();
    });
  }

  result<void> make_keys() {
    if (plan_.users_for_keys.empty()) return {};
    auto read = read_key_file();
    if (!read) return read.error();
    auto& text = *read;
    for (const auto& user : plan_.users_for_keys) {
      const auto what = "user " + user + ": new access key";
      if (plan_.withheld.contains("user " + user)) {
        result_.failures.push_back({what, "left out, as user " + user + " is not carried over as a whole"});
        continue;
      }
      if (!options_.dry_run)
        if (auto made = make_key(user, what, text); !made) return made;
      ++result_.done;
      say_(what);
    }
    return {};
  }

  // Asked once: a repeated request makes another key.
  result<void> make_key(const std::string& user, const std::string& what, std::string& text) {
    const auto answer = ask_iam(target_, "CreateAccessKey", {{"UserName", user}});
    const auto* const key = answer ? answer->child("AccessKey") : nullptr;
    if (key == nullptr)
      return error{answer ? errc::corrupt : answer.error().code,
                   what + ": " + (answer ? "the answer has no key" : answer.error().text)};
    text += '"' + user + "\"," + std::string(key->text_of("AccessKeyId")) + "," +
            std::string(key->text_of("SecretAccessKey")) + "\n";
    return write_private_file(options_.key_file, text, file_secrecy::owner_only);
  }

  // With the keys of earlier runs. It is written once before, so that no key is made whose secret cannot be kept.
  result<std::string> read_key_file() {
    std::error_code failed;
    std::string text{key_file_head};
    if (std::filesystem::exists(options_.key_file, failed)) {
      std::ifstream file{options_.key_file, std::ios::binary};
      text.assign(std::istreambuf_iterator<char>{file}, {});
      if (!file.good() && !file.eof()) return system_failure("reading " + options_.key_file);
      if (!text.starts_with(key_file_head))
        return error{errc::invalid_argument, "--make-keys " + options_.key_file + ": the file has something else"};
    }
    if (options_.dry_run) return text;
    if (auto written = write_private_file(options_.key_file, text, file_secrecy::owner_only); !written)
      return written.error();
    return text;
  }

  const identity_import_options& options_;
  http_client& target_;
  identity_plan plan_;
  const std::function<void(const std::string&)>& say_;
  identity_result result_;
};

} // namespace

result<identity_result> import_identities(const identity_import_options& options, const s3_endpoint& to,
                                          const std::function<void(const std::string&)>& say) {
  const auto source = read_source(options);
  if (!source) return source.error();
  const auto client = iam_client_for(to);
  if (!client) return client.error();
  const auto target = read_target(**client, *source);
  if (!target) return target.error();
  auto plan = plan_identities(*source, *target, {options.overwrite, !options.key_file.empty()});
  auto done = identity_importer(options, **client, std::move(plan), say).run();
  if (done) done->account = source->account;
  return done;
}

} // namespace cairn::cli
