// A request and the rows that decide about it.
#pragma once

#include "net/s3/access.hpp"
#include "net/s3/access_context.hpp"
#include "tests/net/s3/operation_named.hpp"

namespace cairn::net::access_scene {

namespace metadata = storage::metadata;

inline constexpr std::string_view resources = R"("Resource":["arn:aws:s3:::files","arn:aws:s3:::files/*"]})";

inline metadata::bucket_policy policy_of(std::string_view statement) {
  return metadata::bucket_policy{R"({"Version":"2012-10-17","Statement":[{)" + std::string{statement} + "," +
                                 std::string{resources} + "]}"};
}

// A request for /files/k to an operation's first route, by an access key or by nobody.
struct scene {
  request asked;
  metadata::access_key_row key;
  metadata::bucket_row bucket;
  std::shared_ptr<const metadata::bucket_row> source;
  bool is_signed = true, missing = false;
  boost::beast::http::fields head;

  explicit scene(std::string_view operation, std::uint8_t rights = 0) : scene(operation_named(operation), rights) {}
  scene(const s3_operation& operation, std::uint8_t rights) {
    asked.operation = &operation;
    asked.route = operation.routes.size() > 0 ? operation.routes.begin() : nullptr;
    asked.target.bucket = "files";
    if (asked.route && asked.route->of == resource::object) asked.target.key = "k";
    key.id = "CK1";
    if (rights != 0) key.grants.push_back({7, rights});
    bucket.id = 7;
    bucket.name = "files";
  }
  static std::shared_ptr<const metadata::bucket_row> other_bucket(bool readable = false) {
    metadata::bucket_row row;
    row.id = 8;
    row.name = "other";
    row.public_read = row.public_objects = readable;
    return std::make_shared<const metadata::bucket_row>(std::move(row));
  }
  std::string code() {
    actors::found_access found;
    if (is_signed) found.key = std::make_shared<const metadata::access_key_row>(key);
    if (!missing) found.bucket = std::make_shared<const metadata::bucket_row>(bucket);
    found.bucket_2 = source;
    asked.bucket = found.bucket;
    asked.key = found.key;
    if (is_signed) asked.signer.emplace();
    asked.by = {};
    read_conditions(head, asked);
    asked.by.asked = describe_access(asked, head, {"10.1.2.3", false, 1'796'000'000'000, "us-east-1"});
    const bool copies = asked.operation->copies;
    const auto refused = decide_access(asked, found, copies ? source_name{"other", "from"} : source_name{});
    return refused ? std::string{refused->code} : "";
  }
};

} // namespace cairn::net::access_scene
