#include "net/admin/objects/object_request.hpp"

#include "base/visible_text.hpp"
#include "net/s3/router.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/fields.hpp"
#include "net/wire/grammar/head_check.hpp"
#include "storage/metadata/rows/names.hpp"
#include "storage/metadata/rows/version_rows.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

constexpr std::size_t filename_bytes_max = 200; // file systems take 255

constexpr std::array<std::string_view, 14> offered_operations{
    "get_object", "head_object",  "put_object",    "copy_object",  "delete_object", "delete_objects",  "read_tags",
    "write_tags", "list_objects", "list_versions", "begin_upload", "put_part",      "complete_upload", "abort_upload"};

// Without response-… and X-Amz-…, which choose headers of the answer and another signer.
constexpr std::array<std::string_view, 16> passed_parameters{
    "list-type",  "prefix",     "delimiter",         "continuation-token", "start-after", "max-keys", "encoding-type",
    "versions",   "key-marker", "version-id-marker", "versionId",          "tagging",     "uploads",  "uploadId",
    "partNumber", "delete"};

constexpr std::array<std::string_view, 15> passed_headers{"Content-Type",
                                                          "Content-MD5",
                                                          "Range",
                                                          "If-Range",
                                                          "If-Match",
                                                          "If-None-Match",
                                                          "If-Modified-Since",
                                                          "If-Unmodified-Since",
                                                          "User-Agent",
                                                          "x-amz-copy-source",
                                                          "x-amz-metadata-directive",
                                                          "x-amz-tagging-directive",
                                                          "x-amz-tagging",
                                                          "x-amz-checksum-crc32",
                                                          "x-amz-copy-source-if-match"};

bool has_body(std::string_view method) {
  return method == "PUT" || method == "POST";
}

error wrong_argument(std::string text) {
  return {errc::invalid_argument, std::move(text)};
}

// "0" for a request without a body.
result<std::string> length_of(const object_request& asked) {
  if (find_field(asked.fields, "Transfer-Encoding")) return wrong_argument("the body needs a Content-Length");
  if (asked.fields.count("Content-Length") > 1) return wrong_argument("more than one Content-Length");
  const auto given = find_field(asked.fields, "Content-Length");
  if (!given) return std::string{"0"};
  constexpr std::size_t digits_max = 19;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (given->empty() || given->size() > digits_max || !std::ranges::all_of(*given, is_digit))
    return wrong_argument("Content-Length is not a number");
  if (!has_body(asked.method) && given->find_first_not_of('0') != given->npos)
    return wrong_argument("this takes no body");
  return std::string{*given};
}

void add_parameter(std::string& target, std::string_view name, std::string_view value) {
  target += target.find('?') == target.npos ? '?' : '&';
  append_percent_encoded(target, name, false);
  target += '=';
  append_percent_encoded(target, value, false);
}

// "/BUCKET/KEY" or "/BUCKET", percent-encoded.
std::string object_path(std::string_view bucket, std::string_view key) {
  std::string out{"/"};
  append_percent_encoded(out, bucket, false);
  if (key.empty()) return out;
  out += '/';
  append_percent_encoded(out, key);
  return out;
}

// Empty: it is no endpoint.
std::string_view host_of(std::string_view endpoint) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (endpoint.starts_with(scheme) && is_host(endpoint.substr(scheme.size()))) return endpoint.substr(scheme.size());
  return {};
}

} // namespace

