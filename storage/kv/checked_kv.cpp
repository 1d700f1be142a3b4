#include "storage/kv/checked_kv.hpp"

#include "base/codec.hpp"
#include "base/log.hpp"
#include "storage/kv/checked_rows.hpp"

#include <algorithm>
#include <atomic>
#include <forward_list>
#include <mutex>

namespace cairn::storage {

namespace {

using namespace checked_rows;

constexpr std::uint8_t marker_version = 2, older_marker_version = 1;
constexpr std::uint32_t all_tables = ~std::uint32_t{0};
constexpr std::string_view marker_key = "rows";
constexpr std::uint64_t small_table_rows = 1024;
constexpr std::size_t rows_per_step = 4096;

// Which rows have a checksum.
struct progress {
  std::uint32_t done = 0;
  table_id table = 0;
  std::string key;
  bool older = false; // as read: the row is of an older version

  bool complete() const { return done == all_tables; }
  bool covers(table_id t, std::string_view k) const {
    return complete() || (done >> t & 1u) != 0 || (t == table && k < key);
  }
};

std::string encode(const progress& p) {
  return byte_writer{}.u8(marker_version).u32(p.done).u8(p.table).string(p.key).take();
}

result<progress> decode(std::string_view bytes) {
  byte_reader r{bytes};
  const std::uint8_t version = r.u8();
  if (r.ok() && version > marker_version) return error{errc::unsupported, "rows of a newer version"};
  progress p;
  p.older = version < marker_version;
  p.done = r.u32();
  p.table = r.u8();
  p.key = r.string();
  if (!r.finished() || version < older_marker_version)
    return error{errc::corrupt, "the row about checksums does not decode"};
  return p;
}

struct shared_state {
  checked_kv_options options;
  std::mutex mutex;
  std::shared_ptr<const progress> at; // under mutex: as of the last commit
  std::atomic<bool> complete{false};

  table_id marker_table() const { return options.tables; }
  table_id number_of(table_id t) const { // in checksums
    return t == marker_table() ? std::min(t, checked_kv_number_max) : t;
  }
  void publish(progress p) {
    const std::lock_guard lock{mutex};
    complete.store(p.complete());
    at = std::make_shared<const progress>(std::move(p));
  }
};

const std::shared_ptr<const progress>& complete_progress() {
  static const auto all = std::make_shared<const progress>(progress{all_tables, 0, {}});
  return all;
}

class checked_cursor;

class checked_transaction final : public kv_writer {
public:
  // Of `replace`, which owns the writer; its tables are empty.
  checked_transaction(shared_state& s, std::shared_ptr<const progress> at, kv_writer* writer)
      : s_(s), at_(std::move(at)), reader_(writer), writer_(writer), replaces_(true) {}
  // `writer`: null for a reader.
  checked_transaction(shared_state& s, std::shared_ptr<const progress> at, std::unique_ptr<kv_reader> reader,
                      kv_writer* writer)
      : s_(s), at_(std::move(at)), owned_(std::move(reader)), reader_(owned_.get()), writer_(writer) {}

  std::optional<std::string_view> get(table_id table, std::string_view key) override;
  std::unique_ptr<kv_cursor> cursor(table_id table) override;
  std::uint64_t entries(table_id table) override { return failure_ ? 0 : reader_->entries(table); }
  result<void> status() const override {
    if (failure_) return *failure_;
    return reader_->status();
  }
  void skip_damaged_rows(bool on) override {
    skips_ = on;
    if (on) skipped_ = false;
  }
  bool has_skipped_rows() const override { return skipped_; }
  void put(table_id table, std::string_view key, std::string_view value) override;
  bool erase(table_id table, std::string_view key) override;
  result<void> commit() override;

  // Adds checksums to as many rows as the bounds allow. Returns their number.
  std::size_t convert(std::size_t rows, std::size_t bytes);
  void convert_small_tables();

private:
  friend class checked_cursor;

  // The row's value, or nullopt if it is damaged. `joined`: the place of a value that is stored in two rows.
  std::optional<std::string_view> checked(table_id table, std::string_view key, std::string_view stored,
                                          std::string& joined, bool of_cursor = false) {
    if (!at_->covers(table, key)) return stored;
    const auto row = parse(stored);
    const auto value = row && row->is_begin() ? join(table, key, *row, joined) : unwrapped(table, key, stored);
    if (!value && reader_->status()) damaged(table, key, "checksum", of_cursor);
    return value;
  }
  std::optional<std::string_view> join(table_id table, std::string_view key, const stored_row& begin,
                                       std::string& joined);
  bool has_end(table_id table, std::string_view key);
  void put_page_value(table_id table, std::string_view key, std::string_view value);
  void damaged(table_id table, std::string_view key, const char* what, bool of_cursor = false) {
    if (failure_) return;
    const std::string text = describe_row(table, key) + ": " + what;
    s_.options.damage->report(text);
    if (of_cursor && skips_)
      skipped_ = true;
    else
      failure_ = error{errc::corrupt, text};
  }
  bool failed() const { return failure_ || !reader_->status(); }
  void check_absence(table_id table, std::string_view key);
  std::size_t convert_table(table_id table, std::size_t rows, std::size_t bytes, progress& p);

