// A command is authorized again where it is applied: each command, and each way in which its authorization may end.
#include "storage/metadata/commands/authority.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

#include <algorithm>
#include <functional>

namespace cairn::storage::metadata::authority_test {
constexpr std::uint64_t mib = 1 << 20;

class authorities : public store_test {
protected:
  void SetUp() override {
    store_test::SetUp();
    run(create_bucket{.name = "source", .now = 1});
    run(create_key{.stamp = stamp(), .id = "CK1", .secret = "s", .now = 1, .creates_buckets = true});
    allow("files", rights::read | rights::write);
    allow("source", rights::read);
    run(small("there"));
    auto original = big("original", new_blob());
    original.bucket = "source";
    run(original);
    for (auto* upload : {&to_fill, &to_complete, &to_abort}) *upload = begun("upload");
    run(part(to_complete));
  }

  void allow(const std::string& bucket, std::uint8_t allowed, std::uint8_t denied = 0) {
    run(change_key{.stamp = stamp(), .id = "CK1", .bucket = bucket, .allowed = allowed, .denied = denied});
  }
  void open_to_all(bool open) {
    set_bucket change{.stamp = stamp(), .name = "files", .public_read = true};
    change.public_write = open;
    run(change);
  }
  bucket_id id_of_bucket(const std::string& name) { return read()->bucket(name)->id; }
  authority by_key() { return {allowed_by::key, "CK1", rights::write, id_of_bucket("files"), id_of_bucket("source")}; }
  authority by_anybody() { return {allowed_by::anybody, "", 0, id_of_bucket("files"), 0}; }

  upload_name begun(const std::string& key, authority by = {}) {
    begin_upload c{.stamp = stamp(), .bucket = "files", .key = key, .now = 5, .nonce = 99};
    c.by = std::move(by);
    return {.bucket = "files", .key = key, .id = run(c).version, .nonce = 99};
  }
  put_part part(const upload_name& to) {
    put_part c{.stamp = stamp(), .upload = to, .now = 6, .size = 5 * mib, .digest = {1}};
    c.content = written_blob{.blob = new_blob(), .length = c.size, .chunk_size = chunk_size};
    return c;
  }

  // One of each command that a client may cause in a bucket, all of which can be done.
  std::vector<command> all(const authority& by) {
    const auto row = read()->object("source", "original").value();
    const object_version original{"source", "original", row.version, row.ordinal};
    complete_upload completion{.stamp = stamp(), .upload = to_complete, .now = 7, .parts = {{1, {1}}}};
    completion.etag = {.digest = {7}, .parts = 1};
    set_extras tags{.stamp = stamp(), .bucket = "files", .key = "there"};
    tags.tags.emplace().emplace_back("k", "v");
    set_bucket settings{.stamp = stamp(), .name = "files"};
    settings.cors.emplace();
    std::vector<command> commands{
        small("small"),
        big("big", new_blob()),
        begin_upload{.stamp = stamp(), .bucket = "files", .key = "begun", .now = 5},
        part(to_fill),
        copy_part{.stamp = stamp(), .upload = to_fill, .number = 2, .source = original, .length = 7},
        completion,
        abort_upload{.stamp = stamp(), .upload = to_abort},
        copy_object{.stamp = stamp(), .source = original, .bucket = "files", .key = "copy"},
        tags,
        settings,
        removal("there"),
        delete_bucket{.name = "files", .stamp = stamp()}};
    for (command& c : commands)
      std::visit(
          [&by](auto& one) {
            if constexpr (requires { one.by; }) one.by = by;
          },
          c);
    return commands;
  }
  // What clients see; outcomes, sessions and what is buried change with refusals, too.
  table_rows visible() {
    auto found = dump(*engine);
    std::erase_if(found, [](const auto& row) {
      static const std::array shown{id_of(table::buckets), id_of(table::current),      id_of(table::names),
                                    id_of(table::uploads), id_of(table::upload_names), id_of(table::manifests)};
      return std::ranges::find(shown, row.first.first) == shown.end();
    });
    return found;
  }
  // Commands get their stamps when they are committed.
  command stamped(command c) {
    std::visit(
        [this](auto& one) {
          if constexpr (requires { one.stamp; }) one.stamp = stamp();
        },
        c);
    return c;
  }
  void expect_all_refused(const std::vector<command>& commands, errc why) {
    const auto before = visible();
    for (const command& held : commands) {
      const command c = stamped(held);
      EXPECT_EQ(refused(c), why) << c.index();
      EXPECT_EQ(visible(), before) << c.index();
    }
  }
  void expect_all_done(const std::vector<command>& commands) {
    for (const command& held : commands) {
      const command c = stamped(held);
      const bool of_bucket = std::holds_alternative<delete_bucket>(c); // is judged, and not empty
      EXPECT_EQ(refused(c), of_bucket ? std::optional{errc::bucket_not_empty} : std::nullopt) << c.index();
    }
  }

