#include "net/s3/xml/cors.hpp"

#include <gtest/gtest.h>

namespace cairn::net::cors_test {

std::string code_of(std::string_view body) {
  const auto read = read_cors_document(body);
  const auto* refused = std::get_if<s3_error>(&read);
  return refused ? std::string{refused->code} : "";
}

std::string rule(std::string_view inside) {
  return "<CORSConfiguration><CORSRule>" + std::string{inside} + "</CORSRule></CORSConfiguration>";
}

const cors_rules rules{{"", {"https://*.example.com"}, {"GET", "PUT"}, {"x-amz-*", "Content-Type"}, {"ETag"}, 600},
                       {"", {"*"}, {"GET"}, {}, {}, 0}};

std::string preflight(std::string_view origin, std::string_view method, std::string_view headers = "") {
  const auto answer = preflight_answer(rules, {origin, method, headers});
  const auto* refused = std::get_if<s3_error>(&answer);
  return refused ? std::string{refused->code} : std::get<std::string>(answer);
}

bool has(const std::string& lines, std::string_view line) {
  return ("\r\n" + lines).find("\r\n" + std::string{line} + "\r\n") != std::string::npos;
}

TEST(cors, documents_come_back_as_they_were_written) {
  const auto read = read_cors_document(cors_document(rules));
  ASSERT_TRUE(std::holds_alternative<cors_rules>(read));
  EXPECT_EQ(std::get<cors_rules>(read), rules);
}

TEST(cors, documents_that_mean_nothing_are_refused) {
  EXPECT_EQ(code_of(rule("<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>")), "");
  EXPECT_EQ(code_of(""), "MalformedXML");
  EXPECT_EQ(code_of("<CORSConfiguration/>"), "MalformedXML");
  EXPECT_EQ(code_of(rule("<AllowedOrigin>*</AllowedOrigin>")), "MalformedXML");
  EXPECT_EQ(code_of(rule("<AllowedMethod>GET</AllowedMethod>")), "MalformedXML");
  EXPECT_EQ(code_of(rule("<AllowedOrigin>*</AllowedOrigin><AllowedMethod>PATCH</AllowedMethod>")), "InvalidRequest");
  EXPECT_EQ(code_of(rule("<AllowedOrigin>a*b*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>")), "InvalidRequest");
  EXPECT_EQ(code_of(rule("<AllowedOrigin>a b</AllowedOrigin><AllowedMethod>GET</AllowedMethod>")), "MalformedXML");
  EXPECT_EQ(code_of(rule("<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
                         "<MaxAgeSeconds>-1</MaxAgeSeconds>")),
            "MalformedXML");
}

TEST(cors, the_first_rule_that_fits_counts) {
  const auto lines = cors_lines(rules, "https://app.example.com", "PUT");
  EXPECT_TRUE(has(lines, "Access-Control-Allow-Origin: https://app.example.com"));
  EXPECT_TRUE(has(lines, "Access-Control-Allow-Credentials: true"));
  EXPECT_TRUE(has(lines, "Access-Control-Allow-Methods: GET, PUT"));
  EXPECT_TRUE(has(lines, "Access-Control-Expose-Headers: ETag"));
  EXPECT_TRUE(has(lines, "Vary: Origin, Access-Control-Request-Headers, Access-Control-Request-Method"));
  const auto others = cors_lines(rules, "https://other.org", "GET");
  EXPECT_TRUE(has(others, "Access-Control-Allow-Origin: *"));
  EXPECT_FALSE(has(others, "Access-Control-Allow-Credentials: true"));
  EXPECT_EQ(cors_lines(rules, "https://other.org", "PUT"), "");
  EXPECT_EQ(cors_lines(rules, "https://example.com", "PUT"), ""); // the pattern wants a dot before it
  EXPECT_EQ(cors_lines({}, "https://app.example.com", "GET"), "");
}

TEST(cors, preflights_need_origin_method_and_headers_to_fit) {
  const auto lines = preflight("https://app.example.com", "PUT", "X-Amz-Date, content-type");
  EXPECT_TRUE(has(lines, "Access-Control-Allow-Headers: X-Amz-Date, content-type"));
  EXPECT_TRUE(has(lines, "Access-Control-Max-Age: 600"));
  EXPECT_EQ(preflight("https://app.example.com", "PUT", "authorization"), "AccessForbidden");
  EXPECT_EQ(preflight("https://app.example.com", "DELETE"), "AccessForbidden");
  EXPECT_EQ(preflight("https://other.org", "GET", "x-amz-date"), "AccessForbidden");
  EXPECT_TRUE(has(preflight("https://other.org", "GET"), "Access-Control-Allow-Origin: *"));
  EXPECT_EQ(preflight("https://other.org", ""), "BadRequest");
}

TEST(cors, an_age_of_nothing_is_an_age) {
  EXPECT_TRUE(has(preflight("https://other.org", "GET"), "Access-Control-Max-Age: 0"));
  EXPECT_NE(cors_document(rules).find("<MaxAgeSeconds>0</MaxAgeSeconds>"), std::string::npos);
  EXPECT_EQ(cors_lines({{"", {"*"}, {"GET"}, {}, {}, {}}}, "https://other.org", "GET").find("Max-Age"),
            std::string::npos);
}

TEST(cors, takes_each_header_of_a_preflight_once_and_not_more_than_a_page_needs) {
  std::string once, many;
  for (int i = 0; i < 5000; ++i) once += "content-type,";
  for (std::size_t i = 0; i < preflight_headers_max + 1; ++i) many += "x-amz-" + std::to_string(i) + ",";
  EXPECT_TRUE(has(preflight("https://app.example.com", "PUT", once), "Access-Control-Allow-Headers: content-type"));
  EXPECT_EQ(preflight("https://app.example.com", "PUT", many), "BadRequest");
}

} // namespace cairn::net::cors_test
