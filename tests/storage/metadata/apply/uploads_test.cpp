// Multipart uploads, copies, tags and settings of buckets in the state machine.
#include "storage/metadata/rows/upload_rows.hpp"
#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::uploads_test {
constexpr std::uint64_t mib = 1 << 20;

class uploads : public store_test {
protected:
  upload_name begun(const std::string& key) {
    begin_upload c{.stamp = stamp(), .bucket = "files", .key = key, .now = 5, .nonce = 99};
    c.headers.content_type = "a/b";
    c.extras.tags = {{"t", "1"}};
    const auto answer = run(c);
    EXPECT_FALSE(answer.refused);
    return {.bucket = "files", .key = key, .id = answer.version, .nonce = 99};
  }
  put_part part(const upload_name& to, std::uint32_t number, std::uint64_t size = 5 * mib, std::uint8_t digest = 1) {
    put_part c{.stamp = stamp(), .upload = to, .number = number, .now = 6, .size = size, .digest = {digest}};
    if (size > 0) c.content = written_blob{.blob = new_blob(), .length = size, .chunk_size = chunk_size};
    return c;
  }
  complete_upload completion(const upload_name& of, const std::vector<std::uint32_t>& numbers) {
    complete_upload c{.stamp = stamp(), .upload = of, .now = 7};
    for (const auto number : numbers) c.parts.push_back({number, {1}});
    c.etag = {.digest = {7}, .parts = std::uint32_t(numbers.size())};
    return c;
  }
  std::vector<uploaded_part> parts_of(const upload_name& n, std::uint32_t after = 0, std::size_t max = 100) {
    return read()->upload_parts(n.id, after, max).value();
  }
  object_version version_of(const std::string& key) {
    const auto row = object(key);
    return {"files", key, row.version, row.ordinal};
  }
  void free_all() {
    while (run(free_manifests{.parts_max = 2}).more > 0) continue;
  }
};

TEST_F(uploads, become_an_object_whose_parts_are_blobs_of_their_own) {
  const auto u = begun("big");
  EXPECT_FALSE(exists("big"));
  EXPECT_EQ(refused(part(u, 3, 7)), std::nullopt);
  EXPECT_EQ(refused(part(u, 1)), std::nullopt);
  EXPECT_EQ(refused(part(u, 2, 6 * mib)), std::nullopt);
  ASSERT_EQ(parts_of(u).size(), 3u);
  EXPECT_EQ(parts_of(u, 1, 1).at(0).number, 2u);
  EXPECT_EQ(read()->upload(u)->headers.content_type, "a/b");

  auto c = completion(u, {1, 2, 3});
  c.checksums = {{"x-amz-checksum-crc32", "abc-3"}};
  EXPECT_EQ(refused(c), std::nullopt);
  const auto row = object("big");
  EXPECT_EQ(row.size, 11 * mib + 7);
  EXPECT_EQ(to_string(row.etag).substr(32), "-3");
  EXPECT_EQ(row.headers.standard.at(0).second, "abc-3");
  EXPECT_EQ(row.extras.tags.at(0).first, "t");
  const auto covering = read()->parts(row.manifest, 5 * mib, 10).value();
  ASSERT_EQ(covering.size(), 2u);
  EXPECT_EQ(covering[1].object_offset, 11 * mib);
  const auto second = read()->object_parts(row.manifest, 1, 1).value();
  EXPECT_EQ(second.at(0).offset, 5 * mib);
  EXPECT_EQ(second.at(0).length, 6 * mib);

  EXPECT_EQ(rows(table::uploads), 0u);
  EXPECT_EQ(rows(table::upload_names), 0u);
  EXPECT_EQ(refused(part(u, 1)), errc::no_such_upload);
  EXPECT_EQ(refused(completion(u, {1})), errc::no_such_upload);
  EXPECT_EQ(buried().size(), 1u); // of the late part

  EXPECT_EQ(refused(removal("big")), std::nullopt);
  free_all();
  EXPECT_EQ(buried().size(), 4u);
  EXPECT_EQ(rows(table::manifests), 0u);
}

TEST_F(uploads, leave_the_checksums_of_their_parts_to_the_object) {
  const auto u = begun("big");
  for (std::uint32_t number = 1; number < 3; ++number) {
    auto c = part(u, number);
    c.checksum_name = "crc32";
    c.checksum = "part" + std::to_string(number);
    run(c);
  }
  auto c = completion(u, {1, 2});
  c.part_checksums = true;
  EXPECT_EQ(refused(c), std::nullopt);
  const auto parts = read()->object_parts(object("big").manifest, 0, 10).value();
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].checksum, "part1");
  EXPECT_EQ(parts[1].checksum, "part2");
}

