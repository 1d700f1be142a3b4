#include "storage/metadata/store.hpp"

#include "storage/metadata/apply/apply.hpp"
#include "storage/metadata/read/snapshot.hpp"
#include "storage/metadata/rows/tables.hpp"

#include <utility>

namespace cairn::storage::metadata {

const table_id table_count = id_of(table::count_), page_values = id_of(table::inline_data);

lmdb_options engine_options(std::string directory) {
  return {.directory = std::move(directory), .tables = table_count, .page_values = page_values};
}

namespace {

class kv_store final : public store {
public:
  kv_store(kv_engine& engine, group_id group) : engine_(engine), group_(group) {}

  result<std::vector<applied_batch>> apply_all(std::span<const std::span<const command>> batches) override {
    auto writer = engine_.begin_write();
    if (!writer) return writer.error();
    auto all = apply_in(**writer, batches);
    if (!all) return all;
    if (auto committed = (*writer)->commit(); !committed) return committed.error();
    return all;
  }

  result<std::vector<applied_batch>> apply_open(std::span<const std::span<const command>> batches) override {
    if (closed_) return error{errc::stopping, "the metadata takes no commands any more"};
    if (!open_) {
      auto writer = engine_.begin_write();
      if (!writer) return writer.error();
      open_ = std::move(*writer);
    }
    auto all = apply_in(*open_, batches);
    if (!all) drop_open();
    return all;
  }
  result<void> commit_open() override {
    if (!open_) return {};
    const auto writer = std::exchange(open_, nullptr);
    return writer->commit();
  }
  void drop_open() override { open_.reset(); }
  result<void> close_open() override {
    closed_ = true;
    return commit_open();
  }

  result<std::unique_ptr<view>> read() override {
    auto reader = engine_.begin_read();
    if (!reader) return reader.error();
    return std::unique_ptr<view>{new snapshot(std::move(*reader), group_)};
  }

private:
  result<std::vector<applied_batch>> apply_in(kv_writer& writer, std::span<const std::span<const command>> batches) {
    std::vector<applied_batch> all;
    all.reserve(batches.size());
    for (const auto commands : batches) {
      auto applied = apply_one(writer, commands);
      if (!applied) return applied.error();
      all.push_back(std::move(*applied));
    }
    return all;
  }
  result<applied_batch> apply_one(kv_writer& writer, std::span<const command> commands) {
    batch b{writer, group_};
    command_applier applier{b};
    applied_batch applied{.index = b.index()};
    applied.results.reserve(commands.size());
    for (std::uint32_t ordinal = 0; ordinal < commands.size() && b.status(); ++ordinal)
      applied.results.push_back(applier.apply(commands[ordinal], ordinal));
    if (auto finished = b.finish(); !finished) return finished.error();
    return applied;
  }

  kv_engine& engine_;
  group_id group_;
  std::unique_ptr<kv_writer> open_;
  bool closed_ = false;
};

bool holds_rows(kv_reader& kv, group_id group) {
  const std::string prefix = key_maker{group}.all();
  for (table_id t = 0; t < table_count; ++t) {
    const auto cursor = kv.cursor(t);
    const auto first = cursor->seek(prefix);
    if (first && first->key.starts_with(prefix)) return true;
  }
  return false;
}

result<void> write_format(kv_engine& engine, group_id group) {
  auto writer = engine.begin_write();
  if (!writer) return writer.error();
  (*writer)->put(id_of(table::meta), key_maker{group}.meta(meta_field::format),
                 byte_writer{}.u8(format_version).view());
  return (*writer)->commit();
}

// nullopt: the group is new.
result<std::optional<std::uint8_t>> read_format(kv_engine& engine, group_id group) {
  auto reader = engine.begin_read();
  if (!reader) return reader.error();
  const auto bytes = (*reader)->get(id_of(table::meta), key_maker{group}.meta(meta_field::format));
  const bool bad = bytes ? bytes->size() != 1 : holds_rows(**reader, group);
  if (auto good = (*reader)->status(); !good) return good.error();
  if (bad) return error{errc::corrupt, "the metadata has rows but no format version"};
  if (!bytes) return std::optional<std::uint8_t>{};
  return std::optional{static_cast<std::uint8_t>(bytes->front())};
}

} // namespace

std::unique_ptr<store> store::over(kv_engine& engine, group_id group) {
  return std::make_unique<kv_store>(engine, group);
}

result<std::unique_ptr<store>> store::open(kv_engine& engine, group_id group) {
  const auto format = read_format(engine, group);
  if (!format) return format.error();
  if (!*format) {
    if (auto written = write_format(engine, group); !written) return written.error();
  } else if (**format != format_version) {
    return error{errc::unsupported, "metadata of format " + std::to_string(**format) + ", this build knows " +
                                        std::to_string(format_version)};
  }
  return std::unique_ptr<store>{new kv_store(engine, group)};
}

} // namespace cairn::storage::metadata
