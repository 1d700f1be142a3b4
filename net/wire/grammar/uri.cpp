#include "net/wire/grammar/uri.hpp"

#include "base/codec.hpp"
#include "net/wire/grammar/ascii.hpp"

namespace cairn::net {

namespace {

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

result<std::vector<query_parameter>> parse_query(std::string_view text) {
  std::vector<query_parameter> parameters;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto item = text.substr(0, end);
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
    if (item.empty()) continue;
    const auto equals = item.find('=');
    auto name = percent_decode(item.substr(0, equals), true);
    auto value = percent_decode(equals == item.npos ? std::string_view{} : item.substr(equals + 1), true);
    if (!name || !value) return error{errc::invalid_argument, "the query holds a bad percent escape"};
    parameters.push_back({std::move(*name), std::move(*value)});
  }
  return parameters;
}

} // namespace

const std::string* request_target::find(std::string_view name) const {
  for (const auto& parameter : query) {
    if (parameter.name == name) return &parameter.value;
  }
  return nullptr;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      const auto byte = text.size() - i < 3 ? std::nullopt : read_hex(text.substr(i + 1, 2));
      if (!byte) return std::nullopt;
      out.push_back(static_cast<char>(*byte));
      i += 2;
    } else {
      out.push_back(c == '+' && plus_is_space ? ' ' : c);
    }
  }
  return out;
}

void append_percent_encoded(std::string& out, std::string_view text, bool keep_slash) {
  for (const char c : text) {
    if (unreserved(c) || (c == '/' && keep_slash)) {
      out.push_back(c);
    } else {
      out.append("%").append(upper_hex_of(static_cast<std::uint8_t>(c)));
    }
  }
}

result<request_target> parse_target(std::string_view target) {
  request_target parsed;
  if (target == "*") {
    parsed.asterisk = true;
    parsed.path = "/";
    return parsed;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!istarts_with(target, scheme)) continue;
    target.remove_prefix(scheme.size());
    const auto end = target.find_first_of("/?");
    parsed.authority = target.substr(0, end);
    target = end == target.npos ? std::string_view{"/"} : target.substr(end);
    if (parsed.authority.empty()) return error{errc::invalid_argument, "the target has no authority"};
    break;
  }
  if (target.find('#') != target.npos) return error{errc::invalid_argument, "the target holds a fragment"};
  const auto question = target.find('?');
  auto path = target.substr(0, question);
  if (question != target.npos) {
    auto query = parse_query(target.substr(question + 1));
    if (!query) return query.error();
    parsed.query = std::move(*query);
  }
  if (path.empty() && !parsed.authority.empty()) path = "/";
  if (path.empty() || path.front() != '/') return error{errc::invalid_argument, "the target does not begin with /"};
  parsed.path = path;
  return parsed;
}

} // namespace cairn::net
