// The file of a dump; all integers big-endian:
//
//   file   = header piece* end
//   header = "CAIRNDMP" version:u8(1) 0:u8 group:u16 applied:u64 sum
//   piece  = length:u32 (1 to dump_row_bytes_max) rows(length bytes) sum
//   rows   = (table:u8 key:string value:string)+    strings as in codec.hpp; the key without its group
//   end    = 0:u32 rows:u64 bytes of rows:u64 sum
//   sum    = CRC32C:u32 of all bytes of the file before it, without the other sums
//
// (table, key) is strictly ascending over the whole file. Each sum continues the previous one, so that no piece can be
// missing, duplicated or out of order.
#include "storage/metadata/read/dump.hpp"

#include "base/checksum.hpp"
#include "storage/metadata/rows/tables.hpp"

#include <array>
#include <filesystem>

namespace cairn::storage::metadata {

namespace {

constexpr std::string_view magic = "CAIRNDMP";
constexpr std::uint8_t dump_version = 1;
constexpr std::size_t length_bytes = 4, sum_bytes = 4, header_bytes = 8 + 1 + 1 + 2 + 8, end_bytes = 4 + 8 + 8;

bytes_view view_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

error damaged(const std::string& path, std::string_view what) {
  return {errc::corrupt, path + ": " + std::string{what}};
}

class dump_writer {
public:
  dump_writer(file& out, dump_header header) : out_(out) {
    info_.header = header;
    piece_.reserve(dump_piece_bytes_max);
  }

  result<void> begin() {
    byte_writer w{header_bytes};
    w.raw(magic).u8(dump_version).u8(0).u16(info_.header.group).u64(info_.header.applied);
    return put(w.view(), {});
  }
  result<void> add(table_id table, std::string_view key, std::string_view value) {
    byte_writer row{key.size() + value.size() + 16};
    row.u8(table).string(key).string(value);
    if (row.view().size() > dump_row_bytes_max)
      return error{errc::corrupt, "a row of " + std::to_string(row.view().size()) + " bytes is too large for metadata"};
    if (piece_.size() + row.view().size() > dump_piece_bytes_max)
      if (auto put = put_piece(); !put) return put;
    piece_ += row.view();
    ++info_.rows;
    return {};
  }
  result<dump_info> finish() {
    if (auto put = put_piece(); !put) return put.error();
    byte_writer w{end_bytes};
    w.u32(0).u64(info_.rows).u64(row_bytes_);
    if (auto put_end = put(w.view(), {}); !put_end) return put_end.error();
    if (auto flushed = out_.flush(); !flushed) return flushed.error();
    return info_;
  }

private:
  result<void> put_piece() {
    if (piece_.empty()) return {};
    byte_writer length{length_bytes};
    length.u32(static_cast<std::uint32_t>(piece_.size()));
    if (auto written = put(length.view(), piece_); !written) return written;
    row_bytes_ += piece_.size();
    piece_.clear();
    return {};
  }
  result<void> put(std::string_view head, std::string_view body) {
    sum_ = crc32c(view_of(body), crc32c(view_of(head), sum_));
    byte_writer sum{sum_bytes};
    sum.u32(sum_);
    const std::array<bytes_view, 3> parts{view_of(head), view_of(body), view_of(sum.view())};
    if (auto written = out_.write(info_.bytes, parts); !written) return written;
    info_.bytes += head.size() + body.size() + sum_bytes;
    return {};
  }

