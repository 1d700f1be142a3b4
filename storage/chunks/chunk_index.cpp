#include "storage/chunks/chunk_index.hpp"

#include "storage/chunks/byte_order.hpp"

#include <cstring>
#include <limits>

namespace cairn::storage::chunk_index {

namespace {

constexpr std::uint8_t index_version = 1;
constexpr std::string_view disk_key = "disk", next_segment_key = "next_segment";
constexpr std::string_view lowest_key{"\0", 1}; // engines refuse the empty key

template <std::unsigned_integral T>
void append_le(std::string& out, T value) {
  std::byte bytes[sizeof(T)];
  store_le(bytes, value);
  out.append(reinterpret_cast<const char*>(bytes), sizeof bytes);
}

template <std::unsigned_integral T>
T value_at(std::string_view value, std::size_t offset) {
  return load_le<T>(reinterpret_cast<const std::byte*>(value.data()) + offset);
}

error malformed(const char* what) {
  return {errc::corrupt, std::string{"disk index: malformed row of "} + what};
}

std::string place_key(const record_place& place) {
  std::string key;
  append_be(key, place.segment);
  append_be(key, place.offset);
  return key;
}

std::string punch_key(const punch_row& row) {
  std::string key;
  append_be(key, row.generation);
  return key + place_key(row.place);
}

std::string segment_key(std::uint64_t segment) {
  std::string key;
  append_be(key, segment);
  return key;
}

result<chunk_location> decode_location(std::string_view value) {
  if (value.size() != 20) return malformed("chunks");
  return chunk_location{{value_at<std::uint64_t>(value, 0), value_at<std::uint64_t>(value, 8)},
                        value_at<std::uint32_t>(value, 16)};
}

} // namespace

std::string chunk_key(const chunk_id& id) {
  std::string key;
  key.reserve(22);
  append_be(key, partition_of(id));
  append_be(key, id.blob.session);
  append_be(key, id.blob.number);
  append_be(key, id.index);
  return key;
}

result<segment_entry> decode_chunk(const kv_pair& row) {
  if (row.key.size() != 22) return malformed("chunks");
  const auto location = decode_location(row.value);
  if (!location) return location.error();
  const char* at = row.key.data();
  return segment_entry{
      {{load_be<std::uint64_t>(at + 2), load_be<std::uint64_t>(at + 10)}, load_be<std::uint32_t>(at + 18)}, *location};
}

result<chunk_location> find(kv_reader& reader, const chunk_id& id) {
  const auto value = reader.get(chunks, chunk_key(id));
  if (value) return decode_location(*value);
  if (auto read = reader.status(); !read) return read.error();
  return error{errc::not_found, "chunk " + to_string(id)};
}

void put(kv_writer& writer, const chunk_id& id, const chunk_location& location) {
  std::string value;
  append_le(value, location.place.segment);
  append_le(value, location.place.offset);
  append_le(value, location.length);
  writer.put(chunks, chunk_key(id), value);
}

bool erase(kv_writer& writer, const chunk_id& id) {
  return writer.erase(chunks, chunk_key(id));
}

void put(kv_writer& writer, const punch_row& row) {
  std::string value;
  append_le(value, row.bytes);
  writer.put(to_punch, punch_key(row), value);
}

void erase(kv_writer& writer, const punch_row& row) {
  writer.erase(to_punch, punch_key(row));
}

result<std::vector<punch_row>> punch_rows(kv_reader& reader, std::uint64_t newest, std::size_t max,
                                          std::uint64_t bytes_max) {
  std::vector<punch_row> rows;
  std::uint64_t bytes = 0;
  const auto cursor = reader.cursor(to_punch);
  for (auto row = cursor->seek(lowest_key); row && rows.size() < max && bytes < bytes_max; row = cursor->next()) {
    if (row->key.size() != 24 || row->value.size() != 8) return malformed("to_punch");
    const char* at = row->key.data();
    punch_row next{load_be<std::uint64_t>(at),
                   {load_be<std::uint64_t>(at + 8), load_be<std::uint64_t>(at + 16)},
                   value_at<std::uint64_t>(row->value, 0)};
    if (next.generation > newest) break;
    rows.push_back(next);
    bytes += next.bytes;
  }
  if (auto read = reader.status(); !read) return read.error();
  return rows;
}

result<std::uint64_t> newest_generation(kv_reader& reader) {
  const auto cursor = reader.cursor(to_punch);
  const auto any_from = [&cursor](std::uint64_t generation) {
    return cursor->seek(segment_key(generation)).has_value();
  };
  std::uint64_t has = 0, has_not = std::numeric_limits<std::uint64_t>::max();
  while (has_not - has > 1) { // invariant: a row exists from `has` on (or has is 0), none from has_not on
    const auto middle = has + (has_not - has) / 2;
    (any_from(middle) ? has : has_not) = middle;
  }
  if (auto read = reader.status(); !read) return read.error();
  return has;
}

void put(kv_writer& writer, std::uint64_t segment, const segment_row& row) {
  std::string value(1, row.sealed ? '\1' : '\0');
  append_le(value, row.data_end);
  append_le(value, row.live_bytes);
  append_le(value, row.live_chunks);
  append_le(value, row.to_punch);
  writer.put(segments, segment_key(segment), value);
}

void erase_segment(kv_writer& writer, std::uint64_t segment) {
  writer.erase(segments, segment_key(segment));
}

result<std::vector<std::pair<std::uint64_t, segment_row>>> all_segments(kv_reader& reader) {
  std::vector<std::pair<std::uint64_t, segment_row>> rows;
  const auto cursor = reader.cursor(segments);
  for (auto row = cursor->seek(lowest_key); row; row = cursor->next()) {
    const auto value = row->value;
    if (row->key.size() != 8 || value.size() != 33 || static_cast<unsigned char>(value[0]) > 1)
      return malformed("segments");
    rows.emplace_back(load_be<std::uint64_t>(row->key.data()),
                      segment_row{value[0] == '\1', value_at<std::uint64_t>(value, 1),
                                  value_at<std::uint64_t>(value, 9), value_at<std::uint64_t>(value, 17),
                                  value_at<std::uint64_t>(value, 25)});
  }
  if (auto read = reader.status(); !read) return read.error();
  return rows;
}

void put_tail(kv_writer& writer, const segment_entry& entry) {
  std::string value;
  append_le(value, entry.id.blob.session);
  append_le(value, entry.id.blob.number);
  append_le(value, entry.id.index);
  append_le(value, entry.location.length);
  writer.put(tail, place_key(entry.location.place), value);
}

void erase_tail(kv_writer& writer, std::span<const segment_entry> entries) {
  for (const auto& entry : entries) writer.erase(tail, place_key(entry.location.place));
}

result<std::vector<segment_entry>> tail_of(kv_reader& reader, std::uint64_t segment, std::size_t max) {
  std::vector<segment_entry> entries;
  const auto cursor = reader.cursor(tail);
  for (auto row = cursor->seek(segment_key(segment)); row && entries.size() < max; row = cursor->next()) {
    if (row->key.size() != 16 || row->value.size() != 24) return malformed("tail");
    if (load_be<std::uint64_t>(row->key.data()) != segment) break;
    const auto value = row->value;
    entries.push_back(
        {{{value_at<std::uint64_t>(value, 0), value_at<std::uint64_t>(value, 8)}, value_at<std::uint32_t>(value, 16)},
         {{segment, load_be<std::uint64_t>(row->key.data() + 8)}, value_at<std::uint32_t>(value, 20)}});
  }
  if (auto read = reader.status(); !read) return read.error();
  return entries;
}

result<std::optional<std::uint64_t>> next_tail(kv_reader& reader, std::uint64_t from) {
  const auto cursor = reader.cursor(tail);
  const auto row = cursor->seek(segment_key(from));
  if (auto read = reader.status(); !read) return read.error();
  if (!row) return std::optional<std::uint64_t>{};
  if (row->key.size() != 16) return malformed("tail");
  return std::optional{load_be<std::uint64_t>(row->key.data())};
}

result<std::optional<uuid>> owner(kv_reader& reader) {
  const auto value = reader.get(about, disk_key);
  if (auto read = reader.status(); !read) return read.error();
  if (!value) return std::optional<uuid>{};
  if (value->size() != 17) return malformed("about");
  if ((*value)[0] != char{index_version}) return error{errc::unsupported, "disk index: written by a newer version"};
  uuid id;
  std::memcpy(id.data(), value->data() + 1, id.size());
  return std::optional{id};
}

void put_owner(kv_writer& writer, const uuid& disk) {
  std::string value(1, char{index_version});
  value.append(reinterpret_cast<const char*>(disk.data()), disk.size());
  writer.put(about, disk_key, value);
}

result<std::uint64_t> next_segment(kv_reader& reader) {
  const auto value = reader.get(about, next_segment_key);
  if (auto read = reader.status(); !read) return read.error();
  if (!value) return std::uint64_t{1};
  if (value->size() != 8) return malformed("about");
  return value_at<std::uint64_t>(*value, 0);
}

void put_next_segment(kv_writer& writer, std::uint64_t segment) {
  std::string value;
  append_le(value, segment);
  writer.put(about, next_segment_key, value);
}

} // namespace cairn::storage::chunk_index
