#include "cli/import/bucket_pair.hpp"

#include "cli/client/s3_answers.hpp"
#include "cli/client/text_body.hpp"
#include "cli/import/documents/minio_admin.hpp"
#include "cli/transfer/object_time.hpp"
#include "cli/transfer/retry.hpp"
#include "net/wire/grammar/http_date.hpp"

namespace cairn::cli {

namespace {

version_listing listing_of_target(http_client& client, std::string bucket, version_listing::stop_request stops,
                                  std::string prefix) {
  auto ask_page = [&client, bucket = std::move(bucket)](const version_listing::query& query) {
    return with_retries([&]() -> result<std::string> {
      const auto page = ask(client, {"GET", target_of(bucket, query), {}}, "listing the target's " + bucket);
      if (!page) return page.error();
      return page->body;
    });
  };
  return {version_listing::scope::all_versions, std::move(ask_page), std::move(stops), std::move(prefix)};
}

} // namespace

result<http_response> bucket_pair::ask_source(const std::string& query) const {
  return with_retries([&]() -> result<http_response> {
    const auto client = source_.take(source_name_);
    if (!client) return client.error();
    auto response = (*client)->exchange({"GET", source_.target({source_name_, {}}, {{query, ""}}), {}});
    if (!response) return of_source(response.error());
    if (response->status == 503) return failure_of(*response, "the source");
    return response;
  });
}

result<http_response> bucket_pair::put_target(const std::string& query, const std::string& document) {
  return with_retries([&]() -> result<http_response> {
    text_body body(document);
    auto response = target_.exchange({"PUT", target_of(target_name_, {{query, ""}}), {}}, &body);
    if (response && !response->ok()) return failure_of(*response, "the target");
    return response;
  });
}

result<bucket_pair::source_state> bucket_pair::look_at_source() {
  const auto response = ask_source("versioning");
  if (!response) return response.error();
  source_date_s_ = net::parse_http_date(response->header("date")).value_or(0);
  if (!response->ok()) {
    const auto failure = failure_of(*response, "the source");
    const bool unknown = response->status == 400 || response->status == 405 || response->status == 501 ||
                         (response->status == 404 && failure.code != errc::no_such_bucket);
    if (!unknown) return failure;
    return source_state{versioning_state::none, failure.text};
  }
  const auto state = parse_versioning(response->body);
  if (!state) return source_state{versioning_state::none, "the source answers something else"};
  if (*state == versioning_state::none) return source_state{*state};
  const auto lock = ask_source(std::string(object_lock_query));
  if (!lock) return lock.error();
  return source_state{*state, {}, has_object_lock(*lock)};
}

result<bool> bucket_pair::target_exists() {
  const auto response = with_retries([&] { return target_.exchange({"HEAD", target_of({target_name_, {}}), {}}); });
  if (!response) return response.error();
  const auto target_date_s = net::parse_http_date(response->header("date")).value_or(0);
  constexpr std::int64_t second_ns = 1'000'000'000;
  if (target_date_s > 0 && source_date_s_ > 0) target_ahead_ns_ = (target_date_s - source_date_s_) * second_ns;
  if (response->status == 404) return false;
  if (!response->ok()) return failure_of(*response, "the target's bucket " + target_name_);
  return true;
}

result<void> bucket_pair::create_target() {
  const auto made = with_retries([&] {
    return ask(target_, {"PUT", target_of({target_name_, {}}), {}}, "creating the bucket " + target_name_);
  });
  if (!made) return made.error();
  return {};
}

result<void> bucket_pair::set_versioning(versioning_state state) {
  const auto set = put_target("versioning", versioning_xml(state));
  if (!set) return error{set.error().code, "versioning of " + target_name_ + ": " + set.error().text};
  return {};
}

result<void> bucket_pair::enable_lock() {
  const auto set = put_target(std::string(object_lock_query), object_lock_xml());
  if (!set) return error{set.error().code, "object lock of " + target_name_ + ": " + set.error().text};
  return {};
}

version_listing bucket_pair::source_listing(versioning_state versioning) const {
  const auto scope = versioning == versioning_state::none ? version_listing::scope::current_objects
                                                          : version_listing::scope::all_versions;
  return {scope,
          [&server = source_, bucket = source_name_](const version_listing::query& query) {
            return with_retries([&]() -> result<std::string> {
              const auto client = server.take(bucket);
              if (!client) return client.error();
              const auto page = (*client)->exchange({"GET", server.target({bucket, {}}, query), {}});
              if (!page) return of_source(page.error());
              if (!page->ok()) return failure_of(*page, "listing the source's " + bucket);
              return page->body;
            });
          },
          stops_};
}

version_listing bucket_pair::target_listing(bool exists) const {
  if (exists) return listing_of_target(target_, target_name_, stops_, {});
  return {version_listing::scope::all_versions,
          [](const version_listing::query&) { return result<std::string>("<ListVersionsResult/>"); }, stops_};
}

std::vector<setting_outcome> bucket_pair::carry_settings(bool dry_run, std::string_view account) {
  std::vector<setting_outcome> out;
  using kind = setting_outcome::kind;
  for (const auto query : setting_queries()) {
    const auto response = ask_source(std::string(query));
    if (!response) {
      out.push_back({std::string(query), kind::unreadable, response.error().text});
      continue;
    }
    const auto answer = read_setting(query, *response, account);
    if (answer.outcome) out.push_back(*answer.outcome);
    if (!answer.found) continue;
    const auto put =
        dry_run ? result<http_response>(http_response{}) : put_target(answer.found->query, answer.found->document);
    // Websites are no refusal of this one: a target may have none.
    const bool lacks = !put && query == website_query && put.error().text.find("NotImplemented") != std::string::npos;
    const auto what = put ? kind::carried : lacks ? kind::left_behind : kind::refused;
    out.push_back({answer.found->name, what, put || lacks ? "" : put.error().text});
  }
  return out;
}

std::optional<setting_outcome> bucket_pair::minio_quota() const {
  const auto response = with_retries([&]() -> result<http_response> {
    const auto client = source_.take(source_name_);
    if (!client) return client.error();
    auto answer = (*client)->exchange(minio_quota_request(source_name_));
    if (!answer) return of_source(answer.error());
    if (answer->status == 503) return minio_failure(*answer, "the source");
    return answer;
  });
  if (!response) return setting_outcome{"quota", setting_outcome::kind::unreadable, response.error().text};
  return read_minio_quota(*response, target_name_);
}

result<std::vector<stored_version>> target_history(http_client& client, const object_path& path,
                                                   const version_listing::stop_request& stops) {
  // A key comes before all others that begin with it.
  auto first = listing_of_target(client, path.bucket, stops, path.key).next();
  if (!first) return first.error();
  if (!*first || (*first)->key != path.key) return std::vector<stored_version>{};
  return std::move((*first)->versions);
}

} // namespace cairn::cli
