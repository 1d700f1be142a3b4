// Messages between nodes about chunks: the bytes of the requests read_chunk, write_chunk and erase_chunks
// (actors/link/peer_service.hpp) and of their answers. Errors are transmitted as errors of the link. Every request
// carries the epoch of the layout that its sender used, 0 when it used none.
//
//   read_chunk     bulk, the answer's payload: `length` bytes of the chunk from `offset` on, clipped to its end
//   write_chunk    bulk, the request's payload: the whole chunk. Durable when answered.
//   erase_chunks   control. The sender states that the log has marked these chunks dead.
//
// Checksums are CRC32C of the payload and detect corruption in any buffer between the two stores. encode() of a request
// begins with the kind; decode() takes the bytes after the kind, as peer_service passes them on. Grammar:
// chunk_messages.cpp. decode() returns corrupt (violates the grammar) or unsupported (another version).
#pragma once

#include "actors/link/peer_service.hpp"
#include "base/ids.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn::actors {

constexpr std::uint32_t chunk_bytes_max = 16 << 20;
constexpr std::size_t chunk_ids_max = 16384; // of one message; 20 bytes each, below the control lane's bound

struct read_chunk_request {
  layout_epoch epoch = 0;
  chunk_id id;
  std::uint32_t offset = 0, length = 0; // offset: a multiple of 64 KiB; length: 1 to chunk_bytes_max
  friend bool operator==(const read_chunk_request&, const read_chunk_request&) = default;
};
struct read_chunk_answer {
  std::uint32_t chunk_length = 0; // of the whole chunk
  std::uint32_t checksum = 0;     // of the payload
  friend bool operator==(const read_chunk_answer&, const read_chunk_answer&) = default;
};

struct write_chunk_request {
  layout_epoch epoch = 0;
  chunk_id id;
  std::uint32_t checksum = 0;
  friend bool operator==(const write_chunk_request&, const write_chunk_request&) = default;
};
struct write_chunk_answer {
  friend bool operator==(const write_chunk_answer&, const write_chunk_answer&) = default;
};

struct erase_chunks_request {
  layout_epoch epoch = 0;
  std::vector<chunk_id> ids; // at most chunk_ids_max
  friend bool operator==(const erase_chunks_request&, const erase_chunks_request&) = default;
};
struct erase_chunks_answer {
  std::uint64_t erased = 0;
  friend bool operator==(const erase_chunks_answer&, const erase_chunks_answer&) = default;
};

std::string encode(const read_chunk_request& m);
std::string encode(const write_chunk_request& m);
std::string encode(const erase_chunks_request& m);
std::string encode(const read_chunk_answer& m);
std::string encode(const write_chunk_answer& m);
std::string encode(const erase_chunks_answer& m);

template <class Message>
result<Message> decode(std::string_view bytes); // for each of the above

} // namespace cairn::actors
