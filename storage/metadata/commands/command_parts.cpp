#include "storage/metadata/commands/command_parts.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr std::uint8_t flag_if_absent = 1, flag_if_match = 2, flag_if_other = 4;
constexpr std::uint8_t flag_etag = 1, flag_size = 2, flag_modified = 4;
constexpr std::uint8_t content_inline = 0, content_confirmed = 1, content_unconfirmed = 2;

} // namespace

void write_stamp(byte_writer& w, const commit_stamp& s) {
  w.varint(s.session).varint(s.sequence).varint(s.acknowledged_below);
}

commit_stamp read_stamp(byte_reader& r) {
  commit_stamp s;
  s.session = r.varint();
  s.sequence = r.varint();
  s.acknowledged_below = r.varint();
  return s;
}

void write_condition_of(byte_writer& w, const write_condition& c) {
  w.u8(static_cast<std::uint8_t>((c.if_absent ? flag_if_absent : 0) | (c.if_match ? flag_if_match : 0) |
                                 (c.if_other ? flag_if_other : 0)));
  if (c.if_match) w.string(*c.if_match);
  if (c.if_other) w.string(*c.if_other);
}

write_condition read_condition(byte_reader& r) {
  const std::uint8_t flags = r.u8();
  if ((flags & ~(flag_if_absent | flag_if_match | flag_if_other)) != 0) r.fail();
  write_condition c;
  c.if_absent = (flags & flag_if_absent) != 0;
  if ((flags & flag_if_match) != 0) c.if_match = std::string{r.string()};
  if ((flags & flag_if_other) != 0) c.if_other = std::string{r.string()};
  return c;
}

void write_removal_condition(byte_writer& w, const removal_condition& c) {
  w.u8(static_cast<std::uint8_t>((c.etag ? flag_etag : 0) | (c.size ? flag_size : 0) |
                                 (c.modified_seconds ? flag_modified : 0)));
  if (c.etag) w.string(*c.etag);
  if (c.size) w.varint(*c.size);
  if (c.modified_seconds) w.u64(static_cast<std::uint64_t>(*c.modified_seconds));
}

removal_condition read_removal_condition(byte_reader& r) {
  const std::uint8_t flags = r.u8();
  if (flags == 0 || flags > (flag_etag | flag_size | flag_modified)) r.fail();
  removal_condition c;
  if ((flags & flag_etag) != 0) c.etag = std::string{r.string()};
  if ((flags & flag_size) != 0) c.size = r.varint();
  if ((flags & flag_modified) != 0) c.modified_seconds = static_cast<std::int64_t>(r.u64());
  return c;
}

void write_content(byte_writer& w, const written_content& content) {
  if (const auto* bytes = std::get_if<std::string>(&content)) {
    w.u8(content_inline).string(*bytes);
    return;
  }
  const auto& written = std::get<written_blob>(content);
  w.u8(written.unconfirmed.empty() ? content_confirmed : content_unconfirmed);
  write_blob_id(w, written.blob);
  w.varint(written.length).varint(written.chunk_size);
  if (written.unconfirmed.empty()) return;
  w.varint(written.unconfirmed.size());
  for (const missing_chunks& m : written.unconfirmed) write_missing(w, m);
}

written_content read_content(byte_reader& r) {
  const std::uint8_t tag = r.u8();
  if (tag == content_inline) return std::string{r.string()};
  if (tag > content_unconfirmed) r.fail();
  written_blob written;
  written.blob = read_blob_id(r);
  written.length = r.varint();
  written.chunk_size = r.varint32();
  if (tag == content_confirmed) return written;
  written.unconfirmed.resize(r.count(missing_bytes_min));
  if (written.unconfirmed.empty()) r.fail();
  for (missing_chunks& m : written.unconfirmed) m = read_missing(r);
  return written;
}

void write_version(byte_writer& w, const object_version& v) {
  w.string(v.bucket).string(v.key).varint(v.version).varint(v.ordinal);
}

object_version read_version(byte_reader& r) {
  object_version v;
  v.bucket = r.string();
  v.key = r.string();
  v.version = r.varint();
  v.ordinal = r.varint32();
  return v;
}

} // namespace cairn::storage::metadata
