#include "net/s3/router.hpp"

#include <gtest/gtest.h>

namespace cairn::net {

namespace {
routed to(std::string_view method, std::string_view target) {
  return route(method, parse_s3_target(target).value());
}
unsigned refusal(std::string_view method, std::string_view target) {
  const auto r = to(method, target);
  return r.refused ? r.refused->status : 0;
}
} // namespace

TEST(router, names_the_operation_of_every_method_and_resource) {
  EXPECT_EQ(to("GET", "/").operation, http_operation::list_buckets);
  EXPECT_EQ(to("GET", "/files").operation, http_operation::list_objects);
  EXPECT_EQ(to("GET", "/files/?list-type=2").operation, http_operation::list_objects);
  EXPECT_EQ(to("GET", "/files/a/b").operation, http_operation::get_object);
  EXPECT_EQ(to("HEAD", "/files").operation, http_operation::head_bucket);
  EXPECT_EQ(to("HEAD", "/files/k").operation, http_operation::head_object);
  EXPECT_EQ(to("PUT", "/files").operation, http_operation::create_bucket);
  EXPECT_EQ(to("PUT", "/files/k").operation, http_operation::put_object);
  EXPECT_EQ(to("DELETE", "/files").operation, http_operation::delete_bucket);
  EXPECT_EQ(to("DELETE", "/files/k").operation, http_operation::delete_object);
  EXPECT_EQ(to("POST", "/files?delete").operation, http_operation::delete_objects);
  EXPECT_EQ(to("GET", "/files?acl").operation, http_operation::read_setting);
  EXPECT_EQ(to("GET", "/files/k?tagging").operation, http_operation::read_tags);
  EXPECT_EQ(to("PUT", "/files/k?tagging").operation, http_operation::write_tags);
  EXPECT_EQ(to("DELETE", "/files/k?tagging").operation, http_operation::write_tags);
  EXPECT_EQ(to("GET", "/files/k?attributes").operation, http_operation::object_attributes);
  EXPECT_EQ(to("POST", "/files/k?uploads").operation, http_operation::begin_upload);
  EXPECT_EQ(to("GET", "/files?uploads").operation, http_operation::list_uploads);
  EXPECT_EQ(to("PUT", "/files/k?partNumber=1&uploadId=x").operation, http_operation::put_part);
  EXPECT_EQ(to("GET", "/files/k?uploadId=x").operation, http_operation::list_parts);
  EXPECT_EQ(to("POST", "/files/k?uploadId=x").operation, http_operation::complete_upload);
  EXPECT_EQ(to("DELETE", "/files/k?uploadId=x").operation, http_operation::abort_upload);
  EXPECT_EQ(copying(http_operation::put_object), http_operation::copy_object);
  EXPECT_EQ(copying(http_operation::put_part), http_operation::copy_part);
  EXPECT_EQ(copying(http_operation::get_object), http_operation::get_object);
  EXPECT_EQ(to("PUT", "/files/k?acl").operation, http_operation::write_setting);
  EXPECT_EQ(to("OPTIONS", "*").operation, http_operation::options);
  EXPECT_EQ(to("OPTIONS", "/files/k").operation, http_operation::options);
}

TEST(router, refuses_other_methods_with_what_is_allowed) {
  for (const auto* method : {"POST", "PATCH", "TRACE", "CONNECT", "get", "BREW"}) {
    const auto r = to(method, "/files/k");
    ASSERT_TRUE(r.refused) << method;
    EXPECT_EQ(r.refused->status, 405u);
    EXPECT_EQ(r.refused->headers, "Allow: GET, HEAD, PUT, DELETE, OPTIONS\r\n");
  }
  EXPECT_EQ(to("DELETE", "/").refused->headers, "Allow: GET, OPTIONS\r\n");
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
  EXPECT_EQ(refusal("POST", "/files"), 501u) << "an HTML form";
  EXPECT_EQ(refusal("GET", "/files/k?partNumber=1"), 0u);
  EXPECT_EQ(refusal("PUT", "/files/k?partNumber=1"), 501u);
  EXPECT_TRUE(changes_data(http_operation::delete_objects));
  EXPECT_TRUE(changes_data(http_operation::write_setting));
  for (const auto writes :
       {http_operation::copy_object, http_operation::begin_upload, http_operation::put_part, http_operation::copy_part,
        http_operation::complete_upload, http_operation::abort_upload, http_operation::write_tags})
    EXPECT_TRUE(changes_data(writes));
  for (const auto reads : {http_operation::read_setting, http_operation::list_parts, http_operation::list_uploads,
                           http_operation::object_attributes, http_operation::read_tags})
    EXPECT_FALSE(changes_data(reads));
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

} // namespace cairn::net
