// The chunks of one disk: segment files, their LMDB index, recovery. Synchronous: the chunk_store actor runs the
// blocking calls on the disk's executors. One writer at a time (write, erase, punch, seal: the disk's write executor
// has one thread); reads from any number of threads.
//
// After a crash: every chunk acknowledged by `write` is intact; every other chunk is absent, or complete and
// unreferenced. Format: storage/chunks/record.hpp (records), storage/chunks/segment.hpp (segment files, footers),
// storage/chunks/chunk_index.hpp (tables).
#pragma once

#include "base/file_system.hpp"
#include "base/ids.hpp"
#include "base/memory/buffer_pool.hpp"
#include "base/metrics.hpp"
#include "base/seams.hpp"
#include "storage/kv/kv.hpp"

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cairn::storage {

struct chunk_store_options {
  std::string directory;
  std::uint64_t segment_size_bytes = 1ull << 30;
  std::uint64_t reserve_bytes = 0; // 0: the larger of 1 % of the file system and 1 GiB
  bool verify_reads = true;
  std::size_t location_cache_entries = 1 << 16;
  std::shared_ptr<void> lock;       // of the directory, if the caller already holds it
  counter* bytes_punched = nullptr; // counts bytes returned to the file system; outlives the store; may be null
};

struct chunk_write {
  chunk_id id;
  bytes_view payload; // 1 byte to 16 MiB; valid until write returns
};

// The buffer's bytes [0, length) are the payload's bytes from the requested offset on.
struct chunk_read_result {
  std::uint32_t length = 0;       // bytes written to the buffer
  std::uint32_t chunk_length = 0; // payload bytes of the whole chunk
};

enum class disk_state : std::uint8_t { healthy, read_only, quarantined };

struct chunk_store_stats {
  disk_state state = disk_state::healthy;
  std::uint64_t chunks = 0, segments = 0, to_punch = 0;
  std::uint64_t used_bytes = 0; // record bytes of live chunks: payload rounded up to 4 KiB, and the header page
  space disk;
  std::uint64_t reserve_bytes = 0;
  bool sealing = false; // seal() has something to do
  bool full = false;    // a write was refused with no_space, and there has been no room for one of its size since
};

struct scrub_page {
  std::vector<chunk_id> corrupt;       // records that fail verification
  std::vector<chunk_id> unreadable;    // records for which the device returns an error
  std::optional<chunk_id> reached;     // `after` of the next call; nullopt: the last chunk was reached
  std::uint64_t chunks = 0, bytes = 0; // read; bytes include headers and padding
};

class chunk_store {
public:
  // Opens or creates the disk: checks its identity, recovers, and punches the space of to_punch rows (at most about
  // 16,384 rows; `punch` does the rest). Errors: locked, corrupt, io_error, no_space, unsupported (the file system
  // cannot punch holes), quarantined (an earlier failure left a marker; `cairn storage check --clear-quarantine`
  // removes it). `index` has chunk_index_tables tables, is stored in index_directory(options.directory)
  // (storage/chunks/disk_identity.hpp), and outlives the store.
  static result<std::unique_ptr<chunk_store>> open(chunk_store_options options, file_system& files, kv_engine& index,
                                                   random_source& random);
  virtual ~chunk_store() = default;

  // Group commit: appends all records, with one flush and one index transaction per segment used; durable when it
  // returns. One result per chunk: success (also if the same bytes are already stored), no_space, read_only,
  // quarantined, io_error, invalid_argument, content_mismatch, or an error of the index. A chunk that is already stored
  // is read and verified. If its record is corrupt or unreadable, it is replaced by the new payload, and its space
  // becomes a to_punch row in the same index transaction.
  virtual std::vector<result<void>> write(std::span<const chunk_write> batch) = 0;

  // Reads payload bytes [offset, offset + length), clipped to the chunk's end; offset is a multiple of 64 KiB, `into`
  // has room for length. Verifies the header, the id and, with verify_reads, the checksum of every block it touches.
  // With `direct` the read bypasses the page cache where that is possible (`into` on a page boundary, O_DIRECT).
  // Errors: not_found, corrupt, io_error, quarantined, invalid_argument (offset).
  virtual result<chunk_read_result> read(const chunk_id& id, std::uint32_t offset, std::uint32_t length,
                                         std::byte* into, bool direct = false) = 0;
  // As read(), but only from memory and without blocking: would_block if the location or the bytes are not cached, or
  // if the read fails.
  virtual result<chunk_read_result> read_cached(const chunk_id& id, std::uint32_t offset, std::uint32_t length,
                                                std::byte* into) = 0;

  // Removes index rows and adds to_punch rows for their space, in one transaction. A missing chunk is no error. Returns
  // the number of chunks removed.
  virtual result<std::uint64_t> erase(std::span<const chunk_id> ids) = 0;
  // Punches the space of at most rows_max to_punch rows that no running read can use any more, none behind the one with
  // which they have bytes_max bytes, and unlinks empty segments. Returns the number of rows processed.
  virtual result<std::uint64_t> punch(std::size_t rows_max, std::uint64_t bytes_max = all_bytes) = 0;
  static constexpr std::uint64_t all_bytes = std::numeric_limits<std::uint64_t>::max();

  // A step of sealing full segments, which `write` leaves behind so that it does not wait: seals the oldest one, or
  // removes at most `rows_max` rows that the index has kept for sealed ones. Returns whether there is more to do.
  virtual result<bool> seal(std::size_t rows_max) = 0;

  // While stats().full: tries whether there is room again. Free bytes do not tell, because quotas and inodes can be
  // used up too, so it makes the segment that the refused write needed, and commits to the index. Writer only.
  virtual void try_room() = 0;

  // Chunk ids after `after` in index order (partition, id), at most `max`: a page of the walk that finds orphaned
  // chunks.
  virtual result<std::vector<chunk_id>> list(const std::optional<chunk_id>& after, std::size_t max) = 0;

  // The ids that the index does not have. May wait for the disk.
  virtual result<std::vector<chunk_id>> missing(std::span<const chunk_id> ids) = 0;

  // Reads and verifies whole records after `after` in index order, bypassing the page cache where possible, until about
  // `max_bytes` were read, but at least one record. Any thread, concurrently with everything else; delays punching for
  // the duration of one record. A chunk that is written or erased meanwhile may be left out, and is never falsely
  // reported. Errors: quarantined, and those of the index; damaged records are listed in the page.
  virtual result<scrub_page> scrub(const std::optional<chunk_id>& after, std::uint64_t max_bytes) = 0;
  // As scrub(), for those of the ids that are stored; `reached` has no meaning.
  virtual result<scrub_page> verify(std::span<const chunk_id> ids) = 0;

  virtual chunk_store_stats stats() const = 0; // from memory; write and punch refresh the disk's free space
  virtual void quarantine() = 0;               // called by the kv engine's on_quarantine
  virtual const uuid& disk_uuid() const = 0;
};

constexpr table_id chunk_index_tables = 5;

// `cairn storage check`: compares a stopped disk with its index: every record's header and, with `deep`, every block;
// that the space of deleted chunks is freed or has a to_punch row; footers and counts. Changes nothing. Errors: locked,
// not_found (no disk), corrupt (its identity or the index's owner), io_error; faults of single records are problems.
struct check_report {
  std::uint64_t segments = 0, chunks = 0, bytes = 0;
  std::vector<std::string> problems; // "segment 3 offset 8192: header checksum"
};
using check_progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
result<check_report> check_disk(const chunk_store_options& options, file_system& files, kv_engine& index, bool deep,
                                const check_progress& progress);
// `cairn storage rebuild-index`: fills an empty index from footers or, where these are missing, from records, and seals
// all segments. Chunks that were deleted but not yet punched reappear; the walk that finds orphaned chunks removes
// them. If it fails, the index stays incomplete and `open` refuses it. invalid_argument: the index is not empty.
result<check_report> rebuild_index(const chunk_store_options& options, file_system& files, kv_engine& index,
                                   const check_progress& progress);

} // namespace cairn::storage