  upload_name to_fill, to_complete, to_abort;
};

TEST_F(authorities, that_are_valid_permit_every_command) {
  expect_all_done(all(by_key()));
}

TEST_F(authorities, of_configuration_and_of_the_cluster_are_not_checked_again) {
  expect_all_done(all({.by = allowed_by::configuration}));
}

TEST_F(authorities, end_when_their_key_is_deleted) {
  const auto held = all(by_key());
  run(delete_key{.stamp = stamp(), .id = "CK1"});
  expect_all_refused(held, errc::no_such_access_key);
}

TEST_F(authorities, end_when_their_right_is_revoked) {
  const auto held = all(by_key());
  allow("files", rights::owner, rights::write); // another right is none
  expect_all_refused(held, errc::access_denied);
}

TEST_F(authorities, need_all_the_rights_that_they_name) {
  auto by = by_key();
  by.rights = rights::write | rights::owner;
  expect_all_refused(all(by), errc::access_denied);
  allow("files", rights::owner);
  expect_all_done(all(by));
}

TEST_F(authorities, are_of_one_bucket_and_not_of_its_name) {
  const auto held = all(by_key()), held_longer = all(by_key());
  auto of_configuration = all({.by = allowed_by::configuration, .bucket = id_of_bucket("files")});
  auto of_the_cluster = all({.bucket = id_of_bucket("files")});
  for (const auto& upload : {to_fill, to_complete, to_abort}) run(abort_upload{.stamp = stamp(), .upload = upload});
  run(removal("there"));
  run(delete_bucket{.name = "files"});
  expect_all_refused(held, errc::no_such_bucket);
  run(create_bucket{.name = "files", .now = 9, .owner = "CK1"}); // even though it is its own, too
  run(small("there"));
  expect_all_refused(held_longer, errc::no_such_bucket);
  expect_all_refused(of_configuration, errc::no_such_bucket);
  expect_all_refused(of_the_cluster, errc::no_such_bucket);
}

TEST_F(authorities, of_anybody_end_when_the_bucket_is_closed) {
  open_to_all(true);
  for (auto* upload : {&to_fill, &to_complete, &to_abort}) *upload = begun("anybodys", by_anybody());
  run(part(to_complete));
  auto held = all(by_anybody());
  std::erase_if(held, [](const command& c) { // what anybody may never do
    return std::holds_alternative<copy_object>(c) || std::holds_alternative<copy_part>(c);
  });
  open_to_all(false);
  expect_all_refused(held, errc::access_denied);
}

TEST_F(authorities, of_anybody_hold_while_the_bucket_is_open) {
  open_to_all(true);
  for (auto* upload : {&to_fill, &to_complete, &to_abort}) *upload = begun("anybodys", by_anybody());
  run(part(to_complete));
  auto held = all(by_anybody());
  std::erase_if(held, [](const command& c) {
    return std::holds_alternative<copy_object>(c) || std::holds_alternative<copy_part>(c);
  });
  expect_all_done(held);
}

TEST_F(authorities, of_anybody_who_signed_end_when_the_key_is_deleted) {
  open_to_all(true);
  auto by = by_anybody();
  by.key = "CK1";
  auto held = small("k");
  held.by = by;
  run(delete_key{.stamp = stamp(), .id = "CK1"});
  EXPECT_EQ(refused(stamped(held)), errc::no_such_access_key);
}

TEST_F(authorities, of_anybody_do_not_reach_into_uploads_of_others) {
  open_to_all(true);
  const auto before = visible();
  for (const command& c : all(by_anybody())) {
    const bool of_upload = std::holds_alternative<put_part>(c) || std::holds_alternative<complete_upload>(c) ||
                           std::holds_alternative<abort_upload>(c);
    if (!of_upload) continue;
    EXPECT_EQ(refused(stamped(c)), errc::access_denied) << c.index();
    EXPECT_EQ(visible(), before);
  }
}

TEST_F(authorities, of_copies_need_their_source_to_the_end) {
  const auto copies = [this] {
    auto commands = all(by_key());
    std::erase_if(commands, [](const command& c) {
      return !std::holds_alternative<copy_object>(c) && !std::holds_alternative<copy_part>(c);
    });
    EXPECT_EQ(commands.size(), 2u);
    return commands;
  };
  auto held = copies();
  allow("source", 0, rights::read);
  expect_all_refused(held, errc::access_denied);
  set_bucket open{.stamp = stamp(), .name = "source", .public_read = true};
  run(open); // its objects with it
  for (const command& c : copies()) EXPECT_EQ(refused(stamped(c)), std::nullopt);

  held = copies();
  auto gone = removal("original");
  gone.bucket = "source";
  run(gone);
  run(delete_bucket{.name = "source"});
  run(create_bucket{.name = "source", .now = 9, .owner = "CK1"});
  expect_all_refused(held, errc::no_such_bucket);
}

// Inline bytes of a source are written again as a part.
TEST_F(authorities, of_parts_that_were_copied_byte_by_byte_need_their_source_to_the_end) {
  auto original = small("original");
  original.bucket = "source";
  run(original);
  const auto copy = [this] {
    auto c = part(to_fill);
    const auto row = read()->object("source", "original").value();
    c.source = object_version{"source", "original", row.version, row.ordinal};
    c.by = by_key();
    return c;
  };
  EXPECT_EQ(refused(stamped(copy())), std::nullopt);

  auto held = copy();
  allow("source", 0, rights::read);
  EXPECT_EQ(refused(stamped(held)), errc::access_denied);
  EXPECT_EQ(std::ranges::count(buried(), std::get<written_blob>(held.content).blob, &buried_blob::blob), 1);
  allow("source", rights::read);

  held = copy();
  original.stamp = stamp();
  run(original);
  EXPECT_EQ(refused(stamped(held)), errc::stale_source);

  held = copy();
  auto gone = removal("original");
  gone.bucket = "source";
  run(gone);
  EXPECT_EQ(refused(stamped(held)), errc::no_such_key);
  run(delete_bucket{.name = "source"});
  run(create_bucket{.name = "source", .now = 9, .owner = "CK1"});
  held.content = part(to_fill).content;
  EXPECT_EQ(refused(stamped(held)), errc::no_such_bucket);
}

TEST_F(authorities, to_make_buckets_end_with_the_key_and_its_right) {
  create_bucket c{.name = "fresh", .now = 1, .owner = "CK1"};
  c.stamp = stamp();
  c.by = {allowed_by::key, "CK1"};
  EXPECT_FALSE(run(c).refused);
  const auto again = [&](const std::string& name) {
    c.name = name;
    c.stamp = stamp();
    return refused(c);
  };
  run(change_key{.stamp = stamp(), .id = "CK1", .creates_buckets = false});
  EXPECT_EQ(again("other"), errc::access_denied);
  run(delete_key{.stamp = stamp(), .id = "CK1"});
  c.owner.clear();
  EXPECT_EQ(again("other"), errc::no_such_access_key);
  EXPECT_EQ(read()->bucket("other").error(), errc::no_such_bucket);
}

TEST_F(authorities, do_not_change_the_answer_to_a_retry) {
  auto put = small("k");
  put.by = by_key();
  const auto first = run(put);
  auto not_acknowledged = stamp();
  not_acknowledged.acknowledged_below = put.stamp.sequence;
  run(delete_key{.stamp = not_acknowledged, .id = "CK1"});
  const auto second = run(put);
  EXPECT_FALSE(second.refused);
  EXPECT_EQ(second.version, first.version);
}

TEST_F(authorities, that_lapsed_bury_the_blob) {
  auto put = big("k", new_blob());
  put.by = by_key();
  run(delete_key{.stamp = stamp(), .id = "CK1"});
  put.stamp = stamp();
  EXPECT_EQ(refused(put), errc::no_such_access_key);
  ASSERT_EQ(buried().size(), 1u);
  EXPECT_EQ(buried()[0].blob, std::get<written_blob>(put.content).blob);
}

TEST_F(authorities, see_changes_of_keys_within_one_batch) {
  auto before = small("before"), after = small("after");
  before.by = after.by = by_key();
  const command batch[] = {stamped(before), delete_key{.stamp = stamp(), .id = "CK1"}, stamped(after)};
  const auto results = s->apply(batch).value().results;
  EXPECT_FALSE(results[0].refused);
  ASSERT_TRUE(results[2].refused);
  EXPECT_EQ(*results[2].refused, errc::no_such_access_key);
}

TEST_F(authorities, mark_uploads_that_anybody_began) {
  open_to_all(true);
  const auto mine = begun("k"), anybodys = begun("k", by_anybody());
  EXPECT_FALSE(read()->upload(mine)->by_anybody);
  EXPECT_TRUE(read()->upload(anybodys)->by_anybody);
}

TEST(authority, of_commands_is_of_level_8) {
  const authority by{allowed_by::key, "CK1", rights::write, 300, 7};
  put_object put{.stamp = {.session = 1, .sequence = 2}, .bucket = "b", .key = "k", .content = std::string{}};
  EXPECT_EQ(level_of(put), 1);
  put.by = by;
  EXPECT_EQ(level_of(put), 8);
  const auto again = decode_command(encode(put));
  ASSERT_TRUE(again);
  EXPECT_EQ(std::get<put_object>(*again).by, by);
  put.by = {.bucket = 7}; // a command of the cluster itself that means one bucket
  EXPECT_EQ(level_of(put), 8);
}

TEST(authority, does_not_decode_what_it_would_not_write) {
  delete_bucket removal{.name = "bucket"};
  removal.by = {allowed_by::anybody, "", 0, 1, 0};
  std::string bytes = encode(removal); // level kind by key rights bucket source
  ASSERT_TRUE(decode_command(bytes));
  bytes[2] = 4;
  EXPECT_EQ(decode_command(bytes).error(), errc::corrupt);
  bytes[2] = 3;
  bytes[4] = 8;
  EXPECT_EQ(decode_command(bytes).error(), errc::corrupt);
  const std::string of_no_client{"\x08\x01\x01\x00\x00\x00\x00\x01\x05", 9}; // end_session
  EXPECT_EQ(decode_command(of_no_client).error(), errc::corrupt);
}

} // namespace cairn::storage::metadata::authority_test