TEST_F(uploads, complete_only_with_parts_that_are_there_in_order_and_large_enough) {
  const auto u = begun("big");
  run(part(u, 1));
  run(part(u, 2, mib));
  run(part(u, 3));
  EXPECT_EQ(refused(completion(u, {1, 4})), errc::invalid_part);
  EXPECT_EQ(refused(completion(u, {3, 1})), errc::invalid_part_order);
  EXPECT_EQ(refused(completion(u, {1, 1})), errc::invalid_part_order);
  EXPECT_EQ(refused(completion(u, {1, 2, 3})), errc::part_too_small);
  EXPECT_EQ(refused(completion(u, {})), errc::invalid_argument);
  auto other = completion(u, {1});
  other.parts[0].digest = {2};
  EXPECT_EQ(refused(other), errc::invalid_part);
  run(small("big"));
  auto fresh_only = completion(u, {1, 3});
  fresh_only.condition.if_absent = true;
  EXPECT_EQ(refused(fresh_only), errc::precondition_failed);
  ASSERT_EQ(parts_of(u).size(), 3u); // nothing of that touched the upload
  EXPECT_EQ(refused(completion(u, {1, 3})), std::nullopt);
  EXPECT_EQ(object("big").size, 10 * mib);
  EXPECT_EQ(rows(table::inline_data), 0u);
  free_all();
  EXPECT_EQ(buried().size(), 1u); // of the part that was not chosen
  EXPECT_EQ(rows(table::uploads), 0u);
}

TEST_F(uploads, bury_replaced_and_aborted_parts) {
  const auto u = begun("big");
  const auto first = part(u, 1);
  run(first);
  run(part(u, 1, 9));
  ASSERT_EQ(buried().size(), 1u);
  EXPECT_EQ(buried()[0].blob, std::get<written_blob>(first.content).blob);
  EXPECT_EQ(refused(first), errc::invalid_argument); // out of some queue
  EXPECT_EQ(parts_of(u).at(0).length, 9u);
  for (std::uint32_t number = 2; number < 6; ++number) run(part(u, number));
  EXPECT_EQ(refused(delete_bucket{"files"}), errc::bucket_not_empty);
  EXPECT_EQ(refused(abort_upload{.stamp = stamp(), .upload = u}), std::nullopt);
  EXPECT_EQ(refused(abort_upload{.stamp = stamp(), .upload = u}), errc::no_such_upload);
  EXPECT_EQ(run(free_manifests{.parts_max = 2}).more, 1u);
  free_all();
  EXPECT_EQ(buried().size(), 6u);
  EXPECT_EQ(rows(table::uploads), 0u);
  EXPECT_EQ(refused(delete_bucket{"files"}), std::nullopt);
}

