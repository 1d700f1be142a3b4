// POST forms and their policies. A body that is cut anywhere is read like one in one piece, and like a reader that
// searches it as a whole; the file is whole and nothing else. A policy that passes allows a form if, and only if, an
// evaluator that goes from the fields to the conditions says so.
#include "base/error.hpp"
#include "net/s3/form/post_form.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/base64.hpp"

#include <algorithm>
#include <map>

namespace {

namespace net = cairn::net;

constexpr std::string_view delimiter = "\r\n--b";
constexpr std::uint64_t size_max = 1 << 10;

struct outcome {
  std::vector<std::pair<std::string, std::string>> fields;
  std::string file_name, content, refusal;
  friend bool operator==(const outcome&, const outcome&) = default;
};

outcome read(std::string_view bytes, std::size_t piece, std::size_t room) {
  net::form_parser parser{"b"};
  outcome out;
  std::string waiting;
  while (!parser.at_file()) {
    waiting += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    const auto taken = parser.take(waiting);
    if (const auto* refused = std::get_if<net::s3_error>(&taken)) {
      out.refusal = refused->code;
      return out;
    }
    waiting.erase(0, std::get<std::size_t>(taken));
    if (bytes.empty() && !parser.at_file()) {
      out.refusal = "incomplete";
      return out;
    }
  }
  std::size_t text = 0;
  for (const auto& [name, value] : parser.fields()) {
    out.fields.emplace_back(name, value);
    text += name.size() + value.size();
  }
  CAIRN_ASSERT(text <= net::form_text_bytes_max && out.fields.size() <= net::form_fields_max);
  out.file_name = parser.file_name();
  CAIRN_ASSERT(out.file_name.find_first_of("/\\") == std::string::npos);
  net::form_file file{parser.delimiter(), 0, size_max};
  while (true) {
    const auto taken = file.take(waiting, room);
    if (const auto* refused = std::get_if<net::s3_error>(&taken)) {
      out.refusal = refused->code;
      return out;
    }
    const auto& found = std::get<net::form_file::piece>(taken);
    CAIRN_ASSERT(found.content <= room && found.content <= found.used && found.used <= waiting.size());
    out.content += waiting.substr(0, found.content);
    waiting.erase(0, found.used);
    if (found.used > 0) continue;
    CAIRN_ASSERT(waiting.size() < delimiter.size() + 2);
    if (bytes.empty()) break;
    waiting += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  if (const auto refused = file.finish()) out.refusal = refused->code;
  return out;
}

// The values and the file of a body that was taken: what lies between its delimiters.
void expect_as_a_whole(std::string_view bytes, const outcome& read) {
  std::string whole = (bytes.starts_with('\r') ? "" : "\r\n") + std::string{bytes};
  std::size_t at = 0;
  const auto next = [&] {
    CAIRN_ASSERT(std::string_view{whole}.substr(at, delimiter.size()) == delimiter);
    at = whole.find("\r\n\r\n", at + delimiter.size()) + 4;
    const auto end = whole.find(delimiter, at);
    CAIRN_ASSERT(end != std::string::npos);
    auto value = whole.substr(at, end - at);
    at = end;
    return value;
  };
  for (const auto& field : read.fields) CAIRN_ASSERT(next() == field.second);
  CAIRN_ASSERT(next() == read.content);
}

std::vector<std::string> listed(const std::string& text) {
  std::vector<std::string> items{""};
  for (const char c : text) {
    if (c == ',')
      items.emplace_back();
    else
      items.back() += c;
  }
  for (auto& item : items) {
    const auto first = item.find_first_not_of(" \t");
    item = first == std::string::npos ? "" : item.substr(first, item.find_last_not_of(" \t") - first + 1);
  }
  return items;
}

bool allows(const net::post_policy& policy, const std::vector<net::form_field>& fields, const std::string& bucket,
            std::int64_t now) {
  std::map<std::string, std::string> values;
  for (const auto& field : fields) values[field.name] = field.value;
  values["bucket"] = bucket;
  std::map<std::string, int> conditions;
  for (const auto& condition : policy.conditions) ++conditions[condition.field];
  for (const auto& [name, value] : values) {
    const bool free = name == "file" || name == "policy" || name == "x-amz-signature" || name == "signature" ||
                      name == "awsaccesskeyid" || name.compare(0, 9, "x-ignore-") == 0;
    if (conditions[name] == 0 && !free) return false;
    for (const auto& condition : policy.conditions) {
      if (condition.field != name) continue;
      if (condition.exact && condition.value != value) return false;
      const auto items = name == "content-type" ? listed(value) : std::vector<std::string>{value};
      for (const auto& item : items)
        if (!condition.exact && item.compare(0, condition.value.size(), condition.value) != 0) return false;
    }
  }
  for (const auto& [name, count] : conditions)
    if (count > 0 && values.find(name) == values.end()) return false;
  return now < policy.expires;
}

void check_policies(const net::post_form& form, std::string_view document) {
  const auto read = net::read_policy(net::base64_encode(document));
  const auto* policy = std::get_if<net::post_policy>(&read);
  if (policy == nullptr) return;
  for (const std::int64_t now : {policy->expires - 1, policy->expires}) {
    const auto refused = net::check_policy(*policy, form.fields, "files", now);
    CAIRN_ASSERT(refused.has_value() != allows(*policy, form.fields, "files", now));
  }
}

} // namespace

// The first two bytes: how the bytes are cut. A NUL ends the body; the policy follows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 2, size - 2};
  const auto body = text.substr(0, text.find('\0'));
  const auto whole = read(body, body.size() + 1, size_max + 1);
  const auto cut = read(body, data[0] + 1u, data[1] + 1u);
  CAIRN_ASSERT(whole.refusal == cut.refusal);
  if (!whole.refusal.empty()) return 0;
  CAIRN_ASSERT(whole == cut);
  expect_as_a_whole(body, whole);
  net::form_parser parser{"b"};
  if (!std::holds_alternative<std::size_t>(parser.take(body))) return 0;
  auto read_form = net::read_post_form(parser);
  const auto* form = std::get_if<net::post_form>(&read_form);
  if (form == nullptr) return 0;
  for (const auto& header : form->head) {
    const std::string_view value{header.value().data(), header.value().size()};
    CAIRN_ASSERT(value.find_first_of("\r\n") == value.npos);
  }
  const auto success = net::success_of(*form, "files", "0");
  CAIRN_ASSERT(success.redirect.find_first_of("\r\n ") == std::string::npos);
  if (body.size() < text.size()) check_policies(*form, text.substr(body.size() + 1));
  return 0;
}
