// Object lock where commands are applied: every path that could remove, replace or unlock a protected version, on a
// standalone node, whose commands carry its clock, and in a cluster, where the lock time counts and nothing else.
#include "storage/metadata/commands/authority.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::locks_test {
using policy::action;
constexpr wall_ms day = 24 * 3600 * 1000, now = 1'000 * day, later = now + 10 * day;
constexpr auto governance = retention_mode::governance, compliance = retention_mode::compliance;

class locks : public store_test {
protected:
  void SetUp() override {
    store_test::SetUp();
    run(create_bucket{.name = "locked", .now = now, .stamp = stamp(), .settings = {.lock = true}});
    run(create_key{.stamp = stamp(), .id = "CK1", .secret = "s", .now = 1});
  }
  void found_cluster() {
    run(create_cluster{.id = {9}, .name = "cluster", .now = now, .first = {.id = {1}, .address = "node:1"}});
    run(raise_feature_level{feature_level});
  }
  void allow(std::uint8_t allowed) {
    run(change_key{.stamp = stamp(), .id = "CK1", .bucket = "locked", .allowed = allowed});
  }
  put_object locked(const std::string& key, const object_lock& lock, const std::string& bytes = "bytes") {
    auto c = small(key, bytes);
    c.bucket = "locked";
    c.now = now;
    c.extras.lock = lock;
    return c;
  }
  version_id put(const std::string& key, const object_lock& lock = {}, const std::string& bytes = "bytes") {
    return *version_outcome_of(run(locked(key, lock, bytes))).id;
  }
  static authority by_key(std::vector<action> actions) {
    asked_access asked{.actions = std::move(actions)};
    asked.with.kind = policy::sender::key;
    return {allowed_by::policy, "CK1", 0, 0, 0, std::make_shared<const asked_access>(std::move(asked))};
  }
  static authority by_root(std::vector<action> actions) {
    asked_access asked{.actions = std::move(actions)};
    asked.with.kind = policy::sender::account;
    return {allowed_by::configuration, "", 0, 0, 0, std::make_shared<const asked_access>(std::move(asked))};
  }
  delete_object erasure(const std::string& key, const version_id& id, wall_ms at = now) {
    delete_object c{.stamp = stamp(), .bucket = "locked", .key = key, .now = at};
    c.version = id;
    return c;
  }
  std::optional<errc> erase(const std::string& key, const version_id& id, wall_ms at = now) {
    return refused(erasure(key, id, at));
  }
  std::optional<errc> bypass(const std::string& key, const version_id& id, const authority& by) {
    auto c = erasure(key, id);
    c.bypasses_governance = true;
    c.by = by;
    return refused(c);
  }
  set_object_lock change(const std::string& key, const version_id& id, std::optional<retention> retained,
                         wall_ms at = now) {
    set_object_lock c{.stamp = stamp(), .bucket = "locked", .key = key, .now = at};
    c.version = id;
    c.retained = retained;
    return c;
  }
  std::optional<errc> hold(const std::string& key, const version_id& id, legal_hold wanted) {
    auto c = change(key, id, {});
    c.hold = wanted;
    return refused(c);
  }
  std::optional<errc> set_default(retention_mode mode, period_unit unit, std::uint32_t length) {
    return refused(set_bucket_lock{.stamp = stamp(), .name = "locked", .lock = {true, mode, unit, length}});
  }
  result<object_row> row(const std::string& key, const version_id& id) { return read()->object("locked", key, id); }
  object_lock lock_of(const std::string& key, const version_id& id) { return row(key, id)->extras.lock; }
};

// ── what protects ──

TEST_F(locks, keep_a_version_until_its_retention_ends) {
  const auto id = put("key", {.retained = {compliance, later}});
  EXPECT_EQ(erase("key", id), errc::access_denied);
  EXPECT_EQ(erase("key", id, later - 1), errc::access_denied);
  EXPECT_TRUE(row("key", id));
  EXPECT_EQ(erase("key", id, later), std::nullopt);
  EXPECT_EQ(row("key", id).error(), errc::no_such_key);
}

TEST_F(locks, keep_a_version_as_long_as_it_has_a_legal_hold) {
  const auto id = put("key", {.hold = legal_hold::on});
  EXPECT_EQ(erase("key", id, later * 1000), errc::access_denied);
  allow(rights::all);
  EXPECT_EQ(bypass("key", id, by_key({action::delete_object_version})), errc::access_denied);
  EXPECT_EQ(hold("key", id, legal_hold::off), std::nullopt);
  EXPECT_EQ(lock_of("key", id).hold, legal_hold::off);
  EXPECT_EQ(erase("key", id), std::nullopt);
}

