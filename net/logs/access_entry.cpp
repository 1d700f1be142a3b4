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

constexpr std::array<std::string_view, 5> secret_parameters{"x-amz-signature", "x-amz-security-token", "signature",
                                                            "x-amz-server-side-encryption-customer-key",
                                                            "x-amz-copy-source-server-side-encryption-customer-key"};

bool is_secret(std::string_view name) {
  const auto decoded = percent_decode(name, true);
  const std::string_view plain = decoded ? std::string_view{*decoded} : name;
  return std::ranges::any_of(secret_parameters, [plain](auto secret) { return iequals(plain, secret); });
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
  constexpr std::string_view separators = "?&; "; // also where no '?' is: what is refused may begin anywhere
  std::string out;
  auto at = url.find_first_of(separators);
  if (at == url.npos) return std::string{url};
  out.reserve(url.size());
  out.append(url.substr(0, at));
  while (at < url.size()) { // url[at] is a separator
    const auto end = std::min(url.find_first_of(separators, at + 1), url.size());
    const auto piece = url.substr(at, end - at);
    const auto equals = piece.find('=');
    if (equals != piece.npos && is_secret(piece.substr(1, equals - 1)))
      out.append(piece.substr(0, equals + 1)).append("***");
    else
      out.append(piece);
    at = end;
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
  add("key", e.key);
  return json_text(line) + "\n";
}

} // namespace cairn::net
