// A request of IAM's Query API: a form in the body, "Action=CreateUser&Version=2010-05-08&UserName=ann"; lists are
// written as "TagKeys.member.1". Source: AWS, IAM API Reference. Pure. Errors are IAM's.
#pragma once

#include "net/s3/xml/s3_errors.hpp"
#include "net/wire/grammar/uri.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cairn::net {

constexpr std::size_t iam_body_bytes_max = 128 << 10;
constexpr std::string_view iam_version = "2010-05-08";
constexpr std::string_view iam_name_space = "xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"";
constexpr std::string_view sts_version = "2011-06-15";
constexpr std::string_view sts_name_space = "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"";

class iam_query {
public:
  // ValidationError: not a form, or a parameter that comes twice.
  static std::variant<iam_query, s3_error> read(std::string_view body);

  const std::string* find(std::string_view name) const; // null: not given
  std::string text(std::string_view name) const;        // empty: not given
  bool flag(std::string_view name) const;               // "true", in any case
  void set(std::string_view name, std::string value);
  // The values of "NAME.member.1", "NAME.member.2", …, without gaps.
  std::vector<std::string> list(std::string_view name) const;
  // Those of "NAME.member.1.FIRST" with the texts of "NAME.member.1.SECOND", which may be missing.
  std::vector<std::pair<std::string, std::string>> pairs(std::string_view name, std::string_view first,
                                                         std::string_view second) const;
  const std::vector<query_parameter>& all() const { return parameters_; }

  // A decimal number; `otherwise`: it is not given. nullopt: it is no number, or beyond the bounds.
  std::optional<std::uint32_t> number(std::string_view name, std::uint32_t least, std::uint32_t most,
                                      std::uint32_t otherwise) const;

  // Marker and MaxItems. ValidationError: MaxItems is not 1 to 1000.
  std::variant<std::uint32_t, s3_error> items_max() const;

private:
  std::vector<query_parameter> parameters_;
};

// Whether the functions above read this parameter: no list, or an entry of one that IAM or STS has, numbered from 1
// without a gap, with the parts that its entries have. The name of a list alone is an empty list, as SDKs write it.
// ValidationError: they do not.
std::optional<s3_error> unread_entry(const iam_query& query, const query_parameter& parameter);
// "Tags.member.1.Key" → "Tags"
std::string_view list_name_of(std::string_view parameter);

s3_error validation_error(std::string message); // 400
s3_error no_such_entity(std::string message);   // 404

// "arn:aws:iam::ACCOUNT:user/team/ann" → "user/team/ann"; nullopt: of another account, or no ARN of IAM.
std::optional<std::string_view> own_resource(std::string_view arn);

// An error of S3's tables as IAM names it.
s3_error as_iam_error(s3_error problem);
// <ErrorResponse>
std::string iam_error_xml(const s3_error& problem, std::string_view request_id,
                          std::string_view name_space = iam_name_space);

} // namespace cairn::net
