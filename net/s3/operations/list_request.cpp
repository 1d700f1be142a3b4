#include "net/s3/operations/list_request.hpp"

#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/base64.hpp"
#include "storage/metadata/rows/names.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace cairn::net {

namespace {

// The parameters that answers to listings repeat.
constexpr std::array<std::string_view, 8> echoed_texts{"prefix",
                                                       "delimiter",
                                                       "marker",
                                                       "start-after",
                                                       "key-marker",
                                                       "upload-id-marker",
                                                       "version-id-marker",
                                                       "continuation-token"};

s3_error bad(std::string message) {
  return {400, "InvalidArgument", std::move(message)};
}

std::optional<std::uint32_t> parse_max_keys(const std::string& text) {
  std::uint32_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value > 0x7fffffff) return std::nullopt;
  return value;
}

// The token is the key after which the listing continues. It takes precedence over start-after, as in S3.
std::optional<s3_error> read_start(const request_target& target, list_request& list) {
  if (const auto* start_after = target.find("start-after")) list.start_after = *start_after;
  list.query.start_after = list.start_after;
  list.query.passes_group = false;
  if (const auto* token = target.find("continuation-token")) {
    list.token = *token;
    if (token->empty()) return std::nullopt;
    const auto key = base64_decode(*token);
    if (!key || key->empty()) return bad("The continuation token is not one of this node's.");
    list.query.start_after = *key;
    list.query.passes_group = true;
  }
  return std::nullopt;
}

} // namespace

std::optional<s3_error> refused_texts(const request_target& target) {
  const auto* encoding = target.find("encoding-type");
  const bool encoded = encoding != nullptr && *encoding == "url";
  for (const auto& [name, value] : target.query) {
    const auto echoed = std::find(echoed_texts.begin(), echoed_texts.end(), name);
    if (echoed == echoed_texts.end()) continue;
    const bool bad_nul = !encoded && value.find('\0') != value.npos;
    if (storage::metadata::valid_utf8(value) && !bad_nul) continue;
    auto problem =
        bad(std::string{*echoed} + (bad_nul ? " holds NUL, which needs encoding-type=url." : " is not UTF-8."));
    problem.details.emplace_back("ArgumentName", *echoed);
    return problem;
  }
  return std::nullopt;
}

std::variant<list_request, s3_error> read_list_request(const s3_target& target, std::uint32_t keys_max) {
  list_request list;
  if (auto refused = refused_texts(target)) return std::move(*refused);
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
    list.with_owner = fetch_owner != nullptr && iequals(*fetch_owner, "true");
    if (auto refused = read_start(target, list)) return std::move(*refused);
  } else if (const auto* marker = target.find("marker")) {
    list.marker = *marker;
    list.query.start_after = *marker;
  }
  return list;
}

} // namespace cairn::net
