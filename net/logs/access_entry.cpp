#include "net/logs/access_entry.hpp"

#include "base/codec.hpp"
#include "base/json.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/http_date.hpp"
#include "net/wire/grammar/uri.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

// nginx's status of a request whose client closed the connection before the answer.
constexpr unsigned closed_status = 499;

constexpr std::array<std::string_view, 6> secret_parameters{"webidentitytoken",
                                                            "x-amz-signature",
                                                            "x-amz-security-token",
                                                            "signature",
                                                            "x-amz-server-side-encryption-customer-key",
                                                            "x-amz-copy-source-server-side-encryption-customer-key"};

bool is_secret(std::string_view name) {
  const auto decoded = percent_decode(name, true);
  const std::string_view plain = decoded ? std::string_view{*decoded} : name;
  return std::ranges::any_of(secret_parameters, [plain](auto secret) { return iequals(plain, secret); });
}

struct mark {
  std::size_t begin, end; // both the end of the text: there is none
};

// The next of `characters`, as it is or as %XX.
mark find_mark(std::string_view text, std::string_view characters, std::size_t from = 0) {
  for (auto at = from; at < text.size(); ++at) {
    if (characters.find(text[at]) != characters.npos) return {at, at + 1};
    if (text[at] != '%') continue;
    const auto decoded = percent_decode(text.substr(at, 3), false);
    if (decoded && decoded->size() == 1 && characters.find(decoded->front()) != characters.npos) return {at, at + 3};
  }
  return {text.size(), text.size()};
}

// nginx's log_format with its default escaping: what is not printable ASCII, and what could end the quotes, as \xHH.
void append_escaped(std::string& out, std::string_view text, bool spaces = true) {
  if (text.empty()) out += '-';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\' || (c == ' ' && !spaces))
      out.append("\\x").append(upper_hex_of(byte));
    else
      out += c;
  }
}

unsigned status_of(const access_entry& e) {
  return e.status == 0 ? closed_status : e.status;
}

std::int64_t us_of(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

std::string request_line_of(const access_entry& e) {
  if (e.method.empty()) return without_secrets(e.refused_line);
  std::string line{e.method};
  return line.append(" ").append(without_secrets(e.target)).append(" ").append(e.protocol);
}

} // namespace

std::string without_secrets(std::string_view url) {
  // Also where no '?' is, and percent-encoded: what is refused may begin anywhere, and some clients encode a presigned
  // URL as if it were a key. Its signature is valid all the same.
  constexpr std::string_view separators = "?&;# ";
  std::string out;
  auto at = find_mark(url, separators);
  if (at.begin == url.size()) return std::string{url};
  out.reserve(url.size());
  out.append(url.substr(0, at.begin));
  while (at.begin < url.size()) {
    auto next = find_mark(url, separators, at.end);
    const auto piece = url.substr(0, next.begin);
    const auto equals = find_mark(piece, "=", at.end);
    if (equals.begin < piece.size() && is_secret(piece.substr(at.end, equals.begin - at.end))) {
      out.append(piece.substr(at.begin, equals.end - at.begin)).append("***");
      const bool is_encoded = url[at.begin] == '%';
      if (!is_encoded) { // its value may hold encoded separators
        const auto raw = std::min(url.find_first_of(separators, at.end), url.size());
        next = {raw, std::min(raw + 1, url.size())};
      }
    } else {
      out.append(piece.substr(at.begin));
    }
    at = next;
  }
  return out;
}

std::string combined_line(const access_entry& e) {
  std::string line;
  line.reserve(200 + e.target.size() + e.user_agent.size() + e.referer.size());
  append_escaped(line, e.address, false);
  line += " - ";
  append_escaped(line, e.user, false);
  line += " [";
  append_log_time(line, whole_seconds(e.time));
  line += "] \"";
  append_escaped(line, request_line_of(e));
  line += "\" ";
  line += std::to_string(status_of(e));
  line += ' ';
  line += std::to_string(e.sent_of_body);
  line += " \"";
  append_escaped(line, without_secrets(e.referer));
  line += "\" \"";
  append_escaped(line, e.user_agent);
  line += "\"\n";
  return line;
}

std::string access_json_line(const access_entry& e) {
  std::string time;
  append_iso_time(time, e.time);
  json_object line{{"time_iso8601", time}};
  const auto add = [&line](std::string_view name, std::string_view value) {
    if (!value.empty()) line[name] = value;
  };
  add("remote_addr", e.address);
  add("remote_user", e.user);
  if (e.method.empty()) {
    add("request", without_secrets(e.refused_line));
  } else {
    add("request_method", e.method);
    add("request_uri", without_secrets(e.target));
    add("server_protocol", e.protocol);
  }
  line["status"] = status_of(e);
  line["body_bytes_sent"] = e.sent_of_body;
  line["bytes_sent"] = e.sent;
  line["request_length"] = e.received;
  line["request_time_us"] = us_of(e.took);
  if (e.first_byte) line["first_byte_time_us"] = us_of(*e.first_byte);
  add("request_completion", e.whole ? "OK" : "");
  add("http_referer", without_secrets(e.referer));
  add("http_user_agent", e.user_agent);
  add("request_id", e.request);
  add("operation", e.operation);
  add("bucket", e.bucket);
  add("key", without_secrets(e.key));
  return json_text(line) + "\n";
}

} // namespace cairn::net
