#include "cli/import/documents/minio_admin.hpp"

#include "base/json.hpp"
#include "cli/client/object_path.hpp"
#include "cli/client/progress.hpp"
#include "cli/client/s3_answers.hpp"

#include <algorithm>

namespace cairn::cli {

namespace {

constexpr std::size_t admin_answer_bytes_max = 64 << 10, admin_answer_depth_max = 8;

// The payload is empty; the signature covers its digest, which MinIO asks for.
http_request admin_request(std::string target) {
  http_request request{"GET", "/minio/admin/v3/" + std::move(target), {}};
  request.payload.emplace();
  return request;
}

std::optional<json_object> answered_object(std::string_view text) {
  auto read = read_json(text, admin_answer_bytes_max, admin_answer_depth_max);
  if (!read || !read->is_object()) return std::nullopt;
  return std::move(read->as_object());
}

std::string_view text_in(const json_object& object, std::string_view name) {
  const auto* const value = object.if_contains(name);
  return value ? text_of(*value) : std::string_view{};
}

std::uint64_t number_in(const json_object& object, std::string_view name) {
  const auto* const value = object.if_contains(name);
  if (value == nullptr) return 0;
  if (const auto* const large = value->if_uint64()) return *large;
  const auto* const number = value->if_int64();
  return number ? static_cast<std::uint64_t>(std::max<std::int64_t>(*number, 0)) : 0;
}

} // namespace

http_request minio_identities_request() {
  return admin_request("export-iam");
}

http_request minio_quota_request(std::string_view bucket) {
  return admin_request("get-bucket-quota?bucket=" + percent_encode(bucket, false));
}

error minio_failure(const http_response& response, std::string_view what) {
  auto failure = failure_of(response, what);
  const auto problem = answered_object(response.body);
  const auto code = problem ? text_in(*problem, "Code") : std::string_view{};
  if (!code.empty())
    failure.text = std::string(what) + ": " + printable(code) + ": " + printable(text_in(*problem, "Message"));
  return failure;
}

std::optional<setting_outcome> read_minio_quota(const http_response& response, std::string_view target) {
  const std::string name{"quota"};
  const auto unreadable = [&name](std::string why) {
    return setting_outcome{name, setting_outcome::kind::unreadable, std::move(why)};
  };
  if (!response.ok()) {
    const auto problem = answered_object(response.body);
    if (problem && text_in(*problem, "Code") == "XMinioAdminNoSuchQuotaConfiguration") return std::nullopt;
    return unreadable(minio_failure(response, "the source").text);
  }
  if (response.body == "null") return std::nullopt;
  const auto quota = answered_object(response.body);
  if (!quota) return unreadable("the source answers something else");
  const auto bytes = std::max(number_in(*quota, "size"), number_in(*quota, "quota")); // the latter of older ones
  if (bytes == 0) return std::nullopt;
  return setting_outcome{name, setting_outcome::kind::left_behind,
                         human_bytes(bytes) + "; `cairn bucket quota " + std::string(target) + " --bytes " +
                             std::to_string(bytes) + "` sets it"};
}

} // namespace cairn::cli
