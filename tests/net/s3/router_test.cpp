#include "net/s3/router.hpp"

#include "tests/net/s3/operation_named.hpp"

#include <gtest/gtest.h>

#include <set>

namespace cairn::net::router_test {

routed to(std::string_view method, std::string_view target, bool copies = false) {
  return route(s3_operations, method, parse_s3_target(target).value(), copies);
}
std::string_view named(std::string_view method, std::string_view target, bool copies = false) {
  return to(method, target, copies).operation->name;
}
unsigned refusal(std::string_view method, std::string_view target) {
  const auto r = to(method, target);
  return r.refused ? r.refused->status : 0;
}
TEST(router, names_the_operation_of_every_method_and_resource) {
  EXPECT_EQ(named("GET", "/"), "list_buckets");
  EXPECT_EQ(named("GET", "/files"), "list_objects");
  EXPECT_EQ(named("GET", "/files/?list-type=2"), "list_objects");
  EXPECT_EQ(named("GET", "/files/a/b"), "get_object");
  EXPECT_EQ(named("HEAD", "/files"), "head_bucket");
  EXPECT_EQ(named("HEAD", "/files/k"), "head_object");
  EXPECT_EQ(named("PUT", "/files"), "create_bucket");
  EXPECT_EQ(named("PUT", "/files/k"), "put_object");
  EXPECT_EQ(named("DELETE", "/files"), "delete_bucket");
  EXPECT_EQ(named("DELETE", "/files/k"), "delete_object");
  EXPECT_EQ(named("POST", "/files?delete"), "delete_objects");
  EXPECT_EQ(named("GET", "/files?acl"), "read_setting");
  EXPECT_EQ(named("GET", "/files/k?tagging"), "read_tags");
  EXPECT_EQ(named("PUT", "/files/k?tagging"), "write_tags");
  EXPECT_EQ(named("DELETE", "/files/k?tagging"), "write_tags");
  EXPECT_EQ(named("GET", "/files/k?attributes"), "object_attributes");
  EXPECT_EQ(named("POST", "/files/k?uploads"), "begin_upload");
  EXPECT_EQ(named("GET", "/files?uploads"), "list_uploads");
  EXPECT_EQ(named("PUT", "/files/k?partNumber=1&uploadId=x"), "put_part");
  EXPECT_EQ(named("GET", "/files/k?uploadId=x"), "list_parts");
  EXPECT_EQ(named("POST", "/files/k?uploadId=x"), "complete_upload");
  EXPECT_EQ(named("DELETE", "/files/k?uploadId=x"), "abort_upload");
  EXPECT_EQ(named("PUT", "/files/k", true), "copy_object");
  EXPECT_EQ(named("PUT", "/files/k?renameObject"), "rename_object");
  EXPECT_EQ(named("PUT", "/files/k?renameObject", true), "rename_object");
  EXPECT_EQ(named("PUT", "/files/k?partNumber=1&uploadId=x", true), "copy_part");
  EXPECT_EQ(named("GET", "/files/k", true), "get_object");
  EXPECT_EQ(named("PUT", "/files/k?acl"), "write_setting");
  EXPECT_EQ(named("OPTIONS", "*"), "options");
  EXPECT_EQ(named("OPTIONS", "/files/k"), "options");
}

TEST(router, refuses_other_methods_with_what_is_allowed) {
  for (const auto* method : {"POST", "PATCH", "TRACE", "CONNECT", "get", "BREW"}) {
    const auto r = to(method, "/files/k");
    ASSERT_TRUE(r.refused) << method;
    EXPECT_EQ(r.refused->status, 405u);
    EXPECT_EQ(r.refused->headers, "Allow: GET, HEAD, PUT, DELETE, OPTIONS\r\n");
  }
  EXPECT_EQ(to("DELETE", "/").refused->headers, "Allow: GET, POST, OPTIONS\r\n");
  EXPECT_EQ(refusal("GET", "*"), 405u);
}

TEST(router, refuses_features_by_name_and_ignores_other_queries) {
  const auto torrent = to("GET", "/files/k?torrent");
  ASSERT_TRUE(torrent.refused);
  EXPECT_EQ(torrent.refused->status, 501u);
  EXPECT_EQ(torrent.refused->code, "NotImplemented");
  EXPECT_NE(torrent.refused->message.find("Torrents"), std::string::npos);
  EXPECT_EQ(refusal("POST", "/files?uploads"), 501u);
  EXPECT_EQ(refusal("GET", "/files/k?attributes&tagging"), 501u);
  EXPECT_EQ(refusal("GET", "/files/k?x-id=GetObject&utm=1"), 0u);
}

TEST(router, takes_parts_of_resources_only_where_they_belong) {
  EXPECT_EQ(sub_resource_of(parse_s3_target("/files?x-id=1&acl").value()), "acl");
  EXPECT_EQ(sub_resource_of(parse_s3_target("/files?prefix=acl").value()), "");
  EXPECT_EQ(refusal("GET", "/files?acl&policy"), 501u) << "which one?";
  EXPECT_EQ(refusal("POST", "/files/k?delete"), 501u);
  EXPECT_EQ(refusal("GET", "/?acl"), 501u);
  EXPECT_EQ(refusal("DELETE", "/files?acl"), 501u);
  EXPECT_EQ(refusal("POST", "/files"), 0u) << "an HTML form";
  EXPECT_EQ(refusal("GET", "/files/k?partNumber=1"), 0u);
  EXPECT_EQ(refusal("PUT", "/files/k?partNumber=1"), 501u);
}

TEST(router, knows_each_request_by_one_row) {
  std::set<std::string_view> names{no_operation.name};
  for (const auto& operation : s3_operations) {
    EXPECT_TRUE(names.insert(operation.name).second) << operation.name;
    EXPECT_NE(operation.serve, nullptr) << operation.name;
    ASSERT_GT(operation.routes.size(), 0u) << operation.name;
    for (const auto& route : operation.routes) {
      std::string target = route.of == resource::bucket ? "/files" : route.of == resource::object ? "/files/k" : "/";
      if (!route.query.empty()) target += "?" + std::string{route.query};
      EXPECT_EQ(named(route.method, target, route.copies), operation.name) << route.method << ' ' << target;
    }
  }
}

TEST(router, knows_what_changes_data) {
  for (const auto& operation : s3_operations) {
    const auto method = operation.routes.begin()->method;
    const bool reads = method == "GET" || method == "HEAD" || method == "OPTIONS";
    EXPECT_EQ(operation.changes_data, !reads) << operation.name;
  }
}

TEST(router, lets_no_name_out_of_its_bucket) {
  EXPECT_EQ(refusal("GET", "/../etc/passwd"), 400u);
  EXPECT_EQ(refusal("GET", "/files%2F..%2Fother/k"), 400u);
  EXPECT_EQ(refusal("GET", "//k"), 400u);
  EXPECT_EQ(to("PUT", "/Files").refused->code, "InvalidBucketName");
}

TEST(router, checks_keys) {
  EXPECT_EQ(refusal("PUT", "/files/" + std::string(1024, 'k')), 0u);
  EXPECT_EQ(to("PUT", "/files/" + std::string(1025, 'k')).refused->code, "KeyTooLongError");
  EXPECT_EQ(to("PUT", "/files/%ff").refused->code, "InvalidURI");
  EXPECT_EQ(to("PUT", "/files/a%00b").refused->code, "InvalidURI");
  EXPECT_EQ(refusal("PUT", "/files/%C3%A4%0A"), 0u) << "UTF-8, a line feed included";
}

} // namespace cairn::net::router_test
