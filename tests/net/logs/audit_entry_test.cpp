#include "net/logs/audit_entry.hpp"

#include "base/json.hpp"

#include <gtest/gtest.h>

namespace cairn::net::audit_entry_test {

TEST(audit_entry, is_one_line_of_json_with_what_applies) {
  audit_entry entry;
  entry.time = 784111777123;
  entry.port = "s3";
  entry.request = "0123456789abcdef";
  entry.who = "anonymous";
  entry.operation = "put_object";
  entry.bucket = "files";
  entry.key = "a";
  entry.status = 200;
  EXPECT_EQ(audit_line(entry), R"({"time":"1994-11-06T08:49:37.123Z","port":"s3","request":"0123456789abcdef",)"
                               R"("who":"anonymous","operation":"put_object","bucket":"files","key":"a","status":200})"
                               "\n");
}

TEST(audit_entry, cannot_be_forged_by_what_a_client_chooses) {
  audit_entry entry;
  entry.bucket = "b";
  entry.key = "x\"}\n{\"time\":\"now\",\"who\":\"root\"}\r\n\x1b[2J\xff\u2028";
  entry.source = std::string{"a\0b", 3};
  entry.parameters = {{"label\n", "\"}"}};
  const auto line = audit_line(entry);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(line.find('\x1b'), line.npos);
  EXPECT_EQ(line.find("\u2028"), line.npos);
  const auto read = read_json(line, line.size(), 3);
  ASSERT_TRUE(read);
  const auto& members = read->as_object();
  EXPECT_EQ(text_of(members.at("key")).substr(0, 4), "x\"}\n");
  EXPECT_EQ(text_of(members.at("source")), (std::string_view{"a\0b", 3}));
  EXPECT_EQ(text_of(members.at("parameters").at("label\n")), "\"}");
  EXPECT_FALSE(members.contains("who"));
}

} // namespace cairn::net::audit_entry_test