  shared_state& s_;
  std::shared_ptr<const progress> at_;
  std::unique_ptr<kv_reader> owned_;
  kv_reader* reader_;
  kv_writer* writer_;
  const bool replaces_ = false;
  std::string buffer_, end_;
  std::forward_list<std::string> joined_; // values in two rows that views refer to
  std::optional<error> failure_;
  bool skips_ = false, skipped_ = false;
};

class checked_cursor final : public kv_cursor {
public:
  checked_cursor(checked_transaction& t, table_id table)
      : transaction_(t), table_(table), below_(t.reader_->cursor(table)) {}

  // A damaged key may have been the wanted key, and may now sort before it. So the row before is checked too.
  std::optional<kv_pair> seek(std::string_view key) override {
    positioned_ = false;
    if (transaction_.failure_ || (!key.empty() && !front_is_good(key))) return {};
    return show(below_->seek(key), key, false);
  }
  std::optional<kv_pair> next() override {
    if (transaction_.failure_ || !positioned_) return {};
    return show(below_->next(), last_, true);
  }
  std::optional<kv_pair> before(std::string_view key) override {
    positioned_ = false;
    if (transaction_.failure_) return {};
    auto found = below_->before(key);
    if (!found) return {};
    const auto value = transaction_.checked(table_, found->key, found->value, joined_);
    if (!value) return {};
    found->value = *value;
    return found;
  }

private:
  bool front_is_good(std::string_view key) {
    const auto front = below_->before(key);
    return !front || transaction_.checked(table_, front->key, front->value, joined_, true) || !transaction_.failed();
  }
  std::optional<kv_pair> show(std::optional<kv_pair> found, std::string_view bound, bool behind) {
    positioned_ = false;
    for (; found && !transaction_.failed(); found = below_->next()) {
      const int order = found->key.compare(bound);
      if (order < 0 || (behind && order == 0)) {
        transaction_.damaged(table_, found->key, "keys are not ascending", true);
        continue;
      }
      const auto value = transaction_.checked(table_, found->key, found->value, joined_, true);
      if (!value) continue;
      last_.assign(found->key);
      positioned_ = true;
      return kv_pair{found->key, *value};
    }
    return {};
  }

