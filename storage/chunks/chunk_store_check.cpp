#include "storage/chunks/chunk_index.hpp"
#include "storage/chunks/disk_identity.hpp"

#include <map>
#include <set>

namespace cairn::storage {

namespace {

class disk_check {
public:
  disk_check(const std::string& directory, file_system& files, kv_reader& reader, const mac_key& key, bool deep,
             const check_progress& progress)
      : directory_(segments_directory(directory)),
        files_(files),
        reader_(reader),
        key_(key),
        deep_(deep),
        progress_(progress),
        total_(reader.entries(chunk_index::chunks)) {}

  result<check_report> run() {
    const auto punched = chunk_index::punch_rows(reader_, ~std::uint64_t{0}, reader_.entries(chunk_index::to_punch));
    if (!punched) return punched.error();
    for (const auto& row : *punched) to_punch_.insert(row.place);
    const auto rows = chunk_index::all_segments(reader_);
    if (!rows) return rows.error();
    for (const auto& [segment, row] : *rows) segments_.emplace(segment, state{row, nullptr, 0});
    if (auto known = check_strays(); !known) return known.error();
    for (auto& [segment, s] : segments_)
      if (auto checked = check_segment(segment, s); !checked) return checked.error();
    if (auto checked = check_rows(); !checked) return checked.error();
    for (const auto& [segment, s] : segments_)
      if (s.chunks != s.row.live_chunks)
        problem("segment " + std::to_string(segment), "its row counts " + std::to_string(s.row.live_chunks) +
                                                          " chunks, the index has " + std::to_string(s.chunks));
    report_.segments = segments_.size();
    report_.chunks = total_;
    return std::move(report_);
  }

private:
  struct state {
    chunk_index::segment_row row;
    std::unique_ptr<file> opened; // only if the list of its records is missing or damaged
    std::uint64_t chunks = 0;     // in the index
  };

  void problem(const std::string& where, const std::string& what) { report_.problems.push_back(where + ": " + what); }

  void verify(file& segment_file, const segment_entry& entry) {
    if (auto good = verify_record(segment_file, key_, entry, deep_); !good)
      problem(to_string(entry.location.place), "chunk " + to_string(entry.id) + ": " + good.error().text);
    else
      report_.bytes += entry.location.length;
    if (progress_) progress_(++done_, total_);
  }

  result<void> check_strays() {
    const auto names = files_.list(directory_);
    if (!names) return names.error();
    for (const auto& name : *names) {
      const auto segment = parse_segment_file_name(name);
      if (!segment || segments_.contains(*segment)) continue;
      auto opened = files_.open(directory_ + "/" + name, open_mode::read_only);
      if (!opened) return opened.error();
      const auto any = holds_records(**opened, key_, *segment);
      if (!any) return any.error();
      if (*any) problem(name, "has records, but the index does not have the segment");
    }
    return {};
  }

  result<void> check_segment(std::uint64_t segment, state& s) {
    const auto where = "segment " + std::to_string(segment);
    if (s.row.sealed && s.row.live_chunks == 0 && s.row.to_punch == 0) return {}; // about to be unlinked
    auto opened = files_.open(directory_ + "/" + segment_file_name(segment), open_mode::read_only);
    if (!opened) {
      problem(where, opened.error().text);
      return {};
    }
    const auto size = (*opened)->size();
    if (!size) return size.error();
    if (*size < s.row.data_end) problem(where, "the file is shorter than its data");
    auto entries = list_records(segment, s.row, **opened);
    if (!entries && (entries.error() == errc::not_found || entries.error() == errc::corrupt)) {
      problem(where, entries.error().text);
      s.opened = std::move(*opened); // check_rows verifies each of its chunks
      return {};
    }
    if (!entries) return entries.error();
    for (const auto& entry : *entries)
      if (auto checked = check_listed(**opened, entry); !checked) return checked;
    return {};
  }

  result<std::vector<segment_entry>> list_records(std::uint64_t segment, const chunk_index::segment_row& row,
                                                  file& opened) {
    if (!row.sealed) return chunk_index::tail_of(reader_, segment);
    auto footer = read_footer(opened, key_, segment);
    if (!footer) return footer.error();
    return std::move(footer->entries);
  }

  result<void> check_listed(file& opened, const segment_entry& entry) {
    const auto known = chunk_index::find(reader_, entry.id);
    if (!known && known.error() != errc::not_found) return known.error();
    if (known && *known == entry.location) {
      verify(opened, entry);
    } else if (!to_punch_.contains(entry.location.place) && verify_record(opened, key_, entry, false)) {
      problem(to_string(entry.location.place),
              "chunk " + to_string(entry.id) + " was deleted, but its space is not freed");
    }
    return {};
  }

  result<void> check_rows() {
    const auto cursor = reader_.cursor(chunk_index::chunks);
    for (auto row = cursor->seek(std::string_view{"\0", 1}); row; row = cursor->next()) {
      const auto entry = chunk_index::decode_chunk(*row);
      if (!entry) return entry.error();
      const auto& place = entry->location.place;
      const auto at = segments_.find(place.segment);
      if (at == segments_.end() || place.offset + record_bytes(entry->location.length) > at->second.row.data_end) {
        problem(to_string(place), "chunk " + to_string(entry->id) + " is outside of all segments");
        continue;
      }
      ++at->second.chunks;
      if (at->second.opened) verify(*at->second.opened, *entry);
    }
    return reader_.status();
  }

  const std::string directory_;
  file_system& files_;
  kv_reader& reader_;
  const mac_key key_;
  const bool deep_;
  const check_progress& progress_;
  std::uint64_t done_ = 0, total_ = 0;
  std::map<std::uint64_t, state> segments_;
  std::set<record_place> to_punch_;
  check_report report_;
};

} // namespace

result<check_report> check_disk(const chunk_store_options& options, file_system& files, kv_engine& index, bool deep,
                                const check_progress& progress) {
  const auto lock = options.lock ? result<std::shared_ptr<void>>{options.lock} : files.lock(options.directory);
  if (!lock) return lock.error();
  const auto identity = load_disk_identity(files, options.directory);
  if (!identity) return identity.error();
  auto reader = index.begin_read();
  if (!reader) return reader.error();
  const auto owner = chunk_index::owner(**reader);
  if (!owner) return owner.error();
  if (!*owner || **owner != identity->id)
    return error{errc::corrupt, "the index of the disk in " + options.directory +
                                    " is missing, incomplete or belongs to another " +
                                    "disk; `cairn storage rebuild-index` makes a new one"};
  return disk_check{options.directory, files, **reader, identity->header_key, deep, progress}.run();
}

} // namespace cairn::storage
