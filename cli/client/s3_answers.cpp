#include "cli/client/s3_answers.hpp"

#include "cli/client/command_support.hpp"
#include "cli/client/listing_progress.hpp"
#include "cli/client/object_path.hpp"

namespace cairn::cli {

namespace {

// A page of 1,000 keys, or all buckets of a server that does not page; the client gathers no larger answers than that.
constexpr net::xml_bounds answer_bounds{16 << 20, 500'000, 1000, 16};

std::string unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return std::string(text);
}

errc code_of(unsigned status, std::string_view s3_code) {
  if (s3_code == "NoSuchBucket") return errc::no_such_bucket;
  switch (status) {
    case 404: return errc::no_such_key;
    case 412: return errc::precondition_failed;
    case 503: return errc::slow_down;
    case 507: return errc::no_space;
    default: return errc::io_error;
  }
}

std::string_view meaning_of(unsigned status) {
  switch (status) {
    case 403: return "Forbidden: access denied";
    case 404: return "NotFound: no such bucket or object";
    case 412: return "PreconditionFailed: the condition does not hold";
    case 416: return "InvalidRange: the range lies outside the object";
    case 503: return "SlowDown: the server is overloaded, try again later";
    case 507: return "InsufficientStorage: the server's disk is full";
    default: return "the server refused";
  }
}

} // namespace

result<net::xml_element> read_answer(std::string_view xml, std::string_view root_name) {
  auto root = net::read_xml(xml, answer_bounds);
  if (!root) return error{errc::corrupt, "the answer is not XML"};
  if (root->name != root_name) return error{errc::corrupt, "the answer is not a " + std::string(root_name)};
  return std::move(*root);
}

result<list_page> parse_list_page(std::string_view xml) {
  const auto root = read_answer(xml, "ListBucketResult");
  if (!root) return root.error();
  const bool encoded = root->text_of("EncodingType") == "url";
  const auto name = [&](std::string_view text) { return encoded ? percent_decode(text) : std::string(text); };
  list_page page;
  for (const auto& inside : root->children) {
    if (inside.name == "CommonPrefixes") page.prefixes.push_back(name(inside.text_of("Prefix")));
    if (inside.name != "Contents") continue;
    const auto* size = inside.child("Size");
    page.objects.push_back({name(inside.text_of("Key")), unquoted(inside.text_of("ETag")),
                            std::string(inside.text_of("LastModified")),
                            size != nullptr ? net::xml_number(*size).value_or(0) : 0});
  }
  if (root->text_of("IsTruncated") == "true") {
    page.next_token = root->text_of("NextContinuationToken");
    if (page.next_token.empty()) return error{errc::corrupt, "a truncated listing without a continuation token"};
  }
  return page;
}

result<std::vector<listed_bucket>> parse_bucket_list(std::string_view xml) {
  const auto root = read_answer(xml, "ListAllMyBucketsResult");
  if (!root) return root.error();
  std::vector<listed_bucket> buckets;
  const auto* list = root->child("Buckets");
  if (list == nullptr) return buckets;
  for (const auto& bucket : list->children)
    if (bucket.name == "Bucket")
      buckets.push_back({std::string(bucket.text_of("Name")), std::string(bucket.text_of("CreationDate"))});
  return buckets;
}

error failure_of(const http_response& response, std::string_view what) {
  const auto root = read_answer(response.body, "Error");
  const auto code = root ? root->text_of("Code") : std::string_view{};
  const auto message = root ? root->text_of("Message") : std::string_view{};
  std::string text = std::string(what) + ": ";
  if (code.empty())
    text += meaning_of(response.status);
  else
    text += printable(code) + ": " + printable(message);
  text += " (" + std::to_string(response.status);
  if (const auto id = response.header("x-amz-request-id"); !id.empty()) text += ", request " + printable(id);
  return {code_of(response.status, code), text + ")"};
}

result<list_page> request_list_page(http_client& client, const list_query& query, const std::string& token) {
  std::vector<std::pair<std::string, std::string>> parameters{{"list-type", "2"}, {"encoding-type", "url"}};
  if (!query.prefix.empty()) parameters.emplace_back("prefix", query.prefix);
  if (!query.delimiter.empty()) parameters.emplace_back("delimiter", query.delimiter);
  if (!token.empty()) parameters.emplace_back("continuation-token", token);
  const auto response = ask(client, {"GET", target_of(query.bucket, parameters), {}}, "listing " + query.bucket);
  if (!response) return response.error();
  return parse_list_page(response->body);
}

result<void> list_pages(http_client& client, const list_query& query,
                        const std::function<result<bool>(const list_page&)>& page) {
  std::string token;
  listing_progress progress;
  for (;;) {
    const auto parsed = request_list_page(client, query, token);
    if (!parsed) return parsed.error();
    const auto proceed = page(*parsed);
    if (!proceed) return proceed.error();
    if (!*proceed) return {};
    token = parsed->next_token;
    if (token.empty()) return {};
    if (auto goes_on = progress.page(token, parsed->has_entries()); !goes_on) return goes_on;
  }
}

} // namespace cairn::cli