  checked_transaction& transaction_;
  const table_id table_;
  std::unique_ptr<kv_cursor> below_;
  std::string last_, joined_;
  bool positioned_ = false;
};

std::optional<std::string_view> checked_transaction::join(table_id table, std::string_view key, const stored_row& begin,
                                                          std::string& joined) {
  const auto at = end_key(table, key);
  const auto stored = reader_->get(s_.marker_table(), at);
  const auto end = stored ? unwrapped(s_.number_of(s_.marker_table()), at, *stored) : std::nullopt;
  if (!end) return {};
  return join_rows(table, key, begin, *end, joined);
}

std::optional<std::string_view> checked_transaction::get(table_id table, std::string_view key) {
  if (failure_) return {};
  const auto stored = reader_->get(table, key);
  if (!stored) {
    check_absence(table, key);
    return {};
  }
  std::string joined;
  const auto value = checked(table, key, *stored, joined);
  if (value && !joined.empty()) joined_.push_front(std::move(joined)); // longer than the string object itself
  return value;
}

// Checks the rows before and after the place of the key: one of them could be the wanted row with a damaged key.
void checked_transaction::check_absence(table_id table, std::string_view key) {
  if (failure_ || !reader_->status()) return;
  const auto at = reader_->cursor(table);
  std::string joined;
  if (const auto front = at->before(key)) checked(table, front->key, front->value, joined);
  const auto behind = at->seek(key);
  if (!behind) return;
  if (behind->key == key) return damaged(table, key, "an exact lookup does not find the row");
  checked(table, behind->key, behind->value, joined);
}

std::unique_ptr<kv_cursor> checked_transaction::cursor(table_id table) {
  return std::make_unique<checked_cursor>(*this, table);
}

void checked_transaction::put(table_id table, std::string_view key, std::string_view value) {
  if (failure_) return;
  if (!at_->covers(table, key)) return writer_->put(table, key, value);
  if (table == s_.options.page_values) return put_page_value(table, key, value);
  wrap(buffer_, s_.number_of(table), key, value);
  writer_->put(table, key, buffer_);
}

// `key` and `value` may be views of this transaction, which the first write ends.
void checked_transaction::put_page_value(table_id table, std::string_view key, std::string_view value) {
  const auto begin = begin_bytes(key, value.size());
  const bool splits = begin < value.size();
  const bool had_end = !splits && !replaces_ && has_end(table, key);
  const auto at = splits || had_end ? end_key(table, key) : std::string{};
  if (splits) {
    wrap(end_, s_.number_of(s_.marker_table()), at, value.substr(begin));
    wrap_begin(buffer_, table, key, value, begin);
  } else {
    wrap(buffer_, table, key, value);
  }
  writer_->put(table, key, buffer_);
  if (splits) writer_->put(s_.marker_table(), at, end_);
  if (had_end) writer_->erase(s_.marker_table(), at);
  joined_.clear();
}

// Whether the row that is stored now has its end in a row of its own.
bool checked_transaction::has_end(table_id table, std::string_view key) {
  const auto stored = reader_->get(table, key);
  const auto row = stored && at_->covers(table, key) ? parse(*stored) : std::nullopt;
  return row && row->is_begin();
}

bool checked_transaction::erase(table_id table, std::string_view key) {
  if (failure_) return false;
  const bool had_end = table == s_.options.page_values && has_end(table, key);
  const auto end_at = had_end ? end_key(table, key) : std::string{};
  if (writer_->erase(table, key)) {
    if (had_end) writer_->erase(s_.marker_table(), end_at);
    joined_.clear();
    return true;
  }
  check_absence(table, key);
  return false;
}

result<void> checked_transaction::commit() {
  if (failure_) return *failure_; // the transaction is aborted when it is destroyed
  const bool unfinished = !s_.complete.load();
  if (unfinished && !at_->complete()) convert(s_.options.rows_per_commit, s_.options.bytes_per_step);
  if (failure_) return *failure_;
  if (auto committed = writer_->commit(); !committed) return committed;
  if (unfinished) s_.publish(*at_);
  return {};
}

// Converts rows from p.key on; sets the table's bit when its end is reached.
std::size_t checked_transaction::convert_table(table_id table, std::size_t rows, std::size_t bytes, progress& p) {
  const auto cursor = reader_->cursor(table);
  std::size_t converted = 0, moved = 0;
  std::string key;
  for (auto row = cursor->seek(p.key); row; row = cursor->next(), ++converted) {
    if (converted == rows || moved >= bytes) {
      p.key.assign(row->key);
      return converted;
    }
    key.assign(row->key);
    moved += row->value.size();
    wrap(buffer_, table, key, row->value);
    writer_->put(table, key, buffer_);
  }
  p.done |= std::uint32_t{1} << table;
  p.key.clear();
  return converted;
}

std::size_t checked_transaction::convert(std::size_t rows, std::size_t bytes) {
  progress p = *at_;
  std::size_t converted = 0;
  for (table_id t = 0; t < s_.options.tables && converted < rows; ++t) {
    if ((p.done >> t & 1u) != 0) continue;
    if (p.table != t) p.key.clear();
    p.table = t;
    converted += convert_table(t, rows - converted, bytes, p);
    if ((p.done >> t & 1u) == 0) break;
  }
  const std::uint32_t mine = (std::uint32_t{1} << s_.options.tables) - 1;
  if ((p.done & mine) == mine) p = *complete_progress();
  wrap(buffer_, s_.number_of(s_.marker_table()), marker_key, encode(p));
  writer_->put(s_.marker_table(), marker_key, buffer_);
  at_ = std::make_shared<const progress>(std::move(p));
  return converted;
}

void checked_transaction::convert_small_tables() {
  progress p = *at_;
  for (table_id t = 0; t < s_.options.tables; ++t) {
    if ((p.done >> t & 1u) != 0 || (p.table == t && !p.key.empty()) || reader_->entries(t) > small_table_rows) continue;
    progress whole;
    convert_table(t, small_table_rows + 1, ~std::size_t{0}, whole);
    p.done |= whole.done;
  }
  at_ = std::make_shared<const progress>(std::move(p));
}

class checked_engine final : public kv_engine {
public:
  checked_engine(std::unique_ptr<kv_engine> below, checked_kv_options options) : below_(std::move(below)) {
    s_.options = std::move(options);
  }

