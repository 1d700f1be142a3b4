// The class that implements the chunk store, shared by chunk_store_open.cpp (recovery), chunk_store_read.cpp,
// chunk_store_scrub.cpp, chunk_store_write.cpp (group commit), chunk_store_segments.cpp and chunk_store_erase.cpp
// (erase, punch). Not for other files.
//
// Order of writes, each step durable before the next:
//   segment     file created and preallocated → directory flushed → row (active) committed → records
//   write       records written → file flushed → rows committed → acknowledged
//   seal        footer written, file truncated and flushed → row (sealed) committed → tail rows removed, some a commit
//   erase       chunk rows removed and to_punch rows added in one commit
//   punch       readers have ended → holes punched → file flushed → to_punch rows removed
//   unlink      segment sealed, no live chunk, no to_punch row → file removed → directory flushed → row removed
// Recovery appends after the last acknowledged record of the active segment, which is the newest unsealed one; bytes
// after it were never acknowledged. A segment file without a row is left by a crash between the steps and has no
// record; if it has one, the index is older than the segment files.
#pragma once

#include "storage/chunks/chunk_index.hpp"
#include "storage/chunks/disk_identity.hpp"
#include "storage/chunks/location_cache.hpp"
#include "storage/chunks/read_pins.hpp"
#include "storage/chunks/segment_files.hpp"

#include <deque>
#include <map>
#include <mutex>

namespace cairn::storage {

class segment_chunk_store final : public chunk_store {
public:
  using segment_rows = std::map<std::uint64_t, chunk_index::segment_row>;

  segment_chunk_store(chunk_store_options options, file_system& files, kv_engine& index, disk_identity identity,
                      std::shared_ptr<void> lock, std::uint64_t first_generation);
  result<void> recover(); // called once, before any other function

  std::vector<result<void>> write(std::span<const chunk_write> batch) override;
  result<chunk_read_result> read(const chunk_id& id, std::uint32_t offset, std::uint32_t length, std::byte* into,
                                 bool direct) override;
  result<chunk_read_result> read_cached(const chunk_id& id, std::uint32_t offset, std::uint32_t length,
                                        std::byte* into) override;
  result<std::uint64_t> erase(std::span<const chunk_id> ids) override;
  result<std::uint64_t> punch(std::size_t rows_max, std::uint64_t bytes_max) override;
  result<bool> seal(std::size_t rows_max) override;
  void try_room() override;
  result<std::vector<chunk_id>> list(const std::optional<chunk_id>& after, std::size_t max) override;
  result<std::vector<chunk_id>> missing(std::span<const chunk_id> ids) override;
  result<scrub_page> scrub(const std::optional<chunk_id>& after, std::uint64_t max_bytes) override;
  result<scrub_page> verify(std::span<const chunk_id> ids) override;
  chunk_store_stats stats() const override;
  void quarantine() override;
  const uuid& disk_uuid() const override { return identity_.id; }

private:
  struct unsealed_segment {
    std::uint64_t id = 0;
    std::unique_ptr<file> opened;
    std::uint64_t capacity = 0; // bytes of the file
    std::uint64_t records = 0;  // number of its tail rows
  };
  struct pending_write {
    std::size_t position = 0;              // in the batch
    std::optional<chunk_location> damaged; // the damaged record that the write replaces
  };
  struct repeated_write {
    std::size_t position = 0, first = 0; // of the same id in one batch
  };
  // Segment rows as the current transaction will leave them.
  class row_changes {
  public:
    explicit row_changes(const segment_rows& rows) : rows_(rows) {}
    chunk_index::segment_row* of(std::uint64_t segment);                                      // null: no such segment
    void retire(kv_writer& writer, std::uint64_t generation, const chunk_location& location); // live → to_punch
    void put(kv_writer& writer) const;
    void apply(segment_rows& rows, std::uint64_t& live_bytes) const; // live_bytes: the sum over all rows, updated

  private:
    const segment_rows& rows_;
    segment_rows changed_;
  };

  // Recovery.
  result<void> load_rows();
  result<void> remove_strays();
  result<void> resume_active();

  // Reading.
  enum class read_source : std::uint8_t { from_memory, from_disk, direct };
  result<void> readable(std::uint32_t offset) const;
  result<chunk_read_result> read_record(file& from, read_source source, bool verify, const chunk_id& id,
                                        const chunk_location& at, std::uint32_t offset, std::uint32_t length,
                                        std::byte* into) const;
  result<chunk_read_result> read_from_disk(read_source source, bool verify, const chunk_id& id,
                                           const chunk_location& at, std::uint32_t offset, std::uint32_t length,
                                           std::byte* into);
  result<chunk_location> look_up(const chunk_id& id);
  result<void> scrub_chunk(const chunk_id& id, bytes_span buffer, scrub_page& page);

  // Writing.
  result<void> writable() const;
  std::vector<pending_write> prepare(std::span<const chunk_write> batch, std::vector<result<void>>& answers,
                                     std::vector<repeated_write>& repeated);
  result<bool> holds(const chunk_id& id, const chunk_location& at, bytes_view payload);
  std::size_t how_many_fit(std::span<const chunk_write> batch, std::span<const pending_write> wanted) const;
  result<void> append(std::span<const chunk_write> batch, std::span<const pending_write> group);
  result<void> write_records(std::span<const chunk_write> batch, std::span<const pending_write> group,
                             std::vector<segment_entry>& placed);
  result<void> make_room(std::uint64_t record);
  result<void> make_segment(std::uint64_t size, std::uint64_t size_min);
  std::uint64_t sealing_frees() const;
  result<void> seal_oldest();
  result<void> drop_sealed_tails(std::size_t rows_max);
  result<void> remove_empty_segments();
  result<void> punch_ranges(std::uint64_t segment, std::span<const chunk_index::punch_row> rows);
  void count_punched(std::span<const chunk_index::punch_row> rows) const;

  // After a failed flush or commit the state on the device is unknown, so the disk accepts no more writes. Not after
  // no_space, which leaves the state unchanged.
  result<void> flushed(result<void> outcome, const char* what);
  result<void> commit(kv_writer& writer);
  void turn_read_only(const error& reason);
  void refresh_space();
  std::uint64_t usable_bytes() const;                                // free bytes beyond the reserve
  void note_room(const result<void>& outcome, std::uint64_t record); // of a write that needed it
  void publish();

  const chunk_store_options options_;
  file_system& files_;
  kv_engine& index_;
  const disk_identity identity_;
  const std::shared_ptr<void> lock_;
  std::atomic<disk_state> state_{disk_state::healthy};
  read_pins pins_;
  location_cache cache_;
  segment_files readers_;

  // Used only by the writer.
  segment_rows rows_;
  std::optional<unsealed_segment> active_;
  std::deque<unsealed_segment> full_; // not sealed yet, oldest first
  bool sealed_tails_ = true;          // the index may have tail rows of sealed segments
  std::uint64_t next_segment_ = 1, chunks_ = 0, to_punch_ = 0, used_bytes_ = 0, reserve_bytes_ = 0;
  std::uint64_t refused_record_ = 0; // bytes of the last record without room; 0: there has been room since
  space space_;
  bool space_unknown_ = false;

  mutable std::mutex stats_mutex_;
  chunk_store_stats stats_;
};

} // namespace cairn::storage
