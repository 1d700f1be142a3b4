#include "net/s3/form/post_form.hpp"

#include "net/wire/grammar/fields.hpp"

#include <gtest/gtest.h>

namespace cairn::net::post_form_test {

using form_fields = std::vector<std::pair<std::string, std::string>>;

std::variant<post_form, s3_error> form_of(const form_fields& fields, const std::string& file_name = "a.txt") {
  form_parser parser{"b"};
  std::string body;
  for (const auto& [name, value] : fields)
    body += "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
  body += "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + file_name + "\"\r\n\r\n";
  const auto taken = parser.take(body);
  EXPECT_TRUE(std::holds_alternative<std::size_t>(taken) && parser.at_file());
  return read_post_form(parser);
}

std::string refusal(const form_fields& fields, const std::string& file_name = "a.txt") {
  const auto read = form_of(fields, file_name);
  const auto* refused = std::get_if<s3_error>(&read);
  return refused ? std::string{refused->code} : "";
}

std::string signature_refusal(const form_fields& fields) {
  const auto form = std::get<post_form>(form_of(fields));
  EXPECT_TRUE(form.carries_credentials());
  const auto read = read_form_signature(form);
  const auto* refused = std::get_if<s3_error>(&read);
  return refused ? std::string{refused->code} : "";
}

// "Example: Browser-Based Upload using HTTP POST", S3 API reference.
constexpr auto example_policy = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCi"
                                "AgICB7ImJ1Y2tldCI6ICJzaWd2NGV4"
                                "YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgIC"
                                "B7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9"
                                "LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy"
                                "5hbWF6b25hd3MuY29tL3N1Y2Nlc3Nm"
                                "dWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl"
                                "0sDQogICAgeyJ4LWFtei1tZXRhLXV1"
                                "aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQU"
                                "VTMjU2In0sDQogICAgWyJzdGFydHMt"
                                "d2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQU"
                                "lPU0ZPRE5ON0VYQU1QTEUvMjAxNTEy"
                                "MjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE"
                                "1BQy1TSEEyNTYifSwNCiAgICB7Ingt"
                                "YW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";

form_fields example_form() {
  return {{"key", "user/user1/${filename}"},
          {"acl", "public-read"},
          {"success_action_redirect", "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},
          {"Content-Type", "image/jpeg"},
          {"x-amz-meta-uuid", "14365123651274"},
          {"x-amz-server-side-encryption", "AES256"},
          {"X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},
          {"X-Amz-Algorithm", "AWS4-HMAC-SHA256"},
          {"X-Amz-Date", "20151229T000000Z"},
          {"x-amz-meta-tag", ""},
          {"Policy", example_policy},
          {"X-Amz-Signature", "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"}};
}

TEST(post_form, of_the_documentation_is_allowed_by_its_policy) {
  const auto form = std::get<post_form>(form_of(example_form(), "MyFile.jpg"));
  EXPECT_EQ(form.key, "user/user1/MyFile.jpg");
  EXPECT_TRUE(form.carries_credentials());
  const auto claim = std::get<signature_claim>(read_form_signature(form));
  EXPECT_EQ(claim.access_key, "AKIAIOSFODNN7EXAMPLE");
  EXPECT_FALSE(check_claim(claim, "us-east-1", claim.signed_at + 1000 * clock_skew_max_ms))
      << "the policy has its time";
  EXPECT_EQ(check_claim(claim, "mars", claim.signed_at)->code, "AuthorizationQueryParametersError");
  const auto key = derive_signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", claim.date, claim.region);
  EXPECT_FALSE(check_policy_signature(claim, *form.find("policy"), key));
  EXPECT_EQ(check_policy_signature(claim, *form.find("policy") + "=", key)->code, "SignatureDoesNotMatch");
  EXPECT_EQ(check_policy_signature(claim, *form.find("policy"), {})->code, "SignatureDoesNotMatch");
  const auto policy = std::get<post_policy>(read_policy(*form.find("policy")));
  EXPECT_FALSE(check_policy(policy, form.fields, "sigv4examplebucket", claim.signed_at));
  EXPECT_TRUE(check_policy(policy, form.fields, "another", claim.signed_at));
}

TEST(post_form, says_in_fields_what_put_object_says_in_headers) {
  const auto form =
      std::get<post_form>(form_of({{"KEY", "k"},
                                   {"aCl", "public-read"},
                                   {"Content-Type", "text/plain"},
                                   {"Cache-Control", "no-store"},
                                   {"x-amz-meta-Colour", " blue "},
                                   {"x-amz-checksum-crc32", "AAAAAA=="},
                                   {"tagging", "<Tagging><TagSet><Tag><Key>a b</Key><Value>&amp;=</Value></Tag>"
                                               "<Tag><Key>c</Key><Value/></Tag></TagSet></Tagging>"},
                                   {"x-ignore-me", "\n"},
                                   {"anything", "\n"}}));
  EXPECT_FALSE(form.carries_credentials());
  const auto header = [&form](std::string_view name) { return find_field(form.head, name).value_or("none"); };
  EXPECT_EQ(header("x-amz-acl"), "public-read");
  EXPECT_EQ(header("Content-Type"), "text/plain");
  EXPECT_EQ(header("Cache-Control"), "no-store");
  EXPECT_EQ(header("x-amz-meta-colour"), "blue");
  EXPECT_EQ(header("x-amz-checksum-crc32"), "AAAAAA==");
  EXPECT_EQ(header("x-amz-tagging"), "a%20b=%26%3D&c=");
  EXPECT_EQ(std::distance(form.head.begin(), form.head.end()), 6);
}

TEST(post_form, has_the_name_of_the_file_wherever_it_is_asked_for) {
  const auto form = std::get<post_form>(
      form_of({{"key", "${filename}/${filename}"}, {"x-amz-meta-name", "<${filename}>"}}, "/tmp/a${filename}b"));
  EXPECT_EQ(form.key, "a${filename}b/a${filename}b");
  EXPECT_EQ(find_field(form.head, "x-amz-meta-name"), "<a${filename}b>");
  EXPECT_EQ(refusal({{"key", "${filename}"}}, ""), "InvalidArgument") << "an empty key";
  std::string bomb;
  for (int i = 0; i < 500; ++i) bomb += "${filename}";
  EXPECT_EQ(refusal({{"key", "k"}, {"x-ignore-it", bomb}}, std::string(1000, 'x')),
            "MaxPostPreDataLengthExceededError");
}

TEST(post_form, is_refused_when_it_is_not_clear_what_it_says) {
  EXPECT_EQ(refusal({{"acl", "private"}}), "InvalidArgument") << "no key";
  EXPECT_EQ(refusal({{"key", ""}}), "InvalidArgument");
  EXPECT_EQ(refusal({{"key", std::string(1025, 'k')}}), "KeyTooLongError");
  EXPECT_EQ(refusal({{"key", "\xff"}}), "InvalidArgument");
  EXPECT_EQ(refusal({{"key", "a"}, {"Key", "b"}}), "InvalidArgument");
  EXPECT_EQ(refusal({{"key", "a"}, {"acl", "private"}, {"x-amz-acl", "public-read"}}), "InvalidArgument");
  EXPECT_EQ(refusal({{"key", "a"}, {"x-amz-meta-colour", "blue\r\nSet-Cookie: a=b"}}), "InvalidArgument");
  EXPECT_EQ(refusal({{"key", "a"}, {"x-amz-meta-a: b", "c"}}), "InvalidArgument");
  EXPECT_EQ(refusal({{"key", "a"}, {"tagging", "<Tagging>"}}), "MalformedXML");
}

TEST(post_form, needs_all_of_a_signature) {
  EXPECT_EQ(signature_refusal(example_form()), "");
  for (const auto* name : {"Policy", "X-Amz-Credential", "X-Amz-Algorithm", "X-Amz-Date", "X-Amz-Signature"}) {
    auto fields = example_form();
    std::erase_if(fields, [name](const auto& field) { return field.first == name; });
    EXPECT_EQ(signature_refusal(fields), "InvalidArgument") << name;
  }
  const auto with = [](std::size_t place, const std::string& value) {
    auto fields = example_form();
    fields[place].second = value;
    return signature_refusal(fields);
  };
  EXPECT_EQ(with(7, "AWS4-HMAC-SHA1"), "InvalidRequest");
  EXPECT_EQ(with(6, "AKIAIOSFODNN7EXAMPLE"), "AuthorizationQueryParametersError");
  EXPECT_EQ(with(8, "20151230T000000Z"), "AuthorizationQueryParametersError") << "not the credential's day";
  EXPECT_EQ(with(8, "yesterday"), "AuthorizationQueryParametersError");
  EXPECT_EQ(signature_refusal({{"key", "k"}, {"policy", "e30="}, {"AWSAccessKeyId", "a"}, {"signature", "b"}}), "");
  EXPECT_EQ(signature_refusal({{"key", "k"}, {"policy", "e30="}, {"AWSAccessKeyId", "a"}}), "InvalidArgument");
  EXPECT_EQ(signature_refusal({{"key", "k"}, {"policy", "e30="}, {"signature", "b"}}), "InvalidArgument");
  auto fields = example_form();
  fields.emplace_back("signature", "b");
  EXPECT_EQ(signature_refusal(fields), "InvalidArgument") << "two signatures";
  fields.back() = {"x-amz-security-token", "token"};
  EXPECT_EQ(signature_refusal(fields), "") << "the token is checked with its access key";
  const form_fields old{{"key", "k"}, {"policy", "e30="}, {"AWSAccessKeyId", "a"}, {"signature", "b"}, fields.back()};
  EXPECT_EQ(signature_refusal(old), "InvalidToken") << "Version 2";
}

TEST(post_form, is_answered_as_it_asks) {
  const auto of = [](const form_fields& more) {
    form_fields fields{{"key", "a b"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return success_of(std::get<post_form>(form_of(fields)), "files", "abc");
  };
  EXPECT_EQ(of({}).status, 204u);
  EXPECT_EQ(of({{"success_action_status", "200"}}).status, 200u);
  EXPECT_EQ(of({{"success_action_status", "201"}}).status, 201u);
  EXPECT_EQ(of({{"success_action_status", "404"}}).status, 204u);
  const auto there = of({{"success_action_redirect", "https://example.com/done"}, {"success_action_status", "201"}});
  EXPECT_EQ(there.status, 303u);
  EXPECT_EQ(there.redirect, "https://example.com/done?bucket=files&key=a%20b&etag=%22abc%22");
  EXPECT_EQ(of({{"redirect", "HTTP://example.com/?x=1"}}).redirect,
            "HTTP://example.com/?x=1&bucket=files&key=a%20b&etag=%22abc%22");
  EXPECT_EQ(of({{"redirect", "https://example.com/a?x=1#top?b"}}).redirect,
            "https://example.com/a?x=1&bucket=files&key=a%20b&etag=%22abc%22#top?b");
  EXPECT_EQ(of({{"redirect", "https://example.com/a#b?c"}}).redirect,
            "https://example.com/a?bucket=files&key=a%20b&etag=%22abc%22#b?c");
  for (const auto* no_url : {"javascript:alert(1)", "/local", "", "http://a\r\nSet-Cookie: a=b", "http://a b"})
    EXPECT_EQ(of({{"success_action_redirect", no_url}}).status, 204u) << no_url;
  EXPECT_NE(post_response_xml("http://h/files/k", "files", "<k>", "abc").find("<Key>&lt;k&gt;</Key>"),
            std::string::npos);
}

} // namespace cairn::net::post_form_test
