// What a request says about the digest of its body beside Content-MD5: x-amz-checksum-crc32 and its kind ("Checking
// object integrity", S3 user guide), as a header or, with x-amz-trailer, behind the body. And the proof of it.
#pragma once

#include "actors/protocol/values/transfers.hpp"
#include "net/s3/body/checksums.hpp"
#include "net/s3/xml/s3_errors.hpp"

#include <boost/beast/http/fields.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace cairn::net {

struct announced_checksum {
  storage::checksum_kind kind{};
  std::optional<std::string> value; // its bytes; nothing: a trailer will bring it
};

// Nothing announced, or what is. InvalidRequest: several, not base64 of the right length, an algorithm without a value.
std::variant<std::optional<announced_checksum>, s3_error> read_checksum(const boost::beast::http::fields& fields);

// Computes the announced checksum while a body is stored; digest_mismatch when another one comes out. What is proven
// is kept with the object ("x-amz-checksum-crc32" among its headers).
class checksum_check final : public actors::body_check {
public:
  bool waits_for(std::string_view trailer) const; // its value comes in this trailer, a lower-case name
  explicit checksum_check(announced_checksum announced)
      : running_(announced.kind), wanted_(std::move(announced.value)) {}
  storage::checksum_kind kind() const noexcept { return running_.kind(); }
  // The trailer's value, base64, before finish(). False: it is not one.
  bool announce(std::string_view text);
  result<void> update(storage::bytes_view bytes) override;
  result<void> finish() override;
  actors::kept_headers proven() const override;

private:
  storage::running_checksum running_;
  std::optional<std::string> wanted_;
};

// Both have to agree; either may be null.
std::shared_ptr<actors::body_check> both(std::shared_ptr<actors::body_check> a, std::shared_ptr<actors::body_check> b);

// Content-MD5 and the checksum headers against a body that is in memory. Trailers don't come with such bodies.
std::optional<s3_error> check_whole_body(const boost::beast::http::fields& fields, std::string_view body);

constexpr std::string_view checksum_header_prefix = "x-amz-checksum-";
// Whether Content-MD5 or a header of a checksum is there, right or wrong.
bool announces_checksum(const boost::beast::http::fields& fields);

bool is_checksum_header(std::string_view name);

// Computes a checksum that nobody announced.
class checksum_maker final : public actors::body_check {
public:
  explicit checksum_maker(storage::checksum_kind kind) : running_(kind) {}
  result<void> update(storage::bytes_view bytes) override;
  result<void> finish() override;
  actors::kept_headers proven() const override;

private:
  storage::running_checksum running_;
  std::string made_;
};

} // namespace cairn::net