TEST_F(uploads, have_up_to_10000_parts_and_5_tib) {
  const auto u = begun("huge");
  complete_upload c = completion(u, {});
  std::vector<command> batch;
  constexpr std::uint64_t part_bytes = (5ull << 40) / part_number_max;
  for (std::uint32_t number = 1; number <= part_number_max; ++number) {
    batch.push_back(part(u, number, part_bytes));
    c.parts.push_back({number, {1}});
  }
  ASSERT_TRUE(s->apply(batch));
  c.stamp = stamp();
  c.etag.parts = part_number_max;
  ASSERT_EQ(refused(c), std::nullopt);
  const auto row = object("huge");
  EXPECT_EQ(row.size, part_bytes * part_number_max);
  EXPECT_EQ(read()->parts(row.manifest, part_bytes * 9'999 + 5, 10)->at(0).number, 10'000u);
  EXPECT_EQ(read()->object_parts(row.manifest, 7'776, 1)->at(0).offset, part_bytes * 7'776);
  run(removal("huge"));
  EXPECT_EQ(run(free_manifests{.parts_max = 1000}).more, 1u);
  while (run(free_manifests{.parts_max = 1000}).more > 0) continue;
  EXPECT_EQ(rows(table::buried), part_number_max);
  EXPECT_EQ(rows(table::manifests), 0u);
}

TEST_F(uploads, belong_to_one_object) {
  const auto u = begun("a");
  for (const auto& wrong : {upload_name{"files", "b", u.id, u.nonce}, upload_name{"files", "a", u.id + 1, u.nonce},
                            upload_name{"files", "a", u.id, 1}}) {
    EXPECT_EQ(refused(part(wrong, 1)), errc::no_such_upload);
    EXPECT_EQ(read()->upload(wrong).error(), errc::no_such_upload);
  }
  EXPECT_EQ(refused(part(u, 0)), errc::invalid_argument);
  EXPECT_EQ(refused(part(u, 10'001)), errc::invalid_argument);
  auto stolen = part(u, 1);
  std::get<written_blob>(stolen.content).blob.session = session + 1;
  EXPECT_EQ(refused(stolen), errc::invalid_argument);
}

TEST_F(uploads, of_one_empty_part_are_an_empty_object) {
  const auto u = begun("empty");
  EXPECT_EQ(refused(part(u, 1, 0)), std::nullopt);
  EXPECT_EQ(refused(completion(u, {1})), std::nullopt);
  EXPECT_EQ(object("empty").size, 0u);
  EXPECT_EQ(read()->inline_bytes(object("empty")).value(), "");
  EXPECT_EQ(to_string(object("empty").etag).substr(32), "-1");
}

TEST_F(uploads, leave_their_id_to_the_object) {
  for (const std::uint64_t size : {5 * mib, std::uint64_t{0}}) {
    const auto u = begun("k");
    run(part(u, 1, size));
    EXPECT_EQ(refused(completion(u, {1})), std::nullopt);
    EXPECT_EQ(object("k").origin, (upload_origin{u.id, u.nonce}));
    EXPECT_EQ(refused(completion(u, {1})), errc::no_such_upload);
    EXPECT_EQ(refused(set_extras{.stamp = stamp(), .bucket = "files", .key = "k", .tags = {{{"k", "v"}}}}),
              std::nullopt);
    EXPECT_EQ(object("k").origin, (upload_origin{u.id, u.nonce})) << "tags make no other version";
    EXPECT_EQ(
        refused(copy_object{.stamp = stamp(), .source = version_of("k"), .bucket = "files", .key = "copy", .now = 9}),
        std::nullopt);
    EXPECT_EQ(object("copy").origin, upload_origin{});
  }
  run(small("k"));
  EXPECT_EQ(object("k").origin, std::nullopt);
}

TEST_F(uploads, leave_their_id_when_all_members_of_the_cluster_can_read_it) {
  run(create_cluster{.id = {9}, .name = "cluster", .now = 1, .first = {.id = {1}, .address = "node:1"}});
  const auto completed = [&] {
    const auto u = begun("k");
    run(part(u, 1, 0));
    EXPECT_EQ(refused(completion(u, {1})), std::nullopt);
    EXPECT_EQ(
        refused(copy_object{.stamp = stamp(), .source = version_of("k"), .bucket = "files", .key = "copy", .now = 9}),
        std::nullopt);
    return u;
  };
  for (const int level : {0, feature_level_of_upload_origins - 1}) {
    if (level != 0) run(raise_feature_level{static_cast<std::uint8_t>(level)});
    completed();
    EXPECT_EQ(object("k").origin, std::nullopt) << level;
    EXPECT_EQ(object("copy").origin, std::nullopt) << level;
  }
  run(raise_feature_level{feature_level_of_upload_origins});
  const auto u = completed();
  EXPECT_EQ(object("k").origin, (upload_origin{u.id, u.nonce}));
  EXPECT_EQ(object("copy").origin, upload_origin{});
}

TEST_F(uploads, keep_repairs_of_parts_until_they_are_confirmed_or_the_part_is_deleted) {
  run(create_cluster{.id = {9}, .name = "c", .now = 1, .first = {.id = {1}, .address = "node:1"}});
  run(add_node{.node = {.id = {2}, .address = "other:1"}});
  const auto u = begun("big");
  auto lacking = part(u, 1);
  std::get<written_blob>(lacking.content).unconfirmed = {{1, 0, 2}};
  run(lacking);
  EXPECT_EQ(read()->repairs_waiting(), 1u);
  run(part(u, 1));
  run(reap{.blobs = buried()});
  EXPECT_EQ(read()->repairs_waiting(), 0u);
  lacking = part(u, 1);
  std::get<written_blob>(lacking.content).unconfirmed = {{0, 0, 2}};
  EXPECT_EQ(refused(lacking), errc::no_quorum) << "nobody could read it";
}

TEST_F(uploads, are_listed_by_key_and_beginning) {
  std::vector<upload_name> all{begun("a/1"), begun("a/1"), begun("a/2"), begun("b"), begun(std::string(900, 'c'))};
  auto page = read()->uploads({.bucket = "files"}).value();
  ASSERT_EQ(page.uploads.size(), 5u);
  EXPECT_EQ(page.uploads[1].id, all[1].id);
  EXPECT_EQ(page.uploads[4].key, all[4].key);
  EXPECT_FALSE(page.truncated);
  // Every page size walks the same uploads.
  for (std::uint32_t size = 1; size < 4; ++size) {
    uploads_query query{.bucket = "files", .uploads_max = size};
    std::vector<upload_id> seen;
    do {
      page = read()->uploads(query).value();
      for (const auto& u : page.uploads) seen.push_back(u.id);
      query.key_marker = page.next_key_marker;
      query.upload_marker = page.next_upload_marker;
    } while (page.truncated && seen.size() < 10);
    ASSERT_EQ(seen.size(), 5u) << size;
    for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], all[i].id);
  }
  page = read()->uploads({.bucket = "files", .delimiter = "/"}).value();
  EXPECT_EQ(page.common_prefixes, std::vector<std::string>{"a/"});
  EXPECT_EQ(page.uploads.size(), 2u);
  page = read()->uploads({.bucket = "files", .delimiter = "/", .key_marker = "a/"}).value();
  EXPECT_TRUE(page.common_prefixes.empty());
  EXPECT_EQ(read()->uploads({.bucket = "files", .prefix = "a/", .key_marker = "a/1"})->uploads.size(), 1u);
  EXPECT_EQ(read()->uploads({.bucket = "other"}).error(), errc::no_such_bucket);
}

TEST_F(uploads, take_parts_from_objects_without_moving_bytes) {
  run(big("source", new_blob(), 20 * mib));
  const auto u = begun("copy");
  copy_part c{.upload = u, .source = version_of("source"), .offset = mib, .length = 6 * mib, .digest = {1}};
  for (const std::uint32_t number : {1, 2}) {
    c.stamp = stamp();
    c.number = number;
    c.checksum_name = c.checksum = number == 1 ? "" : "some";
    EXPECT_EQ(refused(c), std::nullopt);
  }
  EXPECT_EQ(parts_of(u).at(0).checksum, "");
  EXPECT_EQ(parts_of(u).at(1).checksum, "some");
  EXPECT_EQ(refused(removal("source")), std::nullopt);
  EXPECT_EQ(buried().size(), 0u);
  EXPECT_EQ(refused(completion(u, {1, 2})), std::nullopt);
  const auto pieces = read()->parts(object("copy").manifest, 0, 10).value();
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[1].blob_offset, mib);
  EXPECT_EQ(pieces[1].object_offset, 6 * mib);

  // A range over several parts, of an object made of parts.
  const auto again = begun("again");
  c = {.stamp = stamp(), .upload = again, .source = version_of("copy"), .offset = 5 * mib, .length = 7 * mib};
  EXPECT_EQ(refused(c), std::nullopt);
  EXPECT_EQ(parts_of(again).at(0).pieces.size(), 2u);
  c.stamp = stamp();
  c.length = 8 * mib;
  EXPECT_EQ(refused(c), errc::invalid_argument);
  c.stamp = stamp();
  ++c.source.version;
  EXPECT_EQ(refused(c), errc::stale_source);
  run(abort_upload{.stamp = stamp(), .upload = again});
  free_all();
  EXPECT_EQ(buried().size(), 0u);
  run(removal("copy"));
  free_all();
  EXPECT_EQ(buried().size(), 1u);
}

TEST_F(uploads, copies_share_the_manifest_until_the_last_goes) {
  run(big("a", new_blob()));
  run(small("s", "text"));
  for (const std::string from : {"a", "s"})
    EXPECT_EQ(refused(copy_object{
                  .stamp = stamp(), .source = version_of(from), .bucket = "files", .key = "copy-of-" + from, .now = 9}),
              std::nullopt);
  EXPECT_EQ(object("copy-of-a").manifest, object("a").manifest);
  EXPECT_EQ(object("copy-of-a").modified, 9);
  EXPECT_EQ(read()->inline_bytes(object("copy-of-s")).value(), "text");
  run(removal("a"));
  run(removal("s"));
  EXPECT_EQ(buried().size(), 0u);
  EXPECT_EQ(read()->inline_bytes(object("copy-of-s")).value(), "text");
  run(removal("copy-of-a"));
  EXPECT_EQ(buried().size(), 1u);
}

TEST_F(uploads, copies_to_itself_replace_headers_and_keep_bytes_and_checksums) {
  auto put = big("a", new_blob());
  put.headers.standard = {{"cache-control", "x"}, {"x-amz-checksum-crc32", "c"}};
  run(put);
  run(small("s", "text"));
  for (const std::string key : {"a", "s"}) {
    copy_object c{.stamp = stamp(), .source = version_of(key), .bucket = "files", .key = key, .now = 9};
    c.headers.emplace().content_type = "new/type";
    c.extras.emplace().tags = {{"k", "v"}};
    EXPECT_EQ(refused(c), std::nullopt);
    EXPECT_EQ(object(key).headers.content_type, "new/type");
    EXPECT_EQ(object(key).extras.tags.size(), 1u);
  }
  const auto kept = object("a").headers.standard;
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].first, "x-amz-checksum-crc32");
  EXPECT_EQ(read()->inline_bytes(object("s")).value(), "text");
  EXPECT_EQ(rows(table::inline_data), 1u);
  EXPECT_EQ(buried().size(), 0u);
  copy_object conditional{.stamp = stamp(), .source = version_of("a"), .bucket = "files", .key = "s", .now = 9};
  conditional.condition.if_absent = true;
  EXPECT_EQ(refused(conditional), errc::precondition_failed);
}

