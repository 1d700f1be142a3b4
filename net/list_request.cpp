#include "net/list_request.hpp"

#include "net/base64.hpp"

#include <algorithm>
#include <charconv>

namespace cairn::net {

namespace {

s3_error bad(std::string message) {
  return {400, "InvalidArgument", std::move(message)};
}

std::optional<std::uint32_t> parse_max_keys(const std::string& text) {
  std::uint32_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value > 0x7fffffff) return std::nullopt;
  return value;
}

// The token is the key to go on after. S3 lets it win over start-after.
std::optional<s3_error> read_start(const request_target& target, list_request& list) {
  if (const auto* start_after = target.find("start-after")) list.start_after = *start_after;
  list.query.start_after = list.start_after;
  if (const auto* token = target.find("continuation-token")) {
    list.token = *token;
    if (token->empty()) return std::nullopt;
    const auto key = base64_decode(*token);
    if (!key || key->empty()) return bad("The continuation token is not one of this node's.");
    list.query.start_after = *key;
  }
  return std::nullopt;
}

} // namespace

std::variant<list_request, s3_error> read_list_request(const request_target& target, std::uint32_t keys_max) {
  list_request list;
  list.query.bucket = target.bucket;
  list.query.keys_max = keys_max;
  const auto* type = target.find("list-type");
  if (type != nullptr && *type != "2") return bad("list-type is 2 or absent.");
  list.version_2 = type != nullptr;
  if (const auto* prefix = target.find("prefix")) list.query.prefix = *prefix;
  if (const auto* delimiter = target.find("delimiter")) list.query.delimiter = *delimiter;
  if (const auto* max_keys = target.find("max-keys"); max_keys != nullptr && !max_keys->empty()) {
    const auto wanted = parse_max_keys(*max_keys);
    if (!wanted) return bad("max-keys is a number from 0 to 2147483647.");
    list.query.keys_max = std::min(*wanted, keys_max);
  }
  if (const auto* encoding = target.find("encoding-type"); encoding != nullptr && !encoding->empty()) {
    if (*encoding != "url") return bad("encoding-type is url or absent.");
    list.encode_url = true;
  }
  if (list.version_2) {
    const auto* fetch_owner = target.find("fetch-owner");
    list.with_owner = fetch_owner != nullptr && *fetch_owner == "true";
    if (auto refused = read_start(target, list)) return std::move(*refused);
  } else if (const auto* marker = target.find("marker")) {
    list.marker = *marker;
    list.query.start_after = *marker;
  }
  return list;
}

} // namespace cairn::net