result<std::string> presigned_url(const object_link& link, const client_credentials& by, wall_ms now) {
  if (link.seconds < 1 || link.seconds > presigned_seconds_max) return wrong_argument("seconds: expected 1 to 604800");
  if (!storage::metadata::valid_bucket_name(link.bucket) || !storage::metadata::valid_key(link.key))
    return wrong_argument("the bucket or the object has no valid name");
  if (!link.version.empty() && !storage::metadata::parse_version_id(link.version))
    return wrong_argument("version: this is no version id");
  const auto host = host_of(link.endpoint);
  if (host.empty()) return wrong_argument("endpoint: expected http://HOST[:PORT] or https://HOST[:PORT]");
  std::vector<query_parameter> query;
  if (!link.version.empty()) query.push_back({"versionId", link.version});
  const std::array headers{header_view{"Host", host}};
  const auto path = object_path(link.bucket, link.key);
  return link.endpoint + path + "?" + presigned_query(by, {"GET", path, query, headers}, link.seconds, now);
}

std::string attachment_of(std::string_view key) {
  while (key.ends_with('/')) key.remove_suffix(1);
  auto left = key.substr(key.rfind('/') + 1); // npos + 1: the whole key
  std::string name;
  while (!left.empty()) {
    const auto c = first_character(left);
    if (name.size() + c.bytes > filename_bytes_max) break;
    if (drives_terminal(c))
      name += '_';
    else
      name += left.substr(0, c.bytes);
    left.remove_prefix(c.bytes);
  }
  std::string out{"attachment; filename*=UTF-8''"};
  append_percent_encoded(out, name.empty() ? "object" : name, false);
  return out;
}

result<std::string> signed_head(const object_request& asked, const client_credentials& by, wall_ms now) {
  s3_target meant;
  meant.bucket = asked.bucket;
  for (const auto& parameter : asked.query) {
    if (std::ranges::count(asked.query, parameter.name, &query_parameter::name) > 1)
      return wrong_argument("the parameter \"" + parameter.name + "\" comes more than once");
    if (parameter.name == "key") {
      if (parameter.value.empty()) return wrong_argument("the key is empty");
      meant.key = parameter.value;
    } else if (std::ranges::find(passed_parameters, parameter.name) != passed_parameters.end()) {
      meant.query.push_back(parameter);
    } else {
      return wrong_argument("there is no parameter \"" + parameter.name + "\" here");
    }
  }
  const bool copies = find_field(asked.fields, "x-amz-copy-source").has_value();
  const auto routed = route(asked.operations, asked.method, meant, copies);
  if (routed.refused) return wrong_argument(routed.refused->message);
  const auto name = routed.operation->name;
  if (std::ranges::find(offered_operations, name) == offered_operations.end())
    return wrong_argument("the console does not offer this operation");
  auto length = length_of(asked);
  if (!length) return length.error();

  if (name == "get_object") {
    meant.query.push_back({"response-content-type", "application/octet-stream"});
    meant.query.push_back({"response-content-disposition", attachment_of(meant.key)});
    meant.query.push_back({"response-content-encoding", "identity"}); // the bytes as they are stored, also in ranges
    meant.query.push_back({"response-cache-control", "no-store"});
  }
  const auto path = object_path(asked.bucket, meant.key);
  auto target = path;
  for (const auto& [parameter, value] : meant.query) add_parameter(target, parameter, value);

  std::vector<header_view> headers{{"Host", "localhost"}}; // the connection is not routed by it
  for (const auto header : passed_headers) {
    const auto value = find_field(asked.fields, header);
    if (!value) continue;
    if (asked.fields.count(beast_view(header)) > 1 || !is_header_value(*value))
      return wrong_argument("the header " + std::string{header} + " is malformed");
    headers.push_back({header, *value});
  }
  const auto signature = sign_request(by, {asked.method, path, meant.query, headers}, now);
  std::string head{asked.method};
  head.append(" ").append(target).append(" HTTP/1.1\r\n");
  const auto add = [&head](std::string_view field, std::string_view value) {
    head.append(field).append(": ").append(value).append("\r\n");
  };
  for (const auto& header : headers) add(header.name, header.value);
  for (const auto& [field, value] : signature) add(field, value);
  if (has_body(asked.method)) add("Content-Length", *length);
  add("Connection", "close");
  return head + "\r\n";
}

} // namespace cairn::net
