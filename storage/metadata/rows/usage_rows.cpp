#include "storage/metadata/rows/usage_rows.hpp"

#include "storage/metadata/rows/row_version.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr std::uint8_t usage_version_with_owner = 2;

void write_usage(byte_writer& w, const usage& u) {
  w.varint(u.objects).varint(u.versions).varint(u.markers).varint(u.bytes);
}

usage read_usage(byte_reader& r) {
  usage u;
  u.objects = r.varint();
  u.versions = r.varint();
  u.markers = r.varint();
  u.bytes = r.varint();
  return u;
}

} // namespace

std::string encode(const usage_row& row) {
  byte_writer w{64};
  w.u8(row.owner.empty() ? row_version : usage_version_with_owner).varint(row.era);
  write_usage(w, row.counted);
  if (!row.owner.empty()) w.string(row.owner);
  return w.take();
}

std::string encode(const bucket_owner_row& row) {
  byte_writer w{64};
  w.u8(row_version).varint(row.era).varint(row.buckets);
  write_usage(w, row.counted);
  write_quota(w, row.quota);
  return w.take();
}

std::string encode(const usage_state& row) {
  byte_writer w{96};
  w.u8(row_version).varint(row.era).u64(row.index);
  write_usage(w, row.total);
  const auto& scan = row.scan;
  w.u8(static_cast<std::uint8_t>(scan.phase)).varint(scan.bucket);
  return w.string(scan.name).string(scan.key).string(scan.version).take();
}

result<usage_row> decode_usage(std::string_view bytes) {
  byte_reader r{bytes};
  const bool owned = bytes.starts_with(static_cast<char>(usage_version_with_owner));
  if (auto unknown = check_version(r, "usage", {usage_version_with_owner})) return *unknown;
  usage_row row;
  row.era = r.varint();
  row.counted = read_usage(r);
  if (owned) row.owner = r.string();
  if (owned && row.owner.empty()) r.fail();
  if (!r.finished()) return bad_row("usage");
  return row;
}

result<bucket_owner_row> decode_bucket_owner(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto unknown = check_version(r, "owner")) return *unknown;
  bucket_owner_row row;
  row.era = r.varint();
  row.buckets = r.varint();
  row.counted = read_usage(r);
  row.quota = read_quota(r);
  if (!r.finished()) return bad_row("owner");
  return row;
}

result<usage_state> decode_usage_state(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto unknown = check_version(r, "usage")) return *unknown;
  usage_state row;
  row.era = r.varint();
  row.index = r.u64();
  row.total = read_usage(r);
  const std::uint8_t phase = r.u8();
  if (phase > static_cast<std::uint8_t>(usage_phase::done)) r.fail();
  row.scan.phase = static_cast<usage_phase>(phase);
  row.scan.bucket = r.varint();
  row.scan.name = r.string();
  row.scan.key = r.string();
  row.scan.version = r.string();
  if (!r.finished()) return bad_row("usage");
  return row;
}

} // namespace cairn::storage::metadata
