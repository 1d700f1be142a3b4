// Opening and recovery of a disk. chunk_store_impl.hpp lists the states that a crash may leave.
#include "storage/chunks/chunk_store_impl.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <array>

namespace cairn::storage {

namespace {

constexpr std::size_t open_segments_max = 256;
constexpr std::size_t punched_at_open_max = 16384, punch_page = 1024;
constexpr const char* rebuild_hint = "; run `cairn storage rebuild-index` to make a new one from the segment files";

struct disk_files {
  std::optional<disk_identity> identity;
  bool has_segments = false;
};

result<disk_files> read_disk_files(file_system& files, const std::string& directory) {
  disk_files found;
  auto identity = load_disk_identity(files, directory);
  if (identity)
    found.identity = *identity;
  else if (identity.error() != errc::not_found)
    return identity.error();
  const auto names = files.list(segments_directory(directory));
  if (!names && names.error() != errc::not_found) return names.error();
  if (names)
    found.has_segments = std::any_of(names->begin(), names->end(),
                                     [](const auto& name) { return parse_segment_file_name(name).has_value(); });
  return found;
}

// The store frees space by punching holes: on a file system without that, the disk is refused.
result<void> probe(file_system& files, const std::string& directory) {
  const auto path = segments_directory(directory) + "/probe";
  if (auto removed = files.remove(path); !removed && removed.error() != errc::not_found) return removed;
  auto opened = files.open(path, open_mode::create);
  if (!opened) return opened.error();
  auto outcome = (*opened)->preallocate(4 * page_bytes);
  if (outcome) outcome = (*opened)->punch(page_bytes, page_bytes);
  opened->reset();
  if (auto removed = files.remove(path); !removed && outcome) outcome = removed;
  if (!outcome && outcome.error() == errc::unsupported)
    return error{errc::unsupported,
                 directory + ": this file system cannot preallocate and punch holes (ext4, xfs, btrfs and tmpfs can)"};
  return outcome;
}

// Loads or creates the disk's identity; afterwards the identity file and the index agree.
result<disk_identity> load_or_create_identity(file_system& files, const std::string& directory, kv_engine& index,
                                              random_source& random) {
  const auto found = read_disk_files(files, directory);
  if (!found) return found.error();
  std::optional<uuid> owner;
  {
    auto reader = index.begin_read();
    if (!reader) return reader.error();
    const auto stored = chunk_index::owner(**reader);
    if (!stored) return stored.error();
    owner = *stored;
  }
  if (owner && found->identity && *owner != found->identity->id)
    return error{errc::corrupt, "the index in " + directory + " belongs to disk " + cairn::to_string(*owner) +
                                    ", not to disk " + cairn::to_string(found->identity->id)};
  if (!found->identity && (owner || found->has_segments))
    return error{errc::corrupt,
                 directory + "/disk is missing, but the disk has data: restore the file from a copy of the disk"};
  if (!owner && found->has_segments)
    return error{errc::corrupt, "the index of the disk in " + directory + " is missing or incomplete" + rebuild_hint};
  if (owner) return *found->identity;

  if (auto made = files.make_directories(segments_directory(directory)); !made) return made.error();
  if (auto able = probe(files, directory); !able) return able.error();
  auto identity =
      found->identity ? result<disk_identity>{*found->identity} : make_disk_identity(files, directory, random);
  if (!identity) return identity;
  auto writer = index.begin_write();
  if (!writer) return writer.error();
  chunk_index::put_owner(**writer, identity->id);
  if (auto durable = (*writer)->commit(); !durable) return durable.error();
  return identity;
}

} // namespace

result<std::unique_ptr<chunk_store>> chunk_store::open(chunk_store_options options, file_system& files,
                                                       kv_engine& index, random_source& random) {
  if (auto made = files.make_directories(options.directory); !made) return made.error();
  auto lock = options.lock ? result<std::shared_ptr<void>>{options.lock} : files.lock(options.directory);
  if (!lock) return lock.error();
  const auto reason = quarantine_reason(files, options.directory);
  if (!reason) return reason.error();
  if (*reason)
    return error{errc::quarantined, options.directory + ": " + **reason +
                                        "; check the disk, then run `cairn storage check --clear-quarantine`"};
  const auto identity = load_or_create_identity(files, options.directory, index, random);
  if (!identity) return identity.error();
  std::uint64_t generation = 0;
  {
    auto reader = index.begin_read();
    if (!reader) return reader.error();
    const auto newest = chunk_index::newest_generation(**reader);
    if (!newest) return newest.error();
    generation = *newest + 1;
  }
  auto store =
      std::make_unique<segment_chunk_store>(std::move(options), files, index, *identity, std::move(*lock), generation);
  if (auto recovered = store->recover(); !recovered) return recovered.error();
  return std::unique_ptr<chunk_store>{std::move(store)};
}

segment_chunk_store::segment_chunk_store(chunk_store_options options, file_system& files, kv_engine& index,
                                         disk_identity identity, std::shared_ptr<void> lock,
                                         std::uint64_t first_generation)
    : options_(std::move(options)),
      files_(files),
      index_(index),
      identity_(identity),
      lock_(std::move(lock)),
      pins_(first_generation),
      cache_(options_.location_cache_entries),
      readers_(files, segments_directory(options_.directory), open_segments_max) {}

result<void> segment_chunk_store::recover() {
  if (auto loaded = load_rows(); !loaded) return loaded;
  if (auto removed = remove_strays(); !removed) return removed;
  if (auto resumed = resume_active(); !resumed) return resumed;
  if (auto removed = remove_empty_segments(); !removed) return removed;
  refresh_space();
  if (space_.total == 0)
    return error{errc::io_error, "the size of the file system of " + options_.directory + " is unknown"};
  reserve_bytes_ = effective_reserve(options_.reserve_bytes, space_);
  for (std::size_t done = 0; done < punched_at_open_max && to_punch_ > 0;) {
    const auto punched = punch(punch_page, all_bytes);
    if (!punched) return punched.error();
    if (*punched == 0) break;
    done += *punched;
  }
  publish();
  return {};
}

result<void> segment_chunk_store::load_rows() {
  auto reader = index_.begin_read();
  if (!reader) return reader.error();
  auto rows = chunk_index::all_segments(**reader);
  if (!rows) return rows.error();
  for (const auto& [segment, row] : *rows) {
    rows_.emplace(segment, row);
    used_bytes_ += row.live_bytes;
  }
  const auto next = chunk_index::next_segment(**reader);
  if (!next) return next.error();
  next_segment_ = *next;
  chunks_ = (*reader)->entries(chunk_index::chunks);
  to_punch_ = (*reader)->entries(chunk_index::to_punch);
  return (*reader)->status();
}

// A segment file without a row was being created at the time of a crash, and has no record. If it has a record, the
// index is older than the files (for example restored from a copy), and deleting the file would lose data.
result<void> segment_chunk_store::remove_strays() {
  const auto directory = segments_directory(options_.directory);
  const auto names = files_.list(directory);
  if (!names) return names.error();
  std::size_t present = 0;
  for (const auto& name : *names) {
    const auto segment = parse_segment_file_name(name);
    if (!segment) {
      log::warn("unknown file among the segments", {{"path", directory + "/" + name}});
      continue;
    }
    if (rows_.contains(*segment)) {
      ++present;
      continue;
    }
    const auto path = directory + "/" + name;
    auto opened = files_.open(path, open_mode::read_only);
    if (!opened) return opened.error();
    const auto any = holds_records(**opened, identity_.header_key, *segment);
    opened->reset();
    if (!any) return any.error();
    if (*any)
      return error{errc::corrupt, path + " has records, but the index does not have the segment" + rebuild_hint};
    if (auto removed = files_.remove(path); !removed) return removed;
  }
  for (const auto& [segment, row] : rows_)
    if (present < rows_.size() && row.live_chunks > 0 &&
        !std::binary_search(names->begin(), names->end(), segment_file_name(segment)))
      log::error("segment file is missing", {{"path", readers_.path_of(segment)}, {"chunks", row.live_chunks}});
  return {}; // not flushed: a file that reappears after a crash is removed again
}

result<void> segment_chunk_store::resume_active() {
  std::vector<std::uint64_t> unsealed;
  for (const auto& [segment, row] : rows_)
    if (!row.sealed) unsealed.push_back(segment);
  for (const auto segment : unsealed) {
    auto opened = files_.open(readers_.path_of(segment), open_mode::read_write);
    if (!opened) {
      if (opened.error() == errc::not_found) continue; // logged by remove_strays; reads of its chunks return corrupt
      return opened.error();
    }
    const auto size = (*opened)->size();
    if (!size) return size.error();
    std::uint64_t records = 0;
    {
      auto reader = index_.begin_read();
      if (!reader) return reader.error();
      const auto entries = chunk_index::tail_of(**reader, segment);
      if (!entries) return entries.error();
      records = entries->size();
    }
    full_.push_back({segment, std::move(*opened), *size, records});
  }
  if (!full_.empty() && full_.back().id == unsealed.back()) {
    active_ = std::move(full_.back());
    full_.pop_back();
  }
  return {};
}

} // namespace cairn::storage