TEST_F(uploads, tags_and_settings_change_nothing_else) {
  run(big("a", new_blob()));
  const auto before = object("a");
  set_extras c{.stamp = stamp(), .bucket = "files", .key = "a"};
  c.tags = {{{"k", "v"}}};
  EXPECT_EQ(refused(c), std::nullopt);
  c = {.stamp = stamp(), .bucket = "files", .key = "a", .public_read = true};
  EXPECT_EQ(refused(c), std::nullopt);
  EXPECT_EQ(object("a").extras.tags.size(), 1u);
  EXPECT_TRUE(object("a").extras.public_read);
  EXPECT_EQ(object("a").modified, before.modified);
  EXPECT_EQ(object("a").version, before.version);
  c = {.stamp = stamp(), .bucket = "files", .key = "missing"};
  EXPECT_EQ(refused(c), errc::no_such_key);

  set_bucket b{.stamp = stamp(), .name = "files", .public_read = true};
  b.cors = {{.id = "1", .origins = {"*"}, .methods = {"GET"}, .max_age_seconds = 5}};
  EXPECT_EQ(refused(b), std::nullopt);
  const auto row = read()->bucket("files").value();
  EXPECT_TRUE(row.public_read);
  EXPECT_EQ(row.cors, *b.cors);
}

