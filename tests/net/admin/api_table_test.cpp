#include "net/admin/api_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace cairn::net::api_table_test {

using boost::beast::http::verb;

result<void> check(const api_row& row, const std::string& query) {
  return check_parameters(row, parse_target("/v1/x?" + query).value());
}

// The schemas that a document refers to.
void references(const json_value& v, std::set<std::string>& out) {
  if (v.is_array())
    for (const auto& one : v.get_array()) references(one, out);
  if (!v.is_object()) return;
  for (const auto& member : v.get_object()) {
    if (member.key() == "$ref") out.insert(std::string{member.value().as_string()}.substr(21));
    references(member.value(), out);
  }
}

TEST(api_table, finds_rows_by_method_and_path) {
  const auto drain = find_api_row(verb::post, "/v1/nodes/10.0.0.1%3A9100/drain");
  ASSERT_TRUE(drain.row);
  EXPECT_EQ(drain.row->name, "drain");
  EXPECT_EQ(drain.subject, "10.0.0.1:9100");
  EXPECT_EQ(find_api_row(verb::delete_, "/v1/nodes/3").row->name, "remove");
  EXPECT_EQ(find_api_row(verb::head, "/v1/cluster").row->name, "cluster");
  EXPECT_EQ(find_api_row(verb::get, "/v1/buckets/a%2Fb").subject, "a/b");
  EXPECT_EQ(find_api_row(verb::put, "/v1/keys").row, nullptr);
  EXPECT_EQ(find_api_row(verb::put, "/v1/keys").allowed, "GET, POST");
  for (const auto* none :
       {"/v1/", "/v1/nodes//drain", "/v1/nodes/1/2/drain", "/v1/nodes/1/", "/v1/clusters", "/v1/nodes/%zz"})
    EXPECT_EQ(find_api_row(verb::get, none).row, nullptr) << none;
  EXPECT_EQ(find_api_row(verb::get, "/v1/clusters").allowed, "");
}

TEST(api_table, takes_no_parameter_that_it_does_not_carry_out) {
  const auto& weight = *find_api_row(verb::put, "/v1/nodes/1/weight").row;
  EXPECT_TRUE(check(weight, "value=200"));
  EXPECT_TRUE(check(weight, "value=200&format=text"));
  EXPECT_EQ(check(weight, "").error().text, "expected value=");
  EXPECT_EQ(check(weight, "value=much").error().text, "value: expected integer, got \"much\"");
  EXPECT_EQ(check(weight, "value=1&force=yes").error().text, "there is no parameter \"force\" here");
  EXPECT_EQ(check(weight, "value=1&format=xml").error().text, "format is json or text");
  const auto& quota = *find_api_row(verb::put, "/v1/buckets/b/quota").row;
  EXPECT_TRUE(check(quota, "bytes=9999999999999999999&objects=0"));
  EXPECT_FALSE(check(quota, "bytes=18446744073709551616")) << "more than 64 bits";
  EXPECT_FALSE(check(quota, "bytes=1GiB"));
  EXPECT_EQ(find_api_row(verb::delete_, "/v1/buckets/b/quota").row->name, "removeQuota");
  const auto of_user = find_api_row(verb::put, "/v1/users/ann%40example.org/quota");
  EXPECT_EQ(of_user.row->name, "setUserQuota");
  EXPECT_EQ(of_user.subject, "ann@example.org");
  EXPECT_FALSE(check(*find_api_row(verb::put, "/v1/buckets/b/owner").row, "")) << "whose?";
  const auto& disks = *find_api_row(verb::get, "/v1/disks").row;
  EXPECT_FALSE(check(disks, "format=text")) << "it has no such answer";
  const auto& hold = *find_api_row(verb::put, "/v1/cluster/deletions").row;
  EXPECT_TRUE(check(hold, "value=hold"));
  EXPECT_FALSE(check(hold, "value=hold|release"));
}

TEST(api_table, documents_every_row_once) {
  const auto document = openapi_document("1.2.3");
  std::set<std::string> names;
  std::size_t operations = 0;
  for (const auto& path : document.at("paths").as_object())
    for (const auto& operation : path.value().as_object()) {
      ++operations;
      const auto& o = operation.value().as_object();
      EXPECT_TRUE(names.insert(std::string{o.at("operationId").as_string()}).second) << path.key();
      EXPECT_FALSE(o.at("summary").as_string().empty()) << path.key();
    }
  EXPECT_EQ(operations, api_rows().size());
  EXPECT_EQ(document.at("info").at("version").as_string(), "1.2.3");
  std::set<std::string> used, declared;
  references(document, used);
  for (const auto& schema : api_schemas()) declared.insert(std::string{schema.name});
  EXPECT_EQ(used, declared);
}

TEST(api_table, only_operators_change_anything_but_their_own_session) {
  const std::set<std::string_view> of_everybody{"/v1/session", "/v1/buckets/{bucket}/links"}; // a link changes nothing
  for (const auto& row : api_rows())
    if (row.method != verb::get && !of_everybody.contains(row.path)) {
      EXPECT_EQ(row.right, api_right::operators) << row.path;
    }
}

} // namespace cairn::net::api_table_test
