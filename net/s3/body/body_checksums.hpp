// The checksum headers of a request: x-amz-checksum-crc32 and the like ("Checking object integrity", S3 user guide), as
// a header or, with x-amz-trailer, behind the body. And the check of the body against them and Content-MD5.
#pragma once

#include "actors/protocol/values/transfers.hpp"
#include "base/third_party/beast_message.hpp"
#include "net/s3/body/checksums.hpp"
#include "net/s3/xml/s3_errors.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace cairn::net {

struct announced_checksum {
  checksum_kind kind{};
  std::optional<std::string> value; // its bytes; nullopt: the value follows in a trailer
};

// The announced checksum; nullopt: none. InvalidRequest: several, not base64 of the right length, an algorithm without
// a value, a trailer that is no checksum.
std::variant<std::optional<announced_checksum>, s3_error> read_checksum(const boost::beast::http::fields& fields);

// Computes the announced checksum while a body is stored; digest_mismatch if it differs. A verified checksum is kept
// with the object ("x-amz-checksum-crc32" among its headers).
class checksum_check final : public actors::body_check {
public:
  bool waits_for(std::string_view trailer) const; // whether the value follows in this trailer (a lower-case name)
  explicit checksum_check(announced_checksum announced)
      : running_(announced.kind), wanted_(std::move(announced.value)) {}
  checksum_kind kind() const noexcept { return running_.kind(); }
  // Sets the trailer's value, base64; call before finish(). False: the value is malformed.
  bool announce(std::string_view text);
  result<void> update(bytes_view bytes) override;
  result<void> finish() override;
  actors::kept_headers proven() const override;

private:
  running_checksum running_;
  std::optional<std::string> wanted_;
};

// A check that passes if both pass; either may be null.
std::shared_ptr<actors::body_check> both(std::shared_ptr<actors::body_check> a, std::shared_ptr<actors::body_check> b);

// Checks a body in memory against Content-MD5. InvalidDigest: that is malformed; BadDigest: of another body.
std::optional<s3_error> check_content_md5(const boost::beast::http::fields& fields, std::string_view body);
// Checks a body in memory against Content-MD5 and the checksum headers. Such bodies have no trailers.
std::optional<s3_error> check_whole_body(const boost::beast::http::fields& fields, std::string_view body);

constexpr std::string_view checksum_header_prefix = "x-amz-checksum-";
// Whether there is Content-MD5 or a checksum header, valid or not.
bool announces_checksum(const boost::beast::http::fields& fields);

bool is_checksum_header(std::string_view name);

// Computes a checksum that the client has not announced.
class checksum_maker final : public actors::body_check {
public:
  explicit checksum_maker(checksum_kind kind) : running_(kind) {}
  result<void> update(bytes_view bytes) override;
  result<void> finish() override;
  actors::kept_headers proven() const override;

private:
  running_checksum running_;
  std::string made_;
};

} // namespace cairn::net