TEST(upload_rows, come_back_as_they_were_encoded_and_refuse_what_is_not_whole) {
  upload_row row{.id = 300, .nonce = 2, .bucket = 3, .key = "k", .begun = 4, .checksum = "crc32"};
  row.type = checksum_type::full_object;
  row.extras.tags = {{"a", "b"}};
  uploaded_part part{.number = 9, .length = 7, .digest = {1}, .modified = 3, .checksum_name = "sha1", .checksum = "x"};
  part.pieces = {{.blob = {1, 2}, .blob_offset = 3, .length = 4, .chunk_size = 5},
                 {.blob = {1, 3}, .length = 3, .chunk_size = 5}};
  const auto one = encode(row), two = encode(part);
  EXPECT_EQ(encode(decode_upload(one).value()), one);
  EXPECT_EQ(encode(decode_uploaded_part(two).value()), two);
  for (std::size_t n = 0; n < one.size(); ++n) EXPECT_EQ(decode_upload(one.substr(0, n)).error(), errc::corrupt);
  for (std::size_t n = 0; n < two.size(); ++n) EXPECT_EQ(decode_uploaded_part(two.substr(0, n)).error(), errc::corrupt);
  EXPECT_EQ(decode_upload("\x05").error(), errc::unsupported);
  EXPECT_EQ(decode_uploaded_part("\x02").error(), errc::unsupported);
  part.length = 8; // not the sum of its pieces
  EXPECT_EQ(decode_uploaded_part(encode(part)).error(), errc::corrupt);
}

} // namespace cairn::storage::metadata::uploads_test
