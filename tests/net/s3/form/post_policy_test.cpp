#include "net/s3/form/post_policy.hpp"

#include "net/wire/grammar/base64.hpp"

#include <gtest/gtest.h>

namespace cairn::net::post_policy_test {

constexpr wall_ms now = 1448971200000; // 2015-12-01T12:00:00Z

std::variant<post_policy, s3_error> policy_of(const std::string& conditions,
                                              const std::string& expiration = "2015-12-30T12:00:00.000Z") {
  return read_policy(base64_encode(R"({"expiration": ")" + expiration + R"(", "conditions": )" + conditions + "}"));
}

std::string malformed(const std::string& document) {
  const auto read = read_policy(base64_encode(document));
  const auto* refused = std::get_if<s3_error>(&read);
  return refused ? std::string{refused->code} : "";
}

// What a form is refused with; the policy allows the bucket "files".
std::string refusal(const std::string& conditions, const std::vector<form_field>& fields,
                    const std::string& bucket = "files") {
  const auto read = policy_of(R"([{"bucket": "files"})" + (conditions.empty() ? "" : ", " + conditions) + "]");
  if (const auto* invalid = std::get_if<s3_error>(&read)) return invalid->message;
  const auto refused = check_policy(std::get<post_policy>(read), fields, bucket, now);
  if (!refused) return "";
  EXPECT_EQ(refused->status, 403u);
  return refused->message;
}

TEST(post_policy, allows_what_every_condition_allows) {
  const std::vector<form_field> form{{"key", "user/eric/a"}, {"acl", "private"}, {"x-amz-meta-tag", ""}};
  const std::string conditions =
      R"(["starts-with", "$key", "user/eric/"], {"acl": "private"}, ["starts-with", "$x-amz-meta-tag", ""])";
  EXPECT_EQ(refusal(conditions, form), "");
  EXPECT_EQ(refusal(conditions, form, "other"),
            R"(Invalid according to Policy: Policy Condition failed: ["eq", "$bucket", "files"])");
  EXPECT_EQ(
      refusal(R"(["STARTS-with", "$KEY", "user/"], ["Eq", "$ACL", "private"], ["starts-with", "$X-Amz-Meta-Tag", ""])",
              form),
      "");
  EXPECT_EQ(
      refusal(R"(["eq", "$key", "user/"], ["starts-with", "$acl", ""], ["starts-with", "$x-amz-meta-tag", ""])", form),
      R"(Invalid according to Policy: Policy Condition failed: ["eq", "$key", "user/"])");
  EXPECT_EQ(refusal(conditions, {{"key", "user/eri"}, {"acl", "private"}, {"x-amz-meta-tag", ""}}),
            R"(Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "user/eric/"])");
}

TEST(post_policy, needs_each_named_field_and_a_condition_for_each_field) {
  EXPECT_EQ(refusal(R"({"key": "k"})", {{"key", "k"}, {"acl", "private"}}),
            "Invalid according to Policy: Extra input fields: acl");
  EXPECT_EQ(refusal(R"({"key": "k"}, ["starts-with", "$acl", ""])", {{"key", "k"}}),
            R"(Invalid according to Policy: Policy Condition failed: ["starts-with", "$acl", ""])");
  EXPECT_EQ(refusal(R"({"key": "k"})", {{"key", "k"},
                                        {"policy", "…"},
                                        {"x-amz-signature", "…"},
                                        {"signature", "…"},
                                        {"awsaccesskeyid", "…"},
                                        {"x-ignore-this", "…"},
                                        {"bucket", "whatever it says"}}),
            "");
  const auto without_bucket = std::get<post_policy>(policy_of(R"([{"key": "k"}])"));
  EXPECT_EQ(check_policy(without_bucket, {{"key", "k"}}, "files", now)->message,
            "Invalid according to Policy: Extra input fields: bucket");
}

TEST(post_policy, takes_a_content_type_for_a_list) {
  const auto with = [](const std::string& type) {
    return refusal(R"(["starts-with", "$Content-Type", "image/"])", {{"content-type", type}}).empty();
  };
  EXPECT_TRUE(with("image/jpeg"));
  EXPECT_TRUE(with("image/jpeg, image/png,image/gif"));
  EXPECT_FALSE(with("image/jpeg,text/html"));
  EXPECT_FALSE(with("image/jpeg,"));
}

TEST(post_policy, ends) {
  for (const auto* expiration : {"2015-12-01T12:00:00.000Z", "2015-12-01T12:00:00Z", "1999-01-01T00:00:00.5Z"}) {
    const auto policy = std::get<post_policy>(policy_of(R"([{"bucket": "files"}])", expiration));
    EXPECT_EQ(check_policy(policy, {}, "files", now)->message, "Invalid according to Policy: Policy expired.");
  }
  const auto policy = std::get<post_policy>(policy_of(R"([{"bucket": "files"}])", "2015-12-01T12:00:00.001Z"));
  EXPECT_FALSE(check_policy(policy, {}, "files", now));
}

TEST(post_policy, bounds_the_file) {
  const auto range = [](const std::string& conditions) {
    const auto policy = std::get<post_policy>(policy_of(conditions));
    return std::pair{policy.size_min, policy.size_max};
  };
  EXPECT_EQ(range(R"([["content-length-range", 1, 10485760]])"), std::pair(std::uint64_t{1}, std::uint64_t{10485760}));
  EXPECT_EQ(range(R"([["content-length-range", "1", "20"], ["Content-Length-Range", 2, 30]])"),
            std::pair(std::uint64_t{2}, std::uint64_t{20}));
  EXPECT_EQ(range("[]").first, 0u);
  for (const auto* bad :
       {R"(["content-length-range", 0])", R"(["content-length-range", -1, 0])", R"(["content-length-range", 0, 1.5])",
        R"(["content-length-range", 0, "x"])", R"(["content-length-range", 0, 1, 2])",
        R"(["content-length-range", null, 1])", R"(["content-length-range", 0, "99999999999999999999"])"})
    EXPECT_TRUE(std::holds_alternative<s3_error>(policy_of("[" + std::string{bad} + "]"))) << bad;
}

TEST(post_policy, is_refused_when_it_says_anything_that_is_not_known) {
  constexpr auto refused = "InvalidPolicyDocument";
  EXPECT_EQ(malformed(R"({"expiration": "2015-12-30T12:00:00Z", "conditions": []})"), "");
  EXPECT_EQ(malformed(R"({"conditions": []})"), refused);
  EXPECT_EQ(malformed(R"({"expiration": "2015-12-30T12:00:00Z"})"), refused);
  EXPECT_EQ(malformed(R"({"Expiration": "2015-12-30T12:00:00Z", "conditions": []})"), refused);
  EXPECT_EQ(malformed(R"({"expiration": "2015-12-30T12:00:00Z", "conditions": [], "more": 1})"), refused);
  for (const auto* time : {"2015-12-30", "2015-12-30 12:00:00", "2015-02-30T12:00:00Z", "2015-12-30T12:00:00+01:00",
                           "2015-12-30T12:00:00.Z", "Wed, 30 Dec 2015 12:00:00 GMT", ""})
    EXPECT_EQ(malformed(R"({"expiration": ")" + std::string{time} + R"(", "conditions": []})"), refused) << time;
  for (const auto* conditions : {"{}", "null", "[{}]", R"([{"a": "1", "b": "2"}])", R"([{"acl": 1}])", "[[]]",
                                 R"([["ends-with", "$key", "x"]])", R"([["eq", "key", "x"]])", R"([["eq", "$", "x"]])",
                                 R"([["eq", "$key"]])", R"([["eq", "$key", 1]])", R"(["eq"])"})
    EXPECT_EQ(malformed(R"({"expiration": "2015-12-30T12:00:00Z", "conditions": )" + std::string{conditions} + "}"),
              refused)
        << conditions;
  EXPECT_EQ(malformed(""), refused);
  EXPECT_EQ(malformed("[]"), refused);
  EXPECT_EQ(malformed(R"({"expiration": "2015-12-30T12:00:00Z", "conditions": []} x)"), refused);
  EXPECT_EQ(malformed(R"({"expiration": "2015-12-30T12:00:00Z", "conditions": [[[[[]]]]]})"), refused);
  EXPECT_TRUE(std::holds_alternative<s3_error>(read_policy("no base64!")));
}

} // namespace cairn::net::post_policy_test