TEST_F(locks, do_not_keep_a_delete_marker_from_hiding_the_version_nor_from_being_removed) {
  const auto id = put("key", {.retained = {compliance, later}});
  const auto marker = version_outcome_of(run(delete_object{.stamp = stamp(), .bucket = "locked", .key = "key"}));
  EXPECT_TRUE(marker.delete_marker);
  EXPECT_EQ(read()->object("locked", "key").error(), errc::no_such_key);
  EXPECT_EQ(erase("key", id), errc::access_denied);
  EXPECT_EQ(erase("key", *marker.id), std::nullopt);
  EXPECT_EQ(lock_of("key", id).retained.until, later);
  EXPECT_TRUE(read()->object("locked", "key"));
}

TEST_F(locks, keep_what_is_written_over) {
  const auto first = put("key", {.retained = {governance, later}}, "first");
  const auto second = put("key", {}, "second");
  EXPECT_EQ(read()->inline_bytes(*row("key", first)).value(), "first");
  EXPECT_EQ(erase("key", first), errc::access_denied);
  EXPECT_EQ(erase("key", second), std::nullopt); // has no lock
  EXPECT_EQ(read()->inline_bytes(*read()->object("locked", "key")).value(), "first");
}

TEST_F(locks, keep_a_null_version_that_was_there_before_object_lock) {
  run(small("old", "bytes of the null version"));
  set_bucket versioned{.stamp = stamp(), .name = "files"};
  versioned.versioning = versioning::enabled;
  run(versioned);
  EXPECT_EQ(refused(set_bucket_lock{.stamp = stamp(), .name = "files"}), std::nullopt);
  set_object_lock c{.stamp = stamp(), .bucket = "files", .key = "old", .now = now};
  c.retained = retention{compliance, later};
  EXPECT_EQ(refused(c), std::nullopt);
  run(small("old", "new"));
  run(removal("old"));
  delete_object gone{.stamp = stamp(), .bucket = "files", .key = "old", .now = now};
  gone.version = version_id{}; // null
  EXPECT_EQ(refused(gone), errc::access_denied);
  set_bucket suspended{.stamp = stamp(), .name = "files"};
  suspended.versioning = versioning::suspended; // another null version would replace it
  EXPECT_EQ(refused(suspended), errc::invalid_bucket_state);
  EXPECT_EQ(read()->inline_bytes(*read()->object("files", "old", {})).value(), "bytes of the null version");
}

TEST_F(locks, keep_the_bytes_of_a_version_that_shares_them) {
  auto c = big("key", new_blob());
  c.bucket = "locked";
  c.extras.lock.retained = {compliance, later};
  const auto id = *version_outcome_of(run(c)).id;
  const auto source = *row("key", id);
  run(copy_object{.stamp = stamp(),
                  .source = {"locked", "key", source.version, source.ordinal},
                  .bucket = "locked",
                  .key = "copy",
                  .now = now});
  const auto copy = *read()->object("locked", "copy");
  EXPECT_TRUE(copy.extras.lock.empty()); // a lock is not copied
  EXPECT_EQ(erase("copy", id_of(copy)), std::nullopt);
  EXPECT_EQ(erase("key", id), errc::access_denied);
  EXPECT_TRUE(buried().empty());
}

TEST_F(locks, keep_their_bucket) {
  const auto id = put("key", {.retained = {compliance, later}});
  run(delete_object{.stamp = stamp(), .bucket = "locked", .key = "key"});
  EXPECT_EQ(refused(delete_bucket{.name = "locked"}), errc::bucket_not_empty);
  EXPECT_TRUE(row("key", id));
}

TEST_F(locks, are_not_passed_by_commands_of_the_cluster_itself) { // as those of lifecycle rules
  const auto id = put("key", {.retained = {governance, later}});
  put("key");
  auto c = erasure("key", id);
  c.expected = place_of(*row("key", id));
  c.bypasses_governance = true;
  EXPECT_EQ(refused(c), errc::access_denied);
}