  result<void> open();
  result<std::unique_ptr<kv_reader>> begin_read() override {
    if (refused_) return refusal();
    const bool complete = s_.complete.load(); // loaded before the snapshot begins, which is then complete too
    auto reader = below_->begin_read();
    if (!reader) return reader.error();
    auto at = complete_progress();
    if (!complete) {
      auto read = read_progress(**reader);
      if (!read) return read.error();
      at = std::make_shared<const progress>(std::move(*read));
    }
    return std::unique_ptr<kv_reader>{new checked_transaction(s_, std::move(at), std::move(*reader), nullptr)};
  }
  result<std::unique_ptr<kv_writer>> begin_write() override {
    auto writer = begin();
    if (!writer) return writer.error();
    return std::unique_ptr<kv_writer>{std::move(*writer)};
  }
  result<void> replace(const std::function<result<void>(kv_writer&)>& fill) override {
    const auto filled = [&](kv_writer& writer) -> result<void> {
      checked_transaction all{s_, complete_progress(), &writer};
      all.put(s_.marker_table(), marker_key, encode(*complete_progress()));
      if (auto good = fill(all); !good) return good;
      return all.status();
    };
    if (auto replaced = below_->replace(filled); !replaced) return replaced;
    s_.publish(*complete_progress());
    s_.options.damage->replaced();
    refused_ = false;
    return {};
  }

private:
  static error refusal() { return {errc::corrupt, "the row about checksums cannot be read"}; }
  result<void> begin_conversion();
  result<void> renew_marker();
  result<std::unique_ptr<checked_transaction>> begin() {
    if (refused_) return refusal();
    auto writer = below_->begin_write();
    if (!writer) return writer.error();
    kv_writer* const raw = writer->get();
    // There is one writer at a time, so the published progress is the one that this transaction sees.
    auto at = [&] {
      const std::lock_guard lock{s_.mutex};
      return s_.at;
    }();
    return std::make_unique<checked_transaction>(s_, std::move(at), std::move(*writer), raw);
  }
  result<progress> read_progress(kv_reader& reader) const {
    const auto stored = reader.get(s_.marker_table(), marker_key);
    if (auto good = reader.status(); !good) return good.error();
    if (!stored) return progress{};
    const auto bytes = unwrapped(s_.number_of(s_.marker_table()), marker_key, *stored);
    if (!bytes) {
      s_.options.damage->report("the row about checksums");
      return error{errc::corrupt, "the row about checksums is damaged"};
    }
    return decode(*bytes);
  }

  std::unique_ptr<kv_engine> below_;
  mutable shared_state s_;
  std::atomic<bool> refused_{false}; // too damaged to be opened
};

result<void> checked_engine::open() {
  auto opened = begin_conversion();
  const bool damage = !opened && (opened.error() == errc::corrupt || opened.error() == errc::quarantined);
  if (!damage || !s_.options.opens_damaged) return opened;
  s_.options.damage->unreadable();
  refused_ = true;
  s_.publish(*complete_progress());
  return {};
}

result<void> checked_engine::renew_marker() {
  auto writer = begin();
  if (!writer) return writer.error();
  (*writer)->put(s_.marker_table(), marker_key, encode(*complete_progress()));
  auto renewed = (*writer)->commit();
  if (renewed || renewed.error() != errc::no_space) return renewed;
  s_.options.page_values.reset(); // until the next start: a full disk is no reason not to start
  return {};
}

result<void> checked_engine::begin_conversion() {
  bool older = false;
  {
    auto reader = below_->begin_read();
    if (!reader) return reader.error();
    auto at = read_progress(**reader);
    if (!at) return at.error();
    older = at->older;
    s_.publish(std::move(*at));
  }
  if (s_.options.reads_only) return {};
  if (s_.complete) return older && s_.options.page_values ? renew_marker() : result<void>{};
  bool first = true;
  for (std::size_t converted = 0; !s_.complete && converted < s_.options.rows_at_open;) {
    auto writer = begin();
    if (!writer) return writer.error();
    if (first) (*writer)->convert_small_tables();
    converted += (*writer)->convert(rows_per_step, s_.options.bytes_per_step) + 1;
    if (auto committed = (*writer)->commit(); !committed) return committed;
    first = false;
  }
  if (!s_.complete) log::info("rows of an older version get their checksums with later commits", {});
  return {};
}

} // namespace

result<std::unique_ptr<kv_engine>> make_checked_kv(std::unique_ptr<kv_engine> engine, checked_kv_options options) {
  CAIRN_ASSERT(options.tables <= checked_kv_tables_max);
  if (!options.damage) options.damage = std::make_shared<kv_damage>("memory");
  auto checked = std::make_unique<checked_engine>(std::move(engine), std::move(options));
  if (auto opened = checked->open(); !opened) return opened.error();
  return std::unique_ptr<kv_engine>{std::move(checked)};
}

result<std::unique_ptr<kv_engine>> open_lmdb(const lmdb_options& options) {
  lmdb_options below = options;
  if (!below.damage) below.damage = std::make_shared<kv_damage>(options.directory);
  checked_kv_options checked{.tables = options.tables, .page_values = options.page_values, .damage = below.damage};
  checked.reads_only = options.reads_only;
  checked.opens_damaged = options.opens_damaged;
  auto engine = open_plain_lmdb(below, std::string{checked_kv_table});
  if (!engine) return engine.error();
  return make_checked_kv(std::move(*engine), std::move(checked));
}

} // namespace cairn::storage
