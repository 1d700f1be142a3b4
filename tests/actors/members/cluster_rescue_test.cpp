// Over real files: what these functions do is to put files in order.
#include "actors/members/cluster_rescue.hpp"

#include "base/files/node_identity.hpp"
#include "cluster/cluster_identity.hpp"
#include "cluster/raft/log/raft_log.hpp"
#include "cluster/raft/raft_core.hpp"
#include "storage/metadata/apply/recovery.hpp"
#include "storage/metadata/store.hpp"
#include "tests/base/temporary_directory.hpp"
#include "tests/storage/chunks/chunk_store_fixture.hpp"
#include "tests/storage/metadata/store_fixture.hpp"

#include <filesystem>

namespace cairn::actors::cluster_rescue_test {

namespace meta = storage::metadata;
namespace raft = cluster::raft;
namespace fs = std::filesystem;

// A stopped member with the number 1 of a cluster of three.
struct stopped_node {
  explicit stopped_node(const std::string& name) {
    settings.node.data_dir = folder.path() + "/" + name;
    settings.cluster.listen = {"127.0.0.1", 9100};
    settings.cluster.name = "blue";
    fs::create_directories(settings.node.data_dir);
  }
  std::unique_ptr<storage::kv_engine> engine(const std::string& directory, storage::table_id tables) {
    storage::lmdb_options o;
    o.directory = directory;
    o.tables = tables;
    return storage::open_lmdb(o).value();
  }
  std::unique_ptr<storage::kv_engine> state() { return engine(settings.metadata_dir(), meta::table_count); }

  void make_member() {
    id = begin_node_start(posix_file_system(), settings.node.data_dir, random)->id;
    const auto kv = state();
    const auto store = meta::store::open(*kv).value();
    std::vector<meta::command> commands{
        meta::create_cluster{.id = {1}, .name = "blue", .first = {.id = {10}, .address = "a:1", .weight = 1}},
        meta::add_node{{.id = id, .address = "b:1"}}, meta::add_node{{.id = {12}, .address = "c:1"}},
        meta::create_bucket{.name = "files", .now = 1}};
    ASSERT_TRUE(store->apply(commands));
    ASSERT_TRUE(cluster::save_cluster_identity(posix_file_system(), settings.node.data_dir,
                                               {{1}, "blue", 1, {{0, {10}, "a:1"}}}));
    raft::raft_log log{posix_file_system(), settings.metadata_dir() + "/log", random};
    ASSERT_TRUE(log.begin(raft::raft_core::first_state(2, 1)));
    // Not known to be committed, and not applied.
    raft::log_write w{.number = 1, .first = 2};
    for (int i = 0; i < 600; ++i) {
      const meta::command c = meta::create_bucket{.name = "bucket" + std::to_string(i), .now = 1};
      w.entries.push_back({1, raft::entry_kind::command, raft::share(meta::encode(std::span{&c, 1}))});
    }
    w.entries.push_back({1, raft::entry_kind::barrier, raft::share({})});
    ASSERT_TRUE(log.write({&w, 1}));
  }
  meta::table_rows rows() { return meta::dump(*state()); }
  std::size_t buckets() {
    const auto kv = state();
    return meta::store::open(*kv).value()->read().value()->buckets()->size();
  }
  // As a start of the node does it: a log and a state that fit each other, of which this node is the sole voter.
  void expect_starts(const cluster_founded& c) {
    const auto identity = cluster::load_cluster_identity(posix_file_system(), settings.node.data_dir).value();
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->id, c.cluster);
    EXPECT_EQ(identity->self, c.self);
    EXPECT_TRUE(identity->members.empty());
    const auto kv = state();
    const auto store = meta::store::open(*kv).value();
    const auto view = store->read().value();
    EXPECT_EQ(view->cluster()->id, c.cluster);
    EXPECT_TRUE(view->deletions_held());
    EXPECT_EQ(view->applied(), c.applied);
    raft::raft_log log{posix_file_system(), settings.metadata_dir() + "/log", random};
    raft::core_options options;
    options.id = c.self + 1u;
    const auto core = raft::raft_core::start(options, log.load(c.applied).value(), c.applied, 0);
    ASSERT_TRUE(core) << to_string(core.error());
    EXPECT_EQ((*core)->role(), raft::role::leader);
  }

  temporary_directory folder;
  random_source& random = system_random();
  uuid id{};
  config::settings settings;
};

TEST(cluster_rescue, a_backup_has_the_state_and_does_not_change_it) {
  stopped_node node{"data"};
  const auto file = node.folder.path() + "/backup";
  EXPECT_EQ(back_up_metadata(node.settings, file).error(), errc::not_found);
  EXPECT_FALSE(fs::exists(node.settings.metadata_dir())) << "nothing is made where nothing is";
  node.make_member();
  const auto before = node.rows();
  const auto running = posix_file_system().lock(node.settings.node.data_dir).value();
  const auto made = back_up_metadata(node.settings, file);
  ASSERT_TRUE(made) << to_string(made.error());
  EXPECT_EQ(made->header.applied, 1u);
  EXPECT_EQ(node.rows(), before);
  EXPECT_TRUE(meta::verify_dump(posix_file_system(), file));
}