TEST_F(locks, stay_when_tags_and_access_lists_change) {
  const auto id = put("key", {.retained = {compliance, later}, .hold = legal_hold::on});
  set_extras c{.stamp = stamp(), .bucket = "locked", .key = "key", .public_read = true};
  c.tags.emplace().emplace_back("k", "v");
  EXPECT_EQ(refused(c), std::nullopt);
  EXPECT_EQ(lock_of("key", id), (object_lock{{compliance, later}, legal_hold::on}));
}

TEST_F(locks, are_part_of_a_dump) {
  const auto id = put("key", {.retained = {compliance, later}});
  const auto rows = dump(*engine);
  auto copy = make_memory_kv(table_count);
  auto writer = copy->begin_write().value();
  for (const auto& [key, value] : rows) writer->put(key.first, key.second, value);
  ASSERT_TRUE(writer->commit());
  s = store::open(*copy).value();
  EXPECT_EQ(erase("key", id), errc::access_denied);
  EXPECT_EQ(lock_of("key", id).retained.until, later);
  s.reset();
}

// ── who may change what ──

TEST_F(locks, in_governance_mode_are_passed_by_who_may_bypass_it_and_says_so) {
  const auto delete_version = by_key({action::delete_object_version});
  allow(rights::read | rights::write);
  auto c = put("key", {.retained = {governance, later}});
  allow(rights::owner);
  auto without = erasure("key", c);
  without.by = delete_version;
  EXPECT_EQ(refused(without), errc::access_denied);
  run(change_key{.stamp = stamp(), .id = "CK1", .bucket = "locked", .denied = rights::owner});
  EXPECT_EQ(bypass("key", c, delete_version), errc::access_denied);
  allow(rights::owner);
  EXPECT_EQ(bypass("key", c, delete_version), std::nullopt);

  c = put("other", {.retained = {governance, later}});
  set_bucket_access denies{.stamp = stamp(), .name = "locked"};
  denies.policy = R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",
    "Action":"s3:BypassGovernanceRetention","Resource":"arn:aws:s3:::locked/*"}]})";
  EXPECT_EQ(refused(denies), std::nullopt);
  EXPECT_EQ(bypass("other", c, delete_version), errc::access_denied);
  EXPECT_EQ(bypass("other", c, by_root({action::delete_object_version})), errc::access_denied);
  denies.stamp = stamp();
  denies.policy = "";
  run(denies);
  EXPECT_EQ(bypass("other", c, by_root({action::delete_object_version})), std::nullopt);

  c = put("third", {.retained = {compliance, later}});
  EXPECT_EQ(bypass("third", c, by_root({action::delete_object_version})), errc::access_denied);
}

TEST_F(locks, can_be_made_longer_but_not_shorter) {
  const auto id = put("key", {.retained = {compliance, later}});
  EXPECT_EQ(refused(change("key", id, retention{compliance, later - 1})), errc::access_denied);
  EXPECT_EQ(refused(change("key", id, retention{governance, later + 1})), errc::access_denied);
  EXPECT_EQ(refused(change("key", id, retention{})), errc::access_denied);
  EXPECT_EQ(refused(change("key", id, retention{compliance, later + 1})), std::nullopt);
  EXPECT_EQ(lock_of("key", id).retained, (retention{compliance, later + 1}));

  const auto other = put("other", {.retained = {governance, later}});
  auto shorter = change("other", other, retention{governance, later - 1});
  shorter.bypasses_governance = true;
  EXPECT_EQ(refused(shorter), errc::access_denied); // nobody who may bypass
  shorter.stamp = stamp();
  shorter.by = by_root({action::put_object_retention});
  EXPECT_EQ(refused(shorter), std::nullopt);
  EXPECT_EQ(lock_of("other", other).retained.until, later - 1);
  EXPECT_EQ(refused(change("key", id, retention{}, later + 1)), std::nullopt); // has ended
}

