// One disk's chunks: segment files, their LMDB index, recovery. Plain and synchronous: the chunk_store actor runs the
// blocking calls on the disk's executors. One writer at a time (write, erase, punch: the disk's write executor has one
// thread); reads from any thread at once.
//
// After a crash: every chunk acknowledged by `write` is intact; every other is absent or whole and unreferenced.
// Format: storage/chunks/record.hpp (records), storage/chunks/segment.hpp (segment files, footers),
// storage/chunks/chunk_index.hpp (tables).
#pragma once

#include "base/file_system.hpp"
#include "base/ids.hpp"
#include "base/memory/buffer_pool.hpp"
#include "base/metrics.hpp"
#include "base/seams.hpp"
#include "storage/kv/kv.hpp"

#include <functional>
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
  std::shared_ptr<void> lock;       // of the directory, when the caller holds it already
  counter* bytes_punched = nullptr; // counts what is given back to the file system; outlives the store; may be null
};

struct chunk_write {
  chunk_id id;
  bytes_view payload; // 1 byte to 16 MiB; valid until write returns
};

// Where the bytes of a read lie in the buffer: [0, length) are the payload's bytes from `offset` of the chunk on.
struct chunk_read_result {
  std::uint32_t length = 0;       // bytes put into the buffer
  std::uint32_t chunk_length = 0; // bytes of the whole chunk's payload
};

enum class disk_state : std::uint8_t { healthy, read_only, quarantined };

struct chunk_store_stats {
  disk_state state = disk_state::healthy;
  std::uint64_t chunks = 0, segments = 0, to_punch = 0;
  std::uint64_t used_bytes = 0; // of live chunks: payloads, each with its header page and rounded up to 4 KiB
  space disk;
  std::uint64_t reserve_bytes = 0;
};

struct scrub_page {
  std::vector<chunk_id> corrupt;       // records that fail verification
  std::vector<chunk_id> unreadable;    // that the device answers with an error
  std::optional<chunk_id> reached;     // `after` of the next call; nothing: every chunk was looked at
  std::uint64_t chunks = 0, bytes = 0; // read, bytes with headers and padding
};

class chunk_store {
public:
  // Opens or creates; replays to_punch rows (at most 16,384, `punch` does the rest), drops torn tails, checks identity.
  // Errors: locked, corrupt, io_error, unsupported (the file system can't punch holes), quarantined (a marker of an
  // earlier failure is there; `cairn storage check --clear-quarantine` removes it).
  // `index` holds chunk_index_tables tables, lies in index_directory(options.directory)
  // (storage/chunks/disk_identity.hpp), and outlives the store.
  static result<std::unique_ptr<chunk_store>> open(chunk_store_options options, file_system& files, kv_engine& index,
                                                   random_source& random);
  virtual ~chunk_store() = default;

  // Group commit: appends all, one flush, one index transaction; durable when it returns. One answer a chunk:
  // no_space, read_only, io_error, content_mismatch, or success (also when the same bytes were there already). What is
  // there already is read and verified first: a record that is corrupt or can't be read counts for nothing and is
  // replaced, whatever bytes it was made of, and its space goes to to_punch in the same index transaction.
  virtual std::vector<result<void>> write(std::span<const chunk_write> batch) = 0;

  // Reads payload bytes [offset, offset + length) clipped to the chunk's end; offset is a multiple of 64 KiB, `into`
  // has room for length. Verifies header, id and the checksum of every block it touches. not_found, corrupt, io_error.
  virtual result<chunk_read_result> read(const chunk_id& id, std::uint32_t offset, std::uint32_t length,
                                         std::byte* into) = 0;
  // The same, only from memory: would_block when the place or the bytes are not cached. Never blocks.
  virtual result<chunk_read_result> read_cached(const chunk_id& id, std::uint32_t offset, std::uint32_t length,
                                                std::byte* into) = 0;

  // Removes index rows and remembers the space in to_punch rows, one transaction. Missing chunks are no error.
  // Returns how many were there.
  virtual result<std::uint64_t> erase(std::span<const chunk_id> ids) = 0;
  // Punches remembered space that no running read can see any more; unlinks empty segments. Returns the rows done.
  virtual result<std::uint64_t> punch(std::size_t rows_max) = 0;

  // Chunk ids behind `after` in index order (partition, id), at most `max`: a page of the walk that finds leftovers.
  virtual result<std::vector<chunk_id>> list(const std::optional<chunk_id>& after, std::size_t max) = 0;

  // Those of the ids that are not there, by the index. May wait for the disk.
  virtual result<std::vector<chunk_id>> missing(std::span<const chunk_id> ids) = 0;

  // Reads and verifies whole records behind `after` in index order, from the disk even where memory has their bytes,
  // until about `max_bytes` were read, but one record at least. A read: any thread, beside everything else; it holds up
  // punching for one record at a time. Chunks that are written or erased meanwhile may be left out, and are never
  // reported falsely. quarantined, and what the index answers; damage of single records is in the page.
  virtual result<scrub_page> scrub(const std::optional<chunk_id>& after, std::uint64_t max_bytes) = 0;
  // The same for those of the ids that are there; `reached` says nothing.
  virtual result<scrub_page> verify(std::span<const chunk_id> ids) = 0;

  virtual chunk_store_stats stats() const = 0; // from memory; the disk's space is refreshed by write and punch
  virtual void quarantine() = 0;               // called by the kv engine's on_quarantine
  virtual const uuid& disk_uuid() const = 0;
};

constexpr table_id chunk_index_tables = 5;

// `cairn storage check`: holds a stopped disk against its index: every record's header and, when `deep`, every block;
// that deleted space is given back or remembered; footers and counts. Changes nothing. Errors: locked, not_found (no
// disk there), corrupt (its identity), io_error of the index; what is wrong with single records are problems.
struct check_report {
  std::uint64_t segments = 0, chunks = 0, bytes = 0;
  std::vector<std::string> problems; // "segment 3 offset 8192: header checksum"
};
using check_progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
result<check_report> check_disk(const chunk_store_options& options, file_system& files, kv_engine& index, bool deep,
                                const check_progress& progress);
// `cairn storage rebuild-index`: fills an empty index from footers and, where they are missing, from records, and seals
// all segments. Chunks that were deleted and not yet punched come back; the walk that finds leftovers removes them.
// When it fails, the index stays incomplete, and `open` refuses it. invalid_argument: the index is not empty.
result<check_report> rebuild_index(const chunk_store_options& options, file_system& files, kv_engine& index,
                                   const check_progress& progress);

} // namespace cairn::storage
