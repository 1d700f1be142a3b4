// What the commands read in the server's XML answers (S3's ListBucketResult, ListAllMyBucketsResult, Error), by the
// bounded reader of net/s3/xml/xml_reader.hpp: the server is not trusted. Errors: corrupt when the answer does not have
// the documented shape.
#pragma once

#include "cli/client/http_client.hpp"
#include "net/s3/xml/xml_reader.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::cli {

struct listed_entry {
  std::string key, etag, modified; // etag without quotes; modified as the server writes it (RFC 3339, UTC)
  std::uint64_t size_bytes = 0;
};

struct list_page {
  std::vector<listed_entry> objects;
  std::vector<std::string> prefixes;
  std::string next_token; // empty: the last page
  bool has_entries() const { return !objects.empty() || !prefixes.empty(); }
};

struct listed_bucket {
  std::string name, created;
};

// The document's root. corrupt: not XML, larger than an answer may be, or another document.
result<net::xml_element> read_answer(std::string_view xml, std::string_view root_name);

result<list_page> parse_list_page(std::string_view xml);
result<std::vector<listed_bucket>> parse_bucket_list(std::string_view xml);

// A refusal as one error for people: "NoSuchKey: The specified key does not exist. (404, request 1f…)". `what` names
// the operation. Codes: no_such_bucket, no_such_key, precondition_failed, no_space, slow_down, else io_error.
error failure_of(const http_response& response, std::string_view what);

// One page of a listing, the first or the one after `token`. Every page in turn; `page` returns false to stop.
struct list_query {
  std::string bucket, prefix, delimiter;
};
result<list_page> request_list_page(http_client& client, const list_query& query, const std::string& token);
result<void> list_pages(http_client& client, const list_query& query,
                        const std::function<result<bool>(const list_page&)>& page);

} // namespace cairn::cli