TEST_F(locks, are_refused_where_there_is_no_version_or_no_object_lock) {
  const auto id = put("key");
  EXPECT_EQ(refused(change("absent", id, retention{governance, later})), errc::no_such_version);
  set_object_lock live{.stamp = stamp(), .bucket = "locked", .key = "absent", .now = now};
  live.hold = legal_hold::on;
  EXPECT_EQ(refused(live), errc::no_such_key);
  const auto marker = version_outcome_of(run(delete_object{.stamp = stamp(), .bucket = "locked", .key = "key"}));
  EXPECT_EQ(refused(change("key", *marker.id, retention{governance, later})), errc::delete_marker);

  run(small("key"));
  set_object_lock elsewhere{.stamp = stamp(), .bucket = "files", .key = "key", .now = now};
  elsewhere.retained = retention{governance, later};
  EXPECT_EQ(refused(elsewhere), errc::no_object_lock);
  auto put_there = small("key");
  put_there.extras.lock.hold = legal_hold::on;
  EXPECT_EQ(refused(put_there), errc::no_object_lock);
  EXPECT_TRUE(object("key").extras.lock.empty());
  begin_upload begun{.stamp = stamp(), .bucket = "files", .key = "key", .now = now, .headers = {}};
  begun.extras.lock.hold = legal_hold::on;
  EXPECT_EQ(refused(begun), errc::no_object_lock);
  const auto source = object("key");
  copy_object copy{
      .stamp = stamp(), .source = {"files", "key", source.version, 0}, .bucket = "files", .key = "c", .now = now};
  copy.extras.emplace().lock.hold = legal_hold::on;
  EXPECT_EQ(refused(copy), errc::no_object_lock);
}

TEST_F(locks, need_a_right_when_they_are_applied) {
  const auto id = put("key");
  auto c = change("key", id, retention{governance, later});
  c.by = by_key({action::put_object_retention});
  EXPECT_EQ(refused(c), errc::access_denied);
  allow(rights::write);
  c.stamp = stamp();
  EXPECT_EQ(refused(c), std::nullopt);
  set_bucket_lock configuration{.stamp = stamp(), .name = "locked"};
  configuration.by = by_key({action::put_bucket_object_lock_configuration});
  EXPECT_EQ(refused(configuration), errc::access_denied);
  allow(rights::owner);
  configuration.stamp = stamp();
  EXPECT_EQ(refused(configuration), std::nullopt);
}

// ── buckets ──

TEST_F(locks, of_a_bucket_need_versioning_for_ever) {
  EXPECT_EQ(read()->bucket("locked")->versioning, versioning::enabled);
  set_bucket c{.stamp = stamp(), .name = "locked"};
  c.versioning = versioning::suspended;
  EXPECT_EQ(refused(c), errc::invalid_bucket_state);
  c.stamp = stamp();
  c.versioning = versioning::enabled;
  EXPECT_EQ(refused(c), std::nullopt);
  EXPECT_EQ(refused(set_bucket_lock{.stamp = stamp(), .name = "files"}), errc::invalid_bucket_state);
  set_bucket suspended{.stamp = stamp(), .name = "files"};
  suspended.versioning = versioning::suspended;
  run(suspended);
  EXPECT_EQ(refused(set_bucket_lock{.stamp = stamp(), .name = "files"}), errc::invalid_bucket_state);
  suspended.stamp = stamp();
  suspended.versioning = versioning::enabled;
  run(suspended);
  EXPECT_EQ(refused(set_bucket_lock{.stamp = stamp(), .name = "files"}), std::nullopt);
  EXPECT_TRUE(read()->bucket("files")->lock.enabled);

  const auto create = [this](const std::string& name, bool lock) {
    return refused(
        create_bucket{.name = name, .now = now, .stamp = stamp(), .settings = {.again = true, .lock = lock}});
  };
  EXPECT_EQ(create("locked", true), std::nullopt);
  EXPECT_EQ(create("locked", false), std::nullopt);
  EXPECT_TRUE(read()->bucket("locked")->lock.enabled);
  run(create_bucket{.name = "plain", .now = now});
  EXPECT_EQ(create("plain", true), errc::bucket_exists);
}

TEST_F(locks, by_default_are_given_to_every_new_version_that_brings_no_retention) {
  EXPECT_EQ(set_default(governance, period_unit::days, 3), std::nullopt);
  const retention given{governance, now + 3 * day};
  const auto id = put("key");
  EXPECT_EQ(lock_of("key", id).retained, given);
  EXPECT_EQ(lock_of("held", put("held", {.hold = legal_hold::on})), (object_lock{given, legal_hold::on}));
  EXPECT_EQ(lock_of("own", put("own", {.retained = {compliance, later}})).retained, (retention{compliance, later}));
  const auto source = *row("key", id);
  run(copy_object{.stamp = stamp(),
                  .source = {"locked", "key", source.version, source.ordinal},
                  .bucket = "locked",
                  .key = "copy",
                  .now = now + day});
  EXPECT_EQ(read()->object("locked", "copy")->extras.lock.retained.until, now + 4 * day);
  EXPECT_EQ(refused(set_bucket_lock{.stamp = stamp(), .name = "locked"}), std::nullopt);
  EXPECT_TRUE(lock_of("key", put("key")).empty());
  EXPECT_EQ(lock_of("key", id).retained, given);
}