  file& out_;
  dump_info info_;
  std::uint64_t row_bytes_ = 0;
  std::uint32_t sum_ = 0;
  std::string piece_;
};

result<dump_info> write_rows(kv_reader& kv, dump_header header, file& out) {
  dump_writer dump{out, header};
  if (auto begun = dump.begin(); !begun) return begun.error();
  const std::string prefix = key_maker{header.group}.all();
  for (table_id t = 0; t < id_of(table::count_); ++t) {
    const auto cursor = kv.cursor(t);
    for (auto row = cursor->seek(prefix); row && row->key.starts_with(prefix); row = cursor->next())
      if (auto added = dump.add(t, row->key.substr(prefix.size()), row->value); !added) return added.error();
  }
  // Checked before the end is written: a row that could not be read must not silently be missing.
  if (auto good = kv.status(); !good) return good.error();
  return dump.finish();
}

struct dump_row {
  table_id table = 0;
  std::string_view key, value; // valid until the next row is read
};

// Reads a file from its beginning and returns only verified rows. Memory: one piece.
class dump_reader {
public:
  static result<dump_reader> open(file_system& files, const std::string& path) {
    auto opened = files.open(path, open_mode::read_only);
    if (!opened) return opened.error();
    dump_reader reader{std::move(*opened), path};
    if (auto begun = reader.begin(); !begun) return begun.error();
    return reader;
  }

  result<std::optional<dump_row>> next(); // nullopt: the end, and the whole file is verified
  const dump_info& info() const { return info_; }

private:
  dump_reader(std::unique_ptr<file> source, std::string path) : source_(std::move(source)), path_(std::move(path)) {}

  result<void> begin();
  result<void> fill(std::size_t bytes);
  result<std::string_view> summed(std::string_view head, std::size_t bytes);
  result<bool> next_piece();
  result<void> check_end(std::string_view totals);
  result<void> check(const dump_row& row);
  result<void> check_meta(const dump_row& row);

