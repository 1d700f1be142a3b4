#include "cluster/raft/log/log_format.hpp"

#include "base/checksum.hpp"
#include "cluster/raft/raft_message.hpp"

#include <algorithm>

namespace cairn::cluster::raft {

namespace {

constexpr std::string_view segment_magic = "cairnlog", batch_magic = "btch";
constexpr std::uint8_t format_version = 1;
constexpr std::size_t crc_bytes = 4;

std::string with_crc(std::string_view bytes) {
  return byte_writer{crc_bytes + bytes.size()}.u32(checksum_of(bytes)).raw(bytes).take();
}

void write_servers(byte_writer& w, const snapshot_record& s) {
  w.varint(s.servers_index).string(encode(s.servers));
}

void read_servers(byte_reader& r, snapshot_record& s) {
  s.servers_index = r.varint();
  if (auto servers = decode_configuration(r.string()))
    s.servers = std::move(*servers);
  else
    r.fail();
}

} // namespace

std::uint32_t checksum_of(std::string_view bytes, std::uint32_t before) {
  return crc32c(std::as_bytes(std::span{bytes.data(), bytes.size()}), before);
}

bool is_zero(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char c) { return c == 0; });
}

std::string encode(const segment_header& h) {
  byte_writer w{log_page_bytes};
  w.raw(segment_magic).u8(format_version).u64(h.salt).u64(h.number).u64(h.first_batch).u64(h.next).u64(h.first);
  w.boolean(h.snapshot.has_value());
  if (h.snapshot) {
    w.u64(h.snapshot->index).u64(h.snapshot->term);
    write_servers(w, *h.snapshot);
  }
  auto bytes = w.take();
  CAIRN_ASSERT(bytes.size() <= log_page_bytes - crc_bytes);
  bytes.resize(log_page_bytes - crc_bytes);
  return with_crc(bytes);
}

result<segment_header> decode_segment_header(std::string_view page) {
  const error damaged{errc::corrupt, "the header of a segment is damaged"};
  byte_reader r{page};
  const auto crc = r.u32();
  if (page.size() != log_page_bytes || crc != checksum_of(r.rest()) || r.raw(segment_magic.size()) != segment_magic)
    return damaged;
  if (r.u8() != format_version) return error{errc::unsupported, "consensus log of a newer version"};
  segment_header h;
  h.salt = r.u64();
  h.number = r.u64();
  h.first_batch = r.u64();
  h.next = r.u64();
  h.first = r.u64();
  if (r.boolean()) {
    auto& s = h.snapshot.emplace();
    s.index = r.u64();
    s.term = r.u64();
    read_servers(r, s);
  }
  if (!r.ok() || !is_zero(r.rest()) || h.first == 0 || h.next < h.first || h.first_batch == 0) return damaged;
  return h;
}

std::optional<batch_header> decode_batch_header(std::string_view bytes) {
  if (bytes.size() < batch_header_bytes) return std::nullopt;
  byte_reader r{bytes.substr(0, batch_header_bytes)};
  const auto crc = r.u32();
  if (crc != checksum_of(r.rest()) || r.raw(batch_magic.size()) != batch_magic) return std::nullopt;
  return batch_header{r.u64(), r.u64(), r.u32(), r.u32()};
}

std::optional<log_record> take_record(std::string_view& bytes) {
  byte_reader r{bytes};
  const auto length = r.u32();
  const auto crc = r.u32();
  const auto rest = r.rest();
  const auto kind = r.u8();
  log_record out{record_kind{kind}, r.u64(), r.u64(), {}};
  out.data = r.raw(length);
  if (!r.ok() || kind < 1 || kind > 5 || out.index == 0 || out.term == 0) return std::nullopt;
  const auto covered = rest.substr(0, record_header_bytes - 2 * crc_bytes + length);
  if (crc != checksum_of(covered, checksum_of(bytes.substr(0, crc_bytes)))) return std::nullopt;
  bytes = r.rest();
  return out;
}

std::optional<snapshot_record> snapshot_of(const log_record& r) {
  snapshot_record s{r.index, r.term, {}, 0};
  byte_reader data{r.data};
  read_servers(data, s);
  return data.finished() ? std::optional{std::move(s)} : std::nullopt;
}

std::optional<compaction> compaction_of(const log_record& r) {
  compaction c{{r.index, r.term, {}, 0}, 0};
  byte_reader data{r.data};
  read_servers(data, c.record);
  c.keep = data.varint();
  return data.finished() ? std::optional{std::move(c)} : std::nullopt;
}

batch_writer::batch_writer() : bytes_(batch_header_bytes, '\0') {}

void batch_writer::add(record_kind kind, term_t term, index_t index, std::string_view data) {
  CAIRN_ASSERT(term != 0 && index != 0);
  const auto length = byte_writer{4}.u32(static_cast<std::uint32_t>(data.size())).take();
  const auto head = byte_writer{17}.u8(static_cast<std::uint8_t>(kind)).u64(term).u64(index).take();
  const auto crc = checksum_of(data, checksum_of(head, checksum_of(length)));
  records_.push_back(
      {{kind, term, index, {}}, bytes_.size(), static_cast<std::uint32_t>(record_header_bytes + data.size())});
  bytes_.append(length).append(byte_writer{4}.u32(crc).view()).append(head).append(data);
}

void batch_writer::add(const entry& e, index_t index) {
  add(static_cast<record_kind>(e.kind), e.term, index, e.view());
}

void batch_writer::add(const snapshot_record& s) {
  byte_writer w;
  write_servers(w, s);
  add(record_kind::snapshot, s.term, s.index, w.view());
}

void batch_writer::add(const compaction& c) {
  byte_writer w;
  write_servers(w, c.record);
  w.varint(c.keep);
  add(record_kind::compaction, c.record.term, c.record.index, w.view());
}

stored_batch batch_writer::finish(std::uint64_t salt, std::uint64_t number, std::uint64_t at) {
  byte_writer w{batch_header_bytes};
  w.raw(batch_magic).u64(salt).u64(number);
  w.u32(static_cast<std::uint32_t>(bytes_.size() - batch_header_bytes))
      .u32(static_cast<std::uint32_t>(records_.size()));
  bytes_.replace(0, batch_header_bytes, with_crc(w.view()));
  bytes_.resize(whole_pages(bytes_.size()));
  stored_batch batch{std::exchange(records_, {}), at + bytes_.size(),
                     std::exchange(bytes_, std::string(batch_header_bytes, '\0'))};
  for (auto& item : batch.records) {
    item.record.data =
        std::string_view{batch.bytes}.substr(item.at + record_header_bytes, item.bytes - record_header_bytes);
    item.at += at;
  }
  return batch;
}

} // namespace cairn::cluster::raft
