#include "net/s3/operations/delete_request.hpp"

#include <gtest/gtest.h>

namespace cairn::net::delete_request_test {

delete_request read(const std::string& inside) {
  auto request = read_delete_request("<Delete>" + inside + "</Delete>");
  EXPECT_TRUE(std::holds_alternative<delete_request>(request)) << inside;
  return std::get<delete_request>(std::move(request));
}

std::string_view refusal(const std::string& body) {
  const auto request = read_delete_request(body);
  const auto* refused = std::get_if<s3_error>(&request);
  return refused ? refused->code : "";
}

std::string objects(std::size_t count, const std::string& key) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += "<Object><Key>" + key + "</Key></Object>\n";
  return out;
}

TEST(delete_request, names_keys_and_what_must_hold_of_them) {
  const auto request = read("<Quiet>true</Quiet><Object><Key>a&amp;b</Key></Object>"
                            "<Object><Key>c</Key><VersionId>null</VersionId><ETag>\"ab\"</ETag><Size>5</Size>"
                            "<LastModifiedTime>Sun, 06 Nov 1994 08:49:37 GMT</LastModifiedTime></Object>");
  EXPECT_TRUE(request.quiet);
  ASSERT_EQ(request.entries.size(), 2u);
  EXPECT_EQ(request.entries[0].key, "a&b");
  EXPECT_FALSE(request.entries[0].only_if);
  EXPECT_EQ(request.entries[1].version, storage::metadata::version_id{});
  ASSERT_TRUE(request.entries[1].only_if);
  EXPECT_EQ(request.entries[1].only_if->etag, "ab");
  EXPECT_EQ(request.entries[1].only_if->size, 5u);
  EXPECT_EQ(request.entries[1].only_if->modified_seconds, 784111777);
  EXPECT_FALSE(request.entries[1].failed);
}

TEST(delete_request, refuses_single_keys) {
  const auto code = [](const std::string& inside) {
    const auto request = read("<Object>" + inside + "</Object>");
    return request.entries[0].failed ? request.entries[0].failed->code : "";
  };
  EXPECT_EQ(code("<Key>k</Key>"), "");
  EXPECT_EQ(code("<Key></Key>"), "UserKeyMustBeSpecified");
  EXPECT_EQ(code("<Key>" + std::string(1025, 'k') + "</Key>"), "KeyTooLongError");
  EXPECT_EQ(code("<Key>k</Key><VersionId>v1</VersionId>"), "NoSuchVersion");
  EXPECT_EQ(code("<Key>k</Key><Size>much</Size>"), "InvalidArgument");
  EXPECT_EQ(code("<Key>k</Key><LastModifiedTime>now</LastModifiedTime>"), "InvalidArgument");
}

TEST(delete_request, drops_no_element) {
  const auto malformed = [](const std::string& inside) {
    return std::holds_alternative<s3_error>(read_delete_request("<Delete><Object>" + inside + "</Object></Delete>"));
  };
  EXPECT_FALSE(malformed("<Key>k</Key><ETag>*</ETag>"));
  EXPECT_TRUE(malformed("<Key>k</Key><Colour>blue</Colour>"));
  EXPECT_TRUE(malformed("<Key>k</Key><Key>l</Key>")) << "which of them?";
}

TEST(delete_request, is_a_document_of_one_to_a_thousand_objects) {
  EXPECT_EQ(read(objects(1000, std::string(1024, 'k'))).entries.size(), 1000u);
  EXPECT_EQ(refusal("<Delete><Quiet>true</Quiet><Quiet>false</Quiet>" + objects(1, "a") + "</Delete>"), "MalformedXML");
  EXPECT_EQ(refusal("<Delete>" + objects(1001, "k") + "</Delete>"), "MalformedXML");
  for (const auto* bad : {"", "<Delete/>", "<Other/>", "<Delete><Key>k</Key></Delete>", "hello"}) {
    EXPECT_EQ(refusal(bad), "MalformedXML") << bad;
  }
  EXPECT_EQ(refusal("<Delete>" + objects(1, "&#xD800;") + "</Delete>"), "MalformedXML");
}

TEST(delete_request, is_answered_key_by_key) {
  auto request = read("<Object><Key>a</Key></Object><Object><Key>b&lt;</Key></Object>");
  request.entries[1].failed = s3_error{412, "PreconditionFailed", "No."};
  const auto all = delete_result_xml(request);
  EXPECT_NE(all.find("<Deleted><Key>a</Key></Deleted>"), std::string::npos);
  EXPECT_NE(all.find("<Error><Key>b&lt;</Key><Code>PreconditionFailed</Code>"), std::string::npos);
  const auto bad = delete_result_xml(read("<Object><Key>a</Key><VersionId>v1</VersionId></Object>"));
  EXPECT_NE(bad.find("<VersionId>v1</VersionId><Code>NoSuchVersion</Code>"), std::string::npos);
  request.quiet = true;
  const auto quiet = delete_result_xml(request);
  EXPECT_EQ(quiet.find("<Deleted>"), std::string::npos);
  EXPECT_NE(quiet.find("<Error>"), std::string::npos);
}

} // namespace cairn::net::delete_request_test
