// The bytes of the consensus log's segment files. Integers are big-endian, varints as in base/codec.hpp; a checksum is
// the CRC32C of all that follows it in its unit.
//
//   segment  header batch*                    the header is a page; each batch begins at a page
//   header   crc:u32 "cairnlog" version:u8 salt:u64 number:u64 first_batch:u64 next:u64 first:u64 snapshot? zeros
//   batch    crc:u32 "btch" salt:u64 number:u64 bytes:u32 records:u32, then the records, then zeros up to a page
//   record   length:u32 crc:u32 kind:u8 term:u64 index:u64 data      the checksum covers the length too
//   data     kinds 1 to 3: the entry's bytes
//            4, snapshot (replaces the whole log):    servers_index:varint servers:string
//            5, compaction (term, index: as applied): servers_index:varint servers:string keep:varint
//   snapshot? = 0:u8 | 1:u8 index:u64 term:u64 servers_index:varint servers:string
//
// A page has 4 KiB, so that the write of a batch never touches a page, or a sector of a disk, that holds another one.
// The salt is random for each segment: no bytes that a client stores can pass for a batch. Batches are numbered without
// gaps through all segments. In a header, `next` is the index of the first entry that was written after it, `first` and
// the snapshot are those of the log at that moment.
#pragma once

#include "base/error.hpp"
#include "cluster/raft/raft_types.hpp"

namespace cairn::cluster::raft {

constexpr std::uint64_t log_page_bytes = 4096;
constexpr std::size_t batch_header_bytes = 32, record_header_bytes = 25;

struct segment_header {
  std::uint64_t salt = 0, number = 0, first_batch = 1;
  index_t next = 1, first = 1;
  std::optional<snapshot_record> snapshot;
};
std::string encode(const segment_header& h);                         // one page
result<segment_header> decode_segment_header(std::string_view page); // corrupt, unsupported
bool is_zero(std::string_view bytes);
std::uint32_t checksum_of(std::string_view bytes, std::uint32_t before = 0); // CRC32C

struct batch_header {
  std::uint64_t salt = 0, number = 0;
  std::uint32_t bytes = 0, records = 0;
};
std::optional<batch_header> decode_batch_header(std::string_view bytes); // of at least batch_header_bytes

enum class record_kind : std::uint8_t { command = 1, barrier = 2, change = 3, snapshot = 4, compaction = 5 };

struct log_record {
  record_kind kind{};
  term_t term = 0;
  index_t index = 0;
  std::string_view data;
};
// Takes one record from the front of `bytes`; nullopt: it is damaged.
std::optional<log_record> take_record(std::string_view& bytes);
std::optional<snapshot_record> snapshot_of(const log_record& r); // of kind snapshot
std::optional<compaction> compaction_of(const log_record& r);

constexpr std::uint64_t whole_pages(std::uint64_t bytes) {
  return (bytes + log_page_bytes - 1) / log_page_bytes * log_page_bytes;
}
// What an entry occupies if it is the only one of its batch.
inline std::uint64_t stored_bytes(std::size_t entry_bytes) {
  return whole_pages(batch_header_bytes + record_header_bytes + entry_bytes);
}

struct stored_batch {
  struct item {
    log_record record;
    std::uint64_t at = 0; // in the segment
    std::uint32_t bytes = 0;
  };
  std::vector<item> records;
  std::uint64_t next = 0; // where the batch after it begins
  std::string bytes;      // whole pages, to which the records refer
};

// Encodes one batch.
class batch_writer {
public:
  batch_writer();
  void add(const entry& e, index_t index);
  void add(const snapshot_record& s);
  void add(const compaction& c);

  bool empty() const { return records_.empty(); }
  std::size_t size() const { return bytes_.size(); } // without the padding
  // For the place `at` of a segment. The writer is empty afterwards.
  stored_batch finish(std::uint64_t salt, std::uint64_t number, std::uint64_t at);

private:
  void add(record_kind kind, term_t term, index_t index, std::string_view data);
  std::string bytes_;
  std::vector<stored_batch::item> records_; // places in bytes_, without data
};

} // namespace cairn::cluster::raft