TEST(cluster_rescue, a_backup_founds_a_new_cluster_on_an_empty_node) {
  stopped_node old{"old"}, fresh{"fresh"};
  old.make_member();
  const auto file = old.folder.path() + "/backup";
  ASSERT_TRUE(back_up_metadata(old.settings, file));
  const auto c = restore_cluster(fresh.settings, file, fresh.random, system_clock());
  ASSERT_TRUE(c) << to_string(c.error());
  EXPECT_EQ(c->self, 3) << "the backup did not know it";
  EXPECT_EQ(c->name, "blue");
  EXPECT_NE(c->cluster, uuid{1});
  fresh.expect_starts(*c);
  EXPECT_EQ(fresh.buckets(), 1u);
  EXPECT_EQ(restore_cluster(fresh.settings, file, fresh.random, system_clock()).error(), errc::precondition_failed);
}

TEST(cluster_rescue, a_damaged_backup_changes_nothing) {
  stopped_node old{"old"}, fresh{"fresh"};
  old.make_member();
  const auto file = old.folder.path() + "/backup";
  ASSERT_TRUE(back_up_metadata(old.settings, file));
  fs::resize_file(file, fs::file_size(file) - 1);
  EXPECT_EQ(restore_cluster(fresh.settings, file, fresh.random, system_clock()).error(), errc::corrupt);
  EXPECT_TRUE(fs::is_empty(fresh.settings.node.data_dir));
  EXPECT_EQ(restore_cluster(fresh.settings, file + ".none", fresh.random, system_clock()).error(), errc::not_found);
}

TEST(cluster_rescue, a_survivor_goes_on_with_all_of_its_log_and_can_be_recovered_again) {
  stopped_node node{"data"};
  node.make_member();
  const auto seen = inspect_survivor(node.settings);
  ASSERT_TRUE(seen) << to_string(seen.error());
  EXPECT_EQ(seen->name, "blue");
  EXPECT_EQ(seen->applied, 1u);
  EXPECT_EQ(seen->last, 602u);
  EXPECT_EQ(seen->members.size(), 3u);
  const auto c = recover_cluster(node.settings, node.random, system_clock());
  ASSERT_TRUE(c) << to_string(c.error());
  EXPECT_EQ(c->self, 1);
  EXPECT_EQ(c->applied, 603u);
  EXPECT_EQ(node.buckets(), 601u);
  node.expect_starts(*c);
  EXPECT_TRUE(fs::exists(node.settings.metadata_dir() + "/set-aside-1/log/data.mdb"));
  // A crash before its end: the log is gone, or the identity is the old one.
  fs::remove_all(node.settings.metadata_dir() + "/log");
  const auto again = recover_cluster(node.settings, node.random, system_clock());
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_NE(again->cluster, c->cluster);
  node.expect_starts(*again);
}

TEST(cluster_rescue, refuses_the_directory_of_a_running_node) {
  stopped_node node{"data"};
  node.make_member();
  const auto running = posix_file_system().lock(node.settings.node.data_dir).value();
  const auto& clock = system_clock();
  EXPECT_EQ(recover_cluster(node.settings, node.random, clock).error(), errc::locked);
  EXPECT_EQ(inspect_survivor(node.settings).error(), errc::locked);
  EXPECT_EQ(leave_for_rejoin(node.settings).error(), errc::locked);
  const auto file = node.folder.path() + "/backup";
  ASSERT_TRUE(back_up_metadata(node.settings, file));
  EXPECT_EQ(restore_cluster(node.settings, file, node.random, clock).error(), errc::locked);
}

TEST(cluster_rescue, a_store_of_its_own_is_no_survivor) {
  stopped_node node{"data"};
  {
    const auto kv = node.state();
    const meta::command c = meta::create_bucket{.name = "files", .now = 1};
    ASSERT_TRUE(meta::store::open(*kv).value()->apply({&c, 1}));
  }
  const auto before = node.rows();
  EXPECT_EQ(recover_cluster(node.settings, node.random, system_clock()).error(), errc::not_found);
  EXPECT_EQ(node.rows(), before);
}

TEST(cluster_rescue, a_rejoining_node_forgets_the_cluster_and_keeps_the_rest) {
  stopped_node node{"data"};
  node.make_member();
  fs::create_directories(node.settings.node.data_dir + "/disk0/segments");
  const auto aside = leave_for_rejoin(node.settings);
  ASSERT_TRUE(aside) << to_string(aside.error());
  EXPECT_TRUE(fs::exists(*aside + "/data.mdb"));
  EXPECT_TRUE(fs::exists(*aside + "/log/data.mdb"));
  EXPECT_FALSE(fs::exists(node.settings.metadata_dir() + "/data.mdb"));
  EXPECT_FALSE(*cluster::load_cluster_identity(posix_file_system(), node.settings.node.data_dir));
  EXPECT_TRUE(fs::exists(node.settings.node.data_dir + "/disk0/segments"));
  EXPECT_EQ(begin_node_start(posix_file_system(), node.settings.node.data_dir, node.random)->id, node.id);
  // Nothing is lost by doing it twice.
  EXPECT_EQ(leave_for_rejoin(node.settings).value(), "");
  EXPECT_TRUE(fs::exists(*aside + "/data.mdb"));
}

} // namespace cairn::actors::cluster_rescue_test
