#include "net/s3/body/body_checksums.hpp"

#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/base64.hpp"
#include "net/wire/grammar/fields.hpp"

#include <array>

namespace cairn::net {

namespace {

namespace http = boost::beast::http;

const std::string& header_name(checksum_kind kind) {
  static const auto names = [] {
    std::array<std::string, std::size(checksum_kinds)> all;
    for (const auto k : checksum_kinds)
      all.at(std::size_t(k)) = std::string{checksum_header_prefix}.append(to_string(k));
    return all;
  }();
  return names.at(std::size_t(kind));
}

s3_error invalid(std::string message) {
  return {400, "InvalidRequest", std::move(message)};
}

std::optional<std::string> value_of(checksum_kind kind, std::string_view text) {
  auto bytes = base64_decode(text);
  if (!bytes || bytes->size() != checksum_bytes(kind)) return std::nullopt;
  return bytes;
}

class two_checks final : public actors::body_check {
public:
  two_checks(std::shared_ptr<actors::body_check> a, std::shared_ptr<actors::body_check> b)
      : a_(std::move(a)), b_(std::move(b)) {}
  result<void> update(bytes_view bytes) override {
    auto good = a_->update(bytes);
    return good ? b_->update(bytes) : good;
  }
  result<void> finish() override {
    auto good = a_->finish();
    return good ? b_->finish() : good;
  }
  actors::kept_headers proven() const override {
    auto all = a_->proven();
    for (auto& header : b_->proven()) all.push_back(std::move(header));
    return all;
  }

private:
  std::shared_ptr<actors::body_check> a_, b_;
};

} // namespace

std::variant<std::optional<announced_checksum>, s3_error> read_checksum(const http::fields& fields) {
  std::optional<announced_checksum> announced;
  const auto trailer = field_of(fields, "x-amz-trailer");
  bool trailer_known = trailer.empty();
  for (const auto kind : checksum_kinds) {
    const auto& name = header_name(kind);
    const auto count = fields.count(name);
    const bool trails = iequals(trailer, name);
    trailer_known = trailer_known || trails;
    if (count == 0 && !trails) continue;
    if (announced || count > 1 || (count == 1 && trails)) {
      return invalid("More than one x-amz-checksum- value was sent.");
    }
    announced.emplace(announced_checksum{kind, {}});
    if (trails) continue;
    announced->value = value_of(kind, field_of(fields, name));
    if (!announced->value) return invalid("The value of " + name + " is invalid.");
  }
  if (!trailer_known) return invalid("The value specified in the x-amz-trailer header is not supported.");
  const auto algorithm = field_of(fields, "x-amz-sdk-checksum-algorithm");
  if (algorithm.empty()) return announced;
  if (!announced) return invalid("x-amz-sdk-checksum-algorithm came without its x-amz-checksum- value.");
  if (!iequals(algorithm, to_string(announced->kind))) {
    return invalid("x-amz-sdk-checksum-algorithm names another algorithm than the x-amz-checksum- value.");
  }
  return announced;
}

bool checksum_check::waits_for(std::string_view trailer) const {
  return !wanted_ && trailer == header_name(running_.kind());
}

bool checksum_check::announce(std::string_view text) {
  wanted_ = value_of(running_.kind(), text);
  return wanted_.has_value();
}

result<void> checksum_check::update(bytes_view bytes) {
  running_.update(bytes);
  return {};
}

result<void> checksum_check::finish() {
  const auto name = std::string{to_string(running_.kind())};
  if (!wanted_) return error{errc::invalid_argument, "The trailer with the body's " + name + " is missing"};
  if (running_.finish() != *wanted_)
    return error{errc::digest_mismatch, "The body does not have the announced " + name};
  return {};
}

actors::kept_headers checksum_check::proven() const {
  return {{header_name(running_.kind()), base64_encode(*wanted_)}};
}

result<void> checksum_maker::update(bytes_view bytes) {
  running_.update(bytes);
  return {};
}

result<void> checksum_maker::finish() {
  made_ = base64_encode(running_.finish());
  return {};
}

actors::kept_headers checksum_maker::proven() const {
  return {{header_name(running_.kind()), made_}};
}

std::shared_ptr<actors::body_check> both(std::shared_ptr<actors::body_check> a, std::shared_ptr<actors::body_check> b) {
  if (!a) return b;
  if (!b) return a;
  return std::make_shared<two_checks>(std::move(a), std::move(b));
}

std::optional<s3_error> check_content_md5(const http::fields& fields, std::string_view body) {
  const auto announced = find_field(fields, "Content-MD5");
  if (!announced) return std::nullopt;
  const auto wanted = announced->size() == 24 ? base64_decode(*announced) : std::nullopt;
  if (!wanted) return s3_error{400, "InvalidDigest", "Content-MD5 is not a base64 MD5."};
  cairn::md5 md5;
  md5.update(std::as_bytes(std::span{body}));
  const auto digest = md5.finish();
  if (*wanted != std::string{digest.begin(), digest.end()}) return s3_error_of(error{errc::digest_mismatch});
  return std::nullopt;
}

std::optional<s3_error> check_whole_body(const http::fields& fields, std::string_view body) {
  if (auto refused = check_content_md5(fields, body)) return refused;
  auto announced = read_checksum(fields);
  if (auto* refused = std::get_if<s3_error>(&announced)) return std::move(*refused);
  auto& checksum = std::get<0>(announced);
  if (!checksum) return std::nullopt;
  checksum_check check{std::move(*checksum)};
  auto good = check.update(std::as_bytes(std::span{body}));
  if (good) good = check.finish();
  return good ? std::nullopt : std::optional{s3_error_of(good.error())};
}

bool announces_checksum(const http::fields& fields) {
  if (fields.find(http::field::content_md5) != fields.end()) return true;
  const auto sent = [&fields](auto kind) { return fields.count(header_name(kind)) > 0; };
  return std::any_of(std::begin(checksum_kinds), std::end(checksum_kinds), sent);
}

bool is_checksum_header(std::string_view name) {
  return name.starts_with(checksum_header_prefix);
}

} // namespace cairn::net
