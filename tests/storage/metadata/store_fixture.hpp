// A metadata store on the memory engine with a bucket `files` and a live session, and helpers that build commands.
#pragma once

#include "storage/metadata/rows/key_tree.hpp"
#include "storage/metadata/rows/tables.hpp"
#include "storage/metadata/store.hpp"

#include <gtest/gtest.h>

#include <map>

namespace cairn::storage::metadata {

// Every row of every table, to compare states and to find rows that should have been removed.
using table_rows = std::map<std::pair<table_id, std::string>, std::string>;
inline table_rows dump(kv_engine& engine) {
  table_rows rows;
  const auto reader = engine.begin_read().value();
  for (table_id t = 0; t < table_count; ++t) {
    const auto cursor = reader->cursor(t);
    for (auto row = cursor->seek(""); row; row = cursor->next()) rows[{t, std::string{row->key}}] = row->value;
  }
  EXPECT_TRUE(reader->status());
  return rows;
}

class store_test : public testing::Test {
protected:
  static constexpr std::uint32_t chunk_size = 1 << 20;

  void SetUp() override {
    auto opened = store::open(*engine);
    ASSERT_TRUE(opened) << opened.error().text;
    s = std::move(*opened);
    session = begin(uuid{1}, 1);
    run(create_bucket{.name = "files", .now = 1000});
  }

  command_result run(const command& c) {
    const command batch[] = {c};
    return s->apply(batch).value().results.at(0);
  }
  // The code it was refused with, nothing when it was done.
  std::optional<errc> refused(const command& c) {
    const auto answer = run(c);
    if (!answer.refused) return std::nullopt;
    return answer.refused->code;
  }
  session_id begin(const uuid& node, std::uint64_t incarnation) {
    return run(begin_session{.node = node, .incarnation = incarnation}).version;
  }
  commit_stamp stamp() { return {.session = session, .sequence = ++sequence, .acknowledged_below = sequence}; }
  blob_id new_blob() { return {.session = session, .number = ++blobs}; }

  put_object small(const std::string& key, const std::string& bytes = "bytes") {
    return {.stamp = stamp(), .bucket = "files", .key = key, .now = 2000, .size = bytes.size(), .content = bytes};
  }
  put_object big(const std::string& key, const blob_id& blob, std::uint64_t length = 5 * chunk_size + 1) {
    return {.stamp = stamp(),
            .bucket = "files",
            .key = key,
            .now = 2000,
            .size = length,
            .content = written_blob{.blob = blob, .length = length, .chunk_size = chunk_size}};
  }
  delete_object removal(const std::string& key) {
    return {.stamp = stamp(), .bucket = "files", .key = key, .now = 3000};
  }

  std::unique_ptr<view> read() { return s->read().value(); }
  object_row object(const std::string& key) { return read()->object("files", key).value(); }
  bool exists(const std::string& key) {
    const auto found = read()->object("files", key);
    EXPECT_TRUE(found || found.error() == errc::no_such_key);
    return found.has_value();
  }
  std::vector<buried_blob> buried() { return read()->buried(1000).value(); }
  std::uint64_t rows(table t) { return engine->begin_read().value()->entries(id_of(t)); }
  bool is_dead(const blob_id& blob) { return read()->is_dead(blob).value(); }

  std::unique_ptr<kv_engine> engine = make_memory_kv(table_count);
  std::unique_ptr<store> s;
  session_id session = 0;
  std::uint64_t sequence = 0, blobs = 0;
};

} // namespace cairn::storage::metadata
