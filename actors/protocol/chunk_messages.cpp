// The grammar (v: varint, uN: big-endian; base/codec.hpp). The kind of a request precedes its version.
//
//   read request    1 epoch:v chunk offset:u32 length:u32
//   read answer     1 chunk_length:u32 checksum:u32
//   write request   1 epoch:v chunk checksum:u32
//   write answer    1
//   erase request   1 epoch:v count:v (chunk)*
//   erase answer    1 erased:v
//   chunk           session:u64 number:u64 index:u32
#include "actors/protocol/chunk_messages.hpp"

#include "actors/protocol/message_codec.hpp"

namespace cairn::actors {

namespace {

constexpr std::uint8_t chunk_version = 1;
constexpr std::size_t chunk_id_bytes = 20, head_bytes = 16, answer_bytes = 16;

byte_writer begin() {
  return begin_message(chunk_version, answer_bytes);
}
byte_writer begin(peer_request kind, layout_epoch epoch, std::size_t rest_bytes = 32) {
  byte_writer w{head_bytes + rest_bytes};
  w.u8(static_cast<std::uint8_t>(kind)).u8(chunk_version).varint(epoch);
  return w;
}

void put(byte_writer& w, const chunk_id& id) {
  w.u64(id.blob.session).u64(id.blob.number).u32(id.index);
}
void put(byte_writer& w, const std::vector<chunk_id>& ids) {
  CAIRN_ASSERT(ids.size() <= chunk_ids_max);
  w.varint(ids.size());
  for (const auto& id : ids) put(w, id);
}

chunk_id take_chunk(byte_reader& r) {
  chunk_id id;
  id.blob.session = r.u64();
  id.blob.number = r.u64();
  id.index = r.u32();
  return id;
}
std::vector<chunk_id> take_chunks(byte_reader& r) {
  const auto count = r.count(chunk_id_bytes);
  if (count > chunk_ids_max) r.fail();
  std::vector<chunk_id> ids;
  for (std::size_t i = 0; r.ok() && i < count; ++i) ids.push_back(take_chunk(r));
  return ids;
}
std::uint32_t between(byte_reader& r, std::uint32_t value, std::uint32_t least, std::uint32_t most) {
  if (value < least || value > most) r.fail();
  return value;
}

void take(byte_reader& r, read_chunk_request& m) {
  m.epoch = r.varint();
  m.id = take_chunk(r);
  m.offset = between(r, r.u32(), 0, chunk_bytes_max);
  if (m.offset % block_size_bytes != 0) r.fail();
  m.length = between(r, r.u32(), 1, chunk_bytes_max);
}
void take(byte_reader& r, read_chunk_answer& m) {
  m.chunk_length = between(r, r.u32(), 1, chunk_bytes_max);
  m.checksum = r.u32();
}
void take(byte_reader& r, write_chunk_request& m) {
  m.epoch = r.varint();
  m.id = take_chunk(r);
  m.checksum = r.u32();
}
void take(byte_reader&, write_chunk_answer&) {}
void take(byte_reader& r, erase_chunks_request& m) {
  m.epoch = r.varint();
  m.ids = take_chunks(r);
}
void take(byte_reader& r, erase_chunks_answer& m) {
  m.erased = r.varint();
}

} // namespace

std::string encode(const read_chunk_request& m) {
  auto w = begin(peer_request::read_chunk, m.epoch);
  put(w, m.id);
  return w.u32(m.offset).u32(m.length).take();
}
std::string encode(const write_chunk_request& m) {
  auto w = begin(peer_request::write_chunk, m.epoch);
  put(w, m.id);
  return w.u32(m.checksum).take();
}
std::string encode(const erase_chunks_request& m) {
  auto w = begin(peer_request::erase_chunks, m.epoch, m.ids.size() * chunk_id_bytes);
  put(w, m.ids);
  return w.take();
}
std::string encode(const read_chunk_answer& m) {
  return begin().u32(m.chunk_length).u32(m.checksum).take();
}
std::string encode(const write_chunk_answer&) {
  return begin().take();
}
std::string encode(const erase_chunks_answer& m) {
  return begin().varint(m.erased).take();
}

template <class Message>
result<Message> decode(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto opened = open_message(r, chunk_version); !opened) return opened.error();
  Message m;
  take(r, m);
  if (!r.finished()) return broken_message("a message about chunks");
  return m;
}

template result<read_chunk_request> decode(std::string_view);
template result<write_chunk_request> decode(std::string_view);
template result<erase_chunks_request> decode(std::string_view);
template result<read_chunk_answer> decode(std::string_view);
template result<write_chunk_answer> decode(std::string_view);
template result<erase_chunks_answer> decode(std::string_view);

} // namespace cairn::actors