  std::unique_ptr<file> source_;
  std::string path_;
  dump_info info_; // `bytes`: read so far
  std::uint64_t row_bytes_ = 0;
  std::uint32_t sum_ = 0;
  std::string piece_; // with its sum
  byte_reader rows_{std::string_view{}};
  std::optional<table_id> last_table_;
  std::string last_key_;
  bool format_seen_ = false, applied_seen_ = false;
};

result<void> dump_reader::fill(std::size_t bytes) {
  piece_.resize(bytes);
  const bytes_span into = std::as_writable_bytes(std::span{piece_});
  const auto read = source_->read(info_.bytes, std::span{&into, 1});
  if (!read) return read.error();
  if (*read != bytes) return damaged(path_, "truncated");
  info_.bytes += bytes;
  return {};
}

// Reads the next `bytes` bytes and their sum; the section of the file began with `head`.
result<std::string_view> dump_reader::summed(std::string_view head, std::size_t bytes) {
  if (auto read = fill(bytes + sum_bytes); !read) return read.error();
  const std::string_view body = std::string_view{piece_}.substr(0, bytes);
  sum_ = crc32c(view_of(body), crc32c(view_of(head), sum_));
  byte_reader sum{std::string_view{piece_}.substr(bytes)};
  if (sum.u32() != sum_) return damaged(path_, "checksum");
  return body;
}

result<void> dump_reader::begin() {
  if (auto read = fill(magic.size() + 1); !read) return read;
  const std::string head = piece_;
  if (!head.starts_with(magic)) return damaged(path_, "not a dump of metadata");
  const auto version = static_cast<std::uint8_t>(head.back());
  if (version > dump_version) return error{errc::unsupported, path_ + ": a dump of version " + std::to_string(version)};
  const auto rest = summed(head, header_bytes - head.size());
  if (!rest) return rest.error();
  byte_reader r{*rest};
  const std::uint8_t zero = r.u8();
  info_.header.group = r.u16();
  info_.header.applied = r.u64();
  if (version != dump_version || zero != 0) return damaged(path_, "header");
  return {};
}

// False: the end of the file.
result<bool> dump_reader::next_piece() {
  if (auto read = fill(length_bytes); !read) return read.error();
  const std::string head = piece_;
  const std::uint32_t length = byte_reader{std::string_view{head}}.u32();
  if (length > dump_row_bytes_max) return damaged(path_, "a piece is too long");
  const auto body = summed(head, length == 0 ? end_bytes - length_bytes : length);
  if (!body) return body.error();
  if (length == 0) {
    if (auto good = check_end(*body); !good) return good.error();
    return false;
  }
  row_bytes_ += length;
  rows_ = byte_reader{*body};
  return true;
}

result<void> dump_reader::check_end(std::string_view totals) {
  byte_reader r{totals};
  const bool complete = r.u64() == info_.rows && r.u64() == row_bytes_;
  if (!complete) return damaged(path_, "wrong totals");
  const auto size = source_->size();
  if (!size) return size.error();
  if (*size != info_.bytes) return damaged(path_, "has bytes after its end");
  if (!format_seen_ || applied_seen_ != (info_.header.applied != 0))
    return damaged(path_, "rows of the group are missing");
  return {};
}

result<void> dump_reader::check(const dump_row& row) {
  if (!rows_.ok() || row.key.size() > kv_key_bytes_max - sizeof(group_id)) return damaged(path_, "a row");
  if (row.table >= id_of(table::count_))
    return error{errc::unsupported, path_ + ": has a table of a newer version: " + std::to_string(row.table)};
  if (last_table_ && (row.table < *last_table_ || (row.table == *last_table_ && row.key <= last_key_)))
    return damaged(path_, "rows are not ascending");
  last_table_ = row.table;
  last_key_ = row.key;
  return row.table == id_of(table::meta) ? check_meta(row) : result<void>{};
}

result<void> dump_reader::check_meta(const dump_row& row) {
  const bool of_bucket = row.key.starts_with(static_cast<char>(meta_field::usage_of_bucket));
  if (row.key.size() != (of_bucket ? 1 + sizeof(bucket_id) : 1)) return damaged(path_, "a row");
  byte_reader r{row.value};
  if (row.key.front() == static_cast<char>(meta_field::format)) {
    const std::uint8_t format = r.u8();
    if (!r.finished()) return damaged(path_, "a row");
    if (format != format_version)
      return error{errc::unsupported, path_ + ": metadata of format " + std::to_string(format)};
    format_seen_ = true;
  } else if (row.key.front() == static_cast<char>(meta_field::applied)) {
    if (r.u64() != info_.header.applied || !r.finished()) return damaged(path_, "applied index");
    applied_seen_ = info_.header.applied != 0;
  }
  return {};
}

result<std::optional<dump_row>> dump_reader::next() {
  if (rows_.rest().empty()) {
    const auto more = next_piece();
    if (!more) return more.error();
    if (!*more) return std::optional<dump_row>{};
  }
  dump_row row;
  row.table = rows_.u8();
  row.key = rows_.string();
  row.value = rows_.string();
  if (auto good = check(row); !good) return good.error();
  ++info_.rows;
  return std::optional{row};
}

// Replaces a group's tables by rows that are added in order: a merge of the old and the new rows.
class table_merge {
public:
  table_merge(kv_writer& kv, group_id group) : kv_(kv), prefix_(key_maker{group}.all()) { enter(0); }

  void add(const dump_row& row) {
    while (table_ < row.table) {
      erase_before({});
      enter(static_cast<table_id>(table_ + 1));
    }
    erase_before(row.key);
    const bool there = old_ && old_->first == row.key, same = there && old_->second == row.value;
    if (there) keep(cursor_->next());
    if (!same) kv_.put(table_, prefix_ + std::string{row.key}, row.value);
  }
  void finish() {
    for (erase_before({}); table_ + 1 < id_of(table::count_); erase_before({}))
      enter(static_cast<table_id>(table_ + 1));
  }

private:
  void enter(table_id t) {
    table_ = t;
    cursor_ = kv_.cursor(t);
    keep(cursor_->seek(prefix_));
  }
  // Copies the pair, since writes invalidate views.
  void keep(std::optional<kv_pair> found) {
    old_.reset();
    if (found && found->key.starts_with(prefix_))
      old_.emplace(std::string{found->key.substr(prefix_.size())}, std::string{found->value});
  }
  // nullopt: erases all remaining rows of the table.
  void erase_before(std::optional<std::string_view> key) {
    for (; old_ && (!key || old_->first < *key); keep(cursor_->next())) kv_.erase(table_, prefix_ + old_->first);
  }

