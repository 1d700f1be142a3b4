#include "cli/s3_answers.hpp"

#include "cli/object_path.hpp"

#include <pugixml.hpp>

namespace cairn::cli {

namespace {

std::string_view text_of(const pugi::xml_node& node, const char* child) {
  return node.child(child).text().get();
}

result<pugi::xml_node> root_of(pugi::xml_document& document, std::string_view xml, const char* name) {
  const auto parsed = document.load_buffer(xml.data(), xml.size());
  if (!parsed) return error{errc::corrupt, std::string("the answer is not XML: ") + parsed.description()};
  const auto root = document.child(name);
  if (!root) return error{errc::corrupt, std::string("the answer is not a ") + name};
  return root;
}

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

result<list_page> parse_list_page(std::string_view xml) {
  pugi::xml_document document;
  const auto root = root_of(document, xml, "ListBucketResult");
  if (!root) return root.error();
  const bool encoded = text_of(*root, "EncodingType") == "url";
  const auto name = [&](std::string_view text) { return encoded ? percent_decode(text) : std::string(text); };
  list_page page;
  for (const auto& node : root->children("Contents"))
    page.objects.push_back({name(text_of(node, "Key")), unquoted(text_of(node, "ETag")),
                            std::string(text_of(node, "LastModified")), node.child("Size").text().as_ullong()});
  for (const auto& node : root->children("CommonPrefixes")) page.prefixes.push_back(name(text_of(node, "Prefix")));
  if (text_of(*root, "IsTruncated") == "true") {
    page.next_token = text_of(*root, "NextContinuationToken");
    if (page.next_token.empty()) return error{errc::corrupt, "a truncated listing without a continuation token"};
  }
  return page;
}

result<std::vector<listed_bucket>> parse_bucket_list(std::string_view xml) {
  pugi::xml_document document;
  const auto root = root_of(document, xml, "ListAllMyBucketsResult");
  if (!root) return root.error();
  std::vector<listed_bucket> buckets;
  for (const auto& node : root->child("Buckets").children("Bucket"))
    buckets.push_back({std::string(text_of(node, "Name")), std::string(text_of(node, "CreationDate"))});
  return buckets;
}

error failure_of(const http_response& response, std::string_view what) {
  pugi::xml_document document;
  std::string_view code, message;
  if (document.load_buffer(response.body.data(), response.body.size())) {
    code = text_of(document.child("Error"), "Code");
    message = text_of(document.child("Error"), "Message");
  }
  std::string text = std::string(what) + ": ";
  if (code.empty())
    text += meaning_of(response.status);
  else
    text += printable(code) + ": " + printable(message);
  text += " (" + std::to_string(response.status);
  if (const auto id = response.header("x-amz-request-id"); !id.empty()) text += ", request " + printable(id);
  return {code_of(response.status, code), text + ")"};
}

result<void> list_pages(http_client& client, const list_query& query,
                        const std::function<result<bool>(const list_page&)>& page) {
  std::string token;
  do {
    std::vector<std::pair<std::string, std::string>> parameters{{"list-type", "2"}, {"encoding-type", "url"}};
    if (!query.prefix.empty()) parameters.emplace_back("prefix", query.prefix);
    if (!query.delimiter.empty()) parameters.emplace_back("delimiter", query.delimiter);
    if (!token.empty()) parameters.emplace_back("continuation-token", token);
    const auto response = client.exchange({"GET", target_of(query.bucket, parameters), {}});
    if (!response) return response.error();
    if (!response->ok()) return failure_of(*response, "listing " + query.bucket);
    const auto parsed = parse_list_page(response->body);
    if (!parsed) return parsed.error();
    const auto go_on = page(*parsed);
    if (!go_on) return go_on.error();
    if (!*go_on) return {};
    token = parsed->next_token;
  } while (!token.empty());
  return {};
}

} // namespace cairn::cli
