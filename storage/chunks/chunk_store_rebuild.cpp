#include "storage/chunks/chunk_index.hpp"
#include "storage/chunks/disk_identity.hpp"

#include <algorithm>
#include <map>

namespace cairn::storage {

namespace {

constexpr std::uint64_t rebuilt_generation = 1;

class index_rebuild {
public:
  index_rebuild(const std::string& directory, file_system& files, kv_engine& index, const disk_identity& identity)
      : directory_(segments_directory(directory)), files_(files), index_(index), identity_(identity) {}

  result<check_report> run(const check_progress& progress) {
    const auto names = files_.list(directory_);
    if (!names) return names.error();
    std::vector<std::uint64_t> segments;
    for (const auto& name : *names)
      if (const auto segment = parse_segment_file_name(name)) segments.push_back(*segment);
    for (std::size_t i = 0; i < segments.size();
         ++i) { // in ascending order, so that later copies of a chunk come later
      if (auto added = add_segment(segments[i]); !added) return added.error();
      if (progress) progress(i + 1, segments.size());
    }
    if (auto finished = finish(segments.empty() ? 1 : segments.back() + 1); !finished) return finished.error();
    report_.segments = rows_.size();
    for (const auto& [segment, row] : rows_) report_.chunks += row.live_chunks;
    return std::move(report_);
  }

private:
  result<void> add_segment(std::uint64_t segment) {
    const auto path = directory_ + "/" + segment_file_name(segment);
    auto opened = files_.open(path, open_mode::read_write);
    if (!opened) return opened.error();
    std::vector<segment_entry> entries;
    std::uint64_t data_end = 0;
    auto footer = read_footer(**opened, identity_.header_key, segment);
    if (footer) {
      data_end = footer->data_end;
      for (const auto& entry : footer->entries) {
        const auto good = verify_record(**opened, identity_.header_key, entry, false);
        if (good)
          entries.push_back(entry);
        else if (good.error() == errc::io_error)
          return good;
        else if (good.error() != errc::not_found)
          report_.problems.push_back(to_string(entry.location.place) + ": " + good.error().text);
      }
    } else {
      if (footer.error() == errc::corrupt)
        report_.problems.push_back(footer.error().text);
      else if (footer.error() != errc::not_found)
        return footer.error();
      if (auto sealed = scan_and_seal(**opened, segment, entries, data_end); !sealed) return sealed;
    }
    return add_rows(segment, entries, data_end);
  }

  // Bytes after the last intact record were never acknowledged, or are damaged beyond repair.
  result<void> scan_and_seal(file& opened, std::uint64_t segment, std::vector<segment_entry>& entries,
                             std::uint64_t& data_end) {
    const auto scanned = scan_segment_file(opened, identity_.header_key, segment, [&](const auto& entry, bool good) {
      if (good)
        entries.push_back(entry);
      else
        report_.problems.push_back(to_string(entry.location.place) + ": chunk " + to_string(entry.id) +
                                   " is damaged or incomplete");
      return true;
    });
    if (!scanned) return scanned;
    for (const auto& [id, location] : entries)
      data_end = std::max(data_end, location.place.offset + record_bytes(location.length));
    return seal_segment_file(opened, identity_.header_key, segment, data_end, entries);
  }

  result<void> add_rows(std::uint64_t segment, std::span<const segment_entry> entries, std::uint64_t data_end) {
    auto writer = index_.begin_write();
    if (!writer) return writer.error();
    auto& row = rows_[segment];
    row.sealed = true;
    row.data_end = data_end;
    for (const auto& [id, location] : entries) {
      const auto bytes = record_bytes(location.length);
      const auto earlier = chunk_index::find(**writer, id);
      if (!earlier && earlier.error() != errc::not_found) return earlier.error();
      if (earlier) { // deleted or replaced: the later copy is the one that was acknowledged last
        const auto earlier_bytes = record_bytes(earlier->length);
        chunk_index::put(**writer, chunk_index::punch_row{rebuilt_generation, earlier->place, earlier_bytes});
        auto& old = rows_[earlier->place.segment];
        old.live_bytes -= earlier_bytes;
        --old.live_chunks;
        ++old.to_punch;
        report_.bytes -= earlier->length;
      }
      chunk_index::put(**writer, id, location);
      row.live_bytes += bytes;
      ++row.live_chunks;
      report_.bytes += location.length;
    }
    return (*writer)->commit();
  }

  // Its transaction includes the owner's row, which marks the index as complete.
  result<void> finish(std::uint64_t next_segment) {
    auto writer = index_.begin_write();
    if (!writer) return writer.error();
    for (const auto& [segment, row] : rows_) chunk_index::put(**writer, segment, row);
    chunk_index::put_next_segment(**writer, next_segment);
    chunk_index::put_owner(**writer, identity_.id);
    return (*writer)->commit();
  }

  const std::string directory_;
  file_system& files_;
  kv_engine& index_;
  const disk_identity identity_;
  std::map<std::uint64_t, chunk_index::segment_row> rows_;
  check_report report_;
};

result<bool> is_empty(kv_engine& index) {
  auto reader = index.begin_read();
  if (!reader) return reader.error();
  std::uint64_t rows = 0;
  for (table_id table = 0; table < chunk_index_tables; ++table) rows += (*reader)->entries(table);
  if (auto read = (*reader)->status(); !read) return read.error();
  return rows == 0;
}

} // namespace

result<check_report> rebuild_index(const chunk_store_options& options, file_system& files, kv_engine& index,
                                   const check_progress& progress) {
  const auto lock = options.lock ? result<std::shared_ptr<void>>{options.lock} : files.lock(options.directory);
  if (!lock) return lock.error();
  const auto identity = load_disk_identity(files, options.directory);
  if (!identity) return identity.error();
  const auto empty = is_empty(index);
  if (!empty) return empty.error();
  if (!*empty) return error{errc::invalid_argument, "the index of the disk in " + options.directory + " is not empty"};
  return index_rebuild{options.directory, files, index, *identity}.run(progress);
}

} // namespace cairn::storage