  kv_writer& kv_;
  const std::string prefix_;
  table_id table_ = 0;
  std::unique_ptr<kv_cursor> cursor_;
  std::optional<std::pair<std::string, std::string>> old_; // key without the group, value
};

template <class Take>
result<dump_info> read_all(file_system& files, const std::string& path, Take take) {
  auto reader = dump_reader::open(files, path);
  if (!reader) return reader.error();
  for (;;) {
    const auto row = reader->next();
    if (!row) return row.error();
    if (!*row) return reader->info();
    take(**row);
  }
}

} // namespace

result<dump_info> write_dump(kv_reader& kv, group_id group, file_system& files, const std::string& path) {
  const key_maker keys{group};
  const bool there = kv.get(id_of(table::meta), keys.meta(meta_field::format)).has_value();
  byte_reader applied{kv.get(id_of(table::meta), keys.meta(meta_field::applied)).value_or(std::string_view{})};
  const dump_header header{.group = group, .applied = applied.u64()};
  if (auto good = kv.status(); !good) return good.error();
  if (!there) return error{errc::corrupt, "no metadata of group " + std::to_string(group)};

  const std::string fresh = path + ".new";
  if (auto gone = files.remove(fresh); !gone && gone.error().code != errc::not_found) return gone.error();
  auto opened = files.open(fresh, open_mode::create);
  if (!opened) return opened.error();
  const auto written = write_rows(kv, header, **opened);
  opened->reset();
  if (!written) {
    static_cast<void>(files.remove(fresh)); // frees its space; if that fails, the next dump removes it
    return written.error();
  }
  if (auto renamed = files.rename(fresh, path); !renamed) return renamed.error();
  if (auto kept = files.flush_directory(std::filesystem::path{path}.parent_path().string()); !kept) return kept.error();
  return *written;
}

result<dump_header> read_dump_header(file_system& files, const std::string& path) {
  const auto reader = dump_reader::open(files, path);
  if (!reader) return reader.error();
  return reader->info().header;
}

result<dump_info> verify_dump(file_system& files, const std::string& path) {
  return read_all(files, path, [](const dump_row&) {});
}

result<dump_info> load_dump(kv_engine& engine, file_system& files, const std::string& path,
                            const dump_companion& also) {
  const auto verified = verify_dump(files, path);
  if (!verified) return verified.error();
  auto writer = engine.begin_write();
  if (!writer) return writer.error();
  table_merge tables{**writer, verified->header.group};
  // The file is read and verified a second time; an error now aborts the transaction.
  const auto read = read_all(files, path, [&](const dump_row& row) { tables.add(row); });
  if (!read) return read.error();
  tables.finish();
  if (also)
    if (auto added = also(**writer); !added) return added.error();
  if (auto committed = (*writer)->commit(); !committed) return committed.error();
  return *read;
}

result<dump_info> rebuild_from_dump(kv_engine& engine, file_system& files, const std::string& path) {
  const auto verified = verify_dump(files, path);
  if (!verified) return verified.error();
  const auto replaced = engine.replace([&](kv_writer& writer) -> result<void> {
    const std::string prefix = key_maker{verified->header.group}.all();
    const auto read = read_all(
        files, path, [&](const dump_row& row) { writer.put(row.table, prefix + std::string{row.key}, row.value); });
    return read ? writer.status() : read.error();
  });
  return replaced ? verified : replaced.error();
}

} // namespace cairn::storage::metadata