TEST_F(locks, of_an_upload_are_those_with_which_it_began_or_the_default_at_its_end) {
  const auto upload = [this](const object_lock& lock) {
    begin_upload begun{.stamp = stamp(), .bucket = "locked", .key = "key", .now = now, .nonce = 1, .headers = {}};
    begun.extras.lock = lock;
    const upload_name name{"locked", "key", run(begun).version, 1};
    run(put_part{.stamp = stamp(), .upload = name, .now = now, .content = std::string{}});
    complete_upload done{.stamp = stamp(), .upload = name, .now = now + day, .parts = {{1, {}}}};
    done.etag.parts = 1;
    return lock_of("key", *version_outcome_of(run(done)).id);
  };
  const object_lock own{{compliance, later}, legal_hold::on};
  EXPECT_EQ(upload(own), own);
  EXPECT_TRUE(upload({}).empty());
  set_default(governance, period_unit::years, 1);
  EXPECT_EQ(upload(own), own);
  EXPECT_EQ(upload({}).retained, (retention{governance, now + 366 * day}));
}

// ── time ──

TEST_F(locks, are_judged_by_the_time_of_the_log_in_a_cluster_whatever_a_command_says) {
  found_cluster();
  const auto id = put("key", {.retained = {compliance, later}});
  EXPECT_EQ(read()->lock_time(), 0);
  EXPECT_EQ(erase("key", id, later + 3650 * day), errc::access_denied);
  run(advance_lock_time{now});
  EXPECT_EQ(erase("key", id, later + 3650 * day), errc::access_denied);
  EXPECT_EQ(refused(change("key", id, retention{}, later + 3650 * day)), errc::access_denied);
  EXPECT_EQ(read()->lock_time(), now);
  run(advance_lock_time{later});
  run(advance_lock_time{now}); // never goes back
  EXPECT_EQ(read()->lock_time(), later);
  EXPECT_EQ(erase("key", id, 0), std::nullopt);
}

TEST_F(locks, by_default_are_not_shortened_by_a_clock_that_is_behind) {
  found_cluster();
  run(advance_lock_time{now});
  set_default(compliance, period_unit::days, 1);
  auto c = locked("key", {});
  c.now = now - 3650 * day;
  EXPECT_EQ(lock_of("key", *version_outcome_of(run(c)).id).retained.until, now + day);
}

TEST_F(locks, are_judged_on_a_standalone_node_by_a_time_that_never_goes_back) {
  const auto id = put("key", {.retained = {compliance, later}}),
             other = put("other", {.retained = {compliance, later}});
  EXPECT_EQ(erase("key", id, later), std::nullopt);
  EXPECT_EQ(read()->lock_time(), later);
  EXPECT_EQ(erase("other", other, now), std::nullopt);
  found_cluster();
  EXPECT_EQ(read()->lock_time(), later);
}

TEST_F(locks, have_no_time_before_there_is_a_bucket_with_object_lock) {
  auto fresh = make_memory_kv(table_count);
  s = store::open(*fresh).value();
  session = begin(uuid{1}, 1);
  run(create_bucket{.name = "files", .now = now});
  run(small("key"));
  run(removal("key"));
  EXPECT_FALSE(read()->lock_time());
  run(create_bucket{.name = "locked", .now = now, .stamp = stamp(), .settings = {.lock = true}});
  EXPECT_EQ(read()->lock_time(), 0);
  s.reset();
}

TEST_F(locks, have_a_time_from_the_first_bucket_that_gets_object_lock_later) {
  auto fresh = make_memory_kv(table_count);
  s = store::open(*fresh).value();
  session = begin(uuid{1}, 1);
  run(create_bucket{.name = "files", .now = now});
  set_bucket versioned{.stamp = stamp(), .name = "files"};
  versioned.versioning = versioning::enabled;
  run(versioned);
  EXPECT_FALSE(read()->lock_time());
  EXPECT_EQ(refused(set_bucket_lock{.stamp = stamp(), .name = "files"}), std::nullopt);
  EXPECT_EQ(read()->lock_time(), 0) << "else no leader would advance it, and no retention would end";
  s.reset();
}

} // namespace cairn::storage::metadata::locks_test
