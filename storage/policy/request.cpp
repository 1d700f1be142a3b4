#include "storage/policy/request.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace cairn::storage::policy {

namespace {

constexpr wall_ms second = 1000;

std::optional<int> digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool skip(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// "Z", "+02:00" or nothing, as milliseconds that the clock of the text is ahead.
std::optional<wall_ms> read_offset(std::string_view text) {
  if (text == "Z" || text.empty()) return 0;
  const bool behind = text.front() == '-';
  if (!behind && text.front() != '+') return std::nullopt;
  text.remove_prefix(1);
  const auto hours = digits(text, 2);
  if (!hours) return std::nullopt;
  skip(text, ':');
  const auto minutes = text.empty() ? std::optional{0} : digits(text, 2);
  if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  const wall_ms ahead = (*hours * 60 + *minutes) * 60 * second;
  return behind ? -ahead : ahead;
}

// "T17:41:29.123Z": the time of day and its offset, as milliseconds.
std::optional<wall_ms> read_time_of_day(std::string_view text) {
  if (!skip(text, 'T')) return std::nullopt;
  const auto hour = digits(text, 2);
  if (!hour || !skip(text, ':')) return std::nullopt;
  const auto minute = digits(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  wall_ms time = (*hour * 60 + *minute) * 60 * second;
  if (skip(text, ':')) {
    const auto seconds = digits(text, 2);
    if (!seconds || *seconds > 60) return std::nullopt;
    time += *seconds * second;
    if (skip(text, '.')) {
      wall_ms unit = 100;
      std::size_t read = 0;
      for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++read, unit /= 10) {
        time += (text.front() - '0') * unit;
        text.remove_prefix(1);
      }
      if (read == 0) return std::nullopt;
    }
  }
  const auto ahead = read_offset(text);
  if (!ahead) return std::nullopt;
  return time - *ahead;
}

} // namespace

std::string user_facts::arn() const {
  if (!is_role()) return owner_arn();
  return std::string{"arn:aws:sts::"}.append(account_id).append(":assumed-role/").append(name) + "/" + role_session;
}

std::string user_facts::owner_arn() const {
  return std::string{"arn:aws:iam::"}.append(account_id).append(is_role() ? ":role/" : ":user/") + path_and_name();
}

std::string provider_arn(std::string_view provider) {
  return std::string{"arn:aws:iam::"}.append(account_id).append(":oidc-provider/").append(provider);
}

std::string date_text(wall_ms time) {
  namespace chrono = std::chrono;
  const auto at = chrono::floor<chrono::seconds>(chrono::sys_time<chrono::milliseconds>{chrono::milliseconds{time}});
  const auto day = chrono::floor<chrono::days>(at);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{at - day};
  std::string text;
  const auto put = [&text](std::int64_t number, std::size_t width, char after) {
    const auto digits = std::to_string(number);
    text.append(width > digits.size() ? width - digits.size() : 0, '0').append(digits).push_back(after);
  };
  put(static_cast<int>(date.year()), 4, '-');
  put(static_cast<unsigned>(date.month()), 2, '-');
  put(static_cast<unsigned>(date.day()), 2, 'T');
  put(clock.hours().count(), 2, ':');
  put(clock.minutes().count(), 2, ':');
  put(clock.seconds().count(), 2, 'Z');
  return text;
}

std::optional<wall_ms> read_date(std::string_view text) {
  namespace chrono = std::chrono;
  std::int64_t seconds = 0;
  const auto* end = text.data() + text.size();
  const auto whole = std::from_chars(text.data(), end, seconds);
  constexpr std::int64_t seconds_max = 1'000'000'000'000;
  if (whole.ec == std::errc{} && whole.ptr == end && text.size() != 4) { // four digits are a year
    if (seconds > seconds_max || seconds < -seconds_max) return std::nullopt;
    return seconds * second;
  }
  const auto year = digits(text, 4);
  if (!year) return std::nullopt;
  int month = 1, day = 1;
  bool whole_date = false;
  if (skip(text, '-')) {
    const auto read = digits(text, 2);
    if (!read) return std::nullopt;
    month = *read;
    if (skip(text, '-')) {
      const auto read_day = digits(text, 2);
      if (!read_day) return std::nullopt;
      day = *read_day;
      whole_date = true;
    }
  }
  const chrono::year_month_day date{chrono::year{*year}, chrono::month{unsigned(month)}, chrono::day{unsigned(day)}};
  if (!date.ok() || (!whole_date && !text.empty())) return std::nullopt;
  const auto of_day = text.empty() ? std::optional<wall_ms>{0} : read_time_of_day(text);
  if (!of_day) return std::nullopt;
  return wall_ms{chrono::sys_days{date}.time_since_epoch().count()} * 24 * 60 * 60 * second + *of_day;
}

void context::set(context_key key, std::string value) {
  if (value.size() > context_value_bytes_max) value.resize(context_value_bytes_max);
  const auto same = std::find_if(values.begin(), values.end(), [key](const context_value& v) { return v.key == key; });
  if (same != values.end())
    same->values.push_back(std::move(value));
  else
    values.push_back({key, {}, {std::move(value)}});
}

void context::set_request_tags(const tag_pairs& tags) {
  body_known = true;
  context_value keys{context_key::request_object_tag_keys, {}, {}};
  for (const auto& [name, value] : tags) {
    values.push_back({context_key::request_object_tag, name, {value}});
    keys.values.push_back(name);
  }
  if (!tags.empty()) values.push_back(std::move(keys));
}

void context::set_object_lock(std::string_view mode, std::string_view date, wall_ms until, std::string_view hold) {
  constexpr wall_ms day = 24 * 60 * 60 * second;
  body_known = true;
  if (!mode.empty()) set(context_key::object_lock_mode, std::string{mode});
  if (!date.empty()) set(context_key::object_lock_retain_until_date, std::string{date});
  if (until != 0) {
    const auto days = (until - time + day - 1) / day; // those that have begun count
    set(context_key::object_lock_remaining_retention_days, std::to_string(std::max<wall_ms>(days, 0)));
  }
  if (!hold.empty()) set(context_key::object_lock_legal_hold, std::string{hold});
}

void write_context(byte_writer& w, const context& c) {
  w.u8(static_cast<std::uint8_t>(c.kind)).u64(static_cast<std::uint64_t>(c.time)).varint(c.values.size());
  for (const auto& v : c.values) {
    w.u8(static_cast<std::uint8_t>(v.key));
    if (is_tag(v.key)) w.string(v.name);
    w.varint(v.values.size());
    for (const auto& text : v.values) w.string(text);
  }
}

context read_context(byte_reader& r) {
  context c;
  const std::uint8_t kind = r.u8();
  if (kind > static_cast<std::uint8_t>(sender::key)) r.fail();
  c.kind = static_cast<sender>(kind);
  c.time = static_cast<wall_ms>(r.u64());
  const std::size_t count = r.count(2);
  if (count > context_values_max) r.fail();
  for (std::size_t i = 0; i < count && r.ok(); ++i) {
    context_value v;
    const std::uint8_t key = r.u8();
    if (key > static_cast<std::uint8_t>(context_key::last)) {
      r.fail();
      break;
    }
    v.key = static_cast<context_key>(key);
    if (is_tag(v.key)) v.name = r.string();
    v.values.resize(r.count(1));
    for (auto& text : v.values) text = r.string();
    c.values.push_back(std::move(v));
  }
  return c;
}

namespace {

std::vector<std::string> values_of(const tag_pairs* tags, std::string_view wanted) {
  std::vector<std::string> found;
  if (tags != nullptr)
    for (const auto& [name, text] : *tags)
      if (name == wanted) found.push_back(text);
  return found;
}

} // namespace

std::string request::sender_arn() const {
  if (user != nullptr) return user->arn();
  if (!provider.empty()) return provider_arn(provider);
  const auto account = std::string{"arn:aws:iam::"}.append(account_id);
  switch (with->kind) {
    case sender::anonymous: return {};
    case sender::account: return account + ":root";
    case sender::key: return (account + ":user/").append(access_key);
  }
  return {};
}

std::string request::resource() const {
  if (is_of_iam(act)) return std::string{"arn:aws:iam::"}.append(account_id).append(":").append(key);
  std::string arn = "arn:aws:s3:::";
  arn += bucket;
  if (is_of_object(act)) arn.append("/").append(key);
  return arn;
}

bool request::knows(context_key wanted) const {
  if (wanted == context_key::existing_object_tag) return existing_tags != nullptr || object_missing;
  const bool of_request = wanted == context_key::request_object_tag || wanted == context_key::request_object_tag_keys;
  return !(of_request || is_of_object_lock(wanted)) || with->body_known;
}

std::vector<std::string> request::values(const named_key& wanted) const {
  using texts = std::vector<std::string>;
  const bool is_key = with->kind == sender::key, is_signed = with->kind != sender::anonymous;
  switch (wanted.key) {
    case context_key::current_time: return {date_text(with->time)};
    case context_key::epoch_time: return {std::to_string(with->time / second)};
    case context_key::principal_account: return is_signed ? texts{std::string{account_id}} : texts{};
    case context_key::principal_arn:
      if (user != nullptr) return {user->owner_arn()}; // also of a session: the role's, as in AWS
      return is_signed ? texts{sender_arn()} : texts{};
    case context_key::principal_type:
      if (user != nullptr && user->is_role()) return {"AssumedRole"};
      return {is_key ? "User" : is_signed ? "Account" : "Anonymous"};
    case context_key::resource_account:
    case context_key::s3_resource_account: return {std::string{account_id}};
    case context_key::userid:
      if (user != nullptr) return {user->is_role() ? user->id + ":" + user->role_session : user->id};
      return is_key ? texts{std::string{access_key}} : texts{is_signed ? std::string{account_id} : "anonymous"};
    case context_key::username:
      if (user != nullptr) return user->is_role() ? texts{} : texts{user->name};
      return is_key ? texts{std::string{access_key}} : texts{};
    case context_key::via_aws_service: return {"false"};
    case context_key::existing_object_tag: return values_of(existing_tags, wanted.name);
    case context_key::token_issue_time:
      return user != nullptr && user->token_issued != 0 ? texts{date_text(user->token_issued)} : texts{};
    case context_key::principal_tag: return values_of(user != nullptr ? &user->tags : nullptr, wanted.name);
    default: break;
  }
  const bool folds = is_of_web_identity(wanted.key) || is_of_session_tags(wanted.key);
  for (const auto& v : with->values)
    if (v.key == wanted.key && (folds ? same_word(v.name, wanted.name) : v.name == wanted.name)) return v.values;
  return {};
}

std::optional<std::string> request::value(const named_key& wanted) const {
  auto found = values(wanted);
  if (found.size() != 1) return std::nullopt;
  return std::move(found.front());
}

} // namespace cairn::storage::policy
