#include "cluster/raft/log/log_segment.hpp"

#include "base/codec.hpp"

#include <algorithm>

namespace cairn::cluster::raft {

namespace {

constexpr std::size_t name_digits = 16, tail_step_bytes = 1 << 20;
constexpr std::string_view segment_suffix = ".seg";

// `bytes`: what is stored at `at`, at least the whole batch. nullopt: it is another one, or damaged.
std::optional<stored_batch> parse_batch(std::string bytes, std::uint64_t at, std::uint64_t salt, std::uint64_t number) {
  const auto header = decode_batch_header(bytes);
  if (!header || header->salt != salt || header->number != number) return std::nullopt;
  if (bytes.size() - batch_header_bytes < header->bytes) return std::nullopt;
  stored_batch batch;
  batch.next = at + whole_pages(batch_header_bytes + header->bytes);
  batch.bytes = std::move(bytes);
  auto left = std::string_view{batch.bytes}.substr(batch_header_bytes, header->bytes);
  for (auto place = at + batch_header_bytes; !left.empty();) {
    const auto before = left.size();
    const auto record = take_record(left);
    if (!record) return std::nullopt;
    const auto taken = static_cast<std::uint32_t>(before - left.size());
    batch.records.push_back({*record, place, taken});
    place += taken;
  }
  if (batch.records.size() != header->records) return std::nullopt;
  return batch;
}

} // namespace

std::string segment_path(const std::string& directory, std::uint64_t number) {
  return directory + "/" + hex_of(number, name_digits) + std::string{segment_suffix};
}

std::vector<std::uint64_t> segment_numbers(const std::vector<std::string>& names) {
  std::vector<std::uint64_t> out;
  for (const auto& name : names) {
    if (name.size() != name_digits + segment_suffix.size() || !name.ends_with(segment_suffix)) continue;
    if (const auto number = read_hex(std::string_view{name}.substr(0, name_digits))) out.push_back(*number);
  }
  std::ranges::sort(out);
  return out;
}

result<std::string> read_bytes(cairn::file& file, std::uint64_t at, std::size_t bytes) {
  std::string out(bytes, '\0');
  const bytes_span into{reinterpret_cast<std::byte*>(out.data()), out.size()};
  const auto read = file.read(at, std::span{&into, 1});
  if (!read) return read.error();
  out.resize(*read);
  return out;
}

result<void> write_bytes(cairn::file& file, std::uint64_t at, std::string_view bytes) {
  const auto view = std::as_bytes(std::span{bytes.data(), bytes.size()});
  return file.write(at, std::span{&view, 1});
}

result<log_segment> create_segment(file_system& files, const std::string& directory, const segment_header& h,
                                   std::uint64_t size) {
  const auto path = segment_path(directory, h.number);
  auto opened = files.open(path, open_mode::create);
  if (!opened) return opened.error();
  log_segment s{h, std::move(*opened), size};
  const auto fill = [&]() -> result<void> {
    auto allocated = s.file->preallocate(size);
    if (!allocated && allocated.error() == errc::unsupported) allocated = s.file->truncate(size);
    if (!allocated) return allocated;
    if (auto done = write_bytes(*s.file, 0, encode(h)); !done) return done;
    if (auto done = s.file->flush(); !done) return done;
    return files.flush_directory(directory);
  };
  if (auto filled = fill(); !filled) {
    static_cast<void>(files.remove(path)); // if it stays, the next start removes it
    return filled.error();
  }
  return s;
}

result<log_segment> open_segment(file_system& files, const std::string& directory, std::uint64_t number,
                                 open_mode mode) {
  const auto path = segment_path(directory, number);
  auto opened = files.open(path, mode);
  if (!opened) return opened.error();
  const auto size = (*opened)->size();
  if (!size) return size.error();
  const auto page = read_bytes(**opened, 0, log_page_bytes);
  if (!page) return page.error();
  auto header = decode_segment_header(*page);
  if (!header) return error{header.error().code, path + ": " + header.error().text};
  if (header->number != number) return error{errc::corrupt, path + ": the header is of another segment"};
  return log_segment{std::move(*header), std::move(*opened), *size};
}

result<std::optional<stored_batch>> read_batch(const log_segment& s, std::uint64_t at, std::uint64_t number) {
  auto bytes = read_bytes(*s.file, at, log_page_bytes);
  if (!bytes) return bytes.error();
  const auto header = decode_batch_header(*bytes);
  const auto whole = header ? whole_pages(batch_header_bytes + std::uint64_t{header->bytes}) : 0;
  if (!header || whole > s.size - std::min(s.size, at)) return std::optional<stored_batch>{};
  if (whole > bytes->size()) {
    const auto rest = read_bytes(*s.file, at + bytes->size(), whole - bytes->size());
    if (!rest) return rest.error();
    bytes->append(*rest);
  }
  return parse_batch(std::move(*bytes), at, s.header.salt, number);
}

result<segment_tail> read_tail(cairn::file& file, std::optional<std::uint64_t> salt, std::uint64_t from) {
  segment_tail out;
  for (;; from += tail_step_bytes) {
    const auto bytes = read_bytes(file, from, tail_step_bytes);
    if (!bytes) return bytes.error();
    out.is_zero = out.is_zero && is_zero(*bytes);
    for (std::size_t at = 0; at < bytes->size() && !out.has_batch; at += log_page_bytes) {
      const auto header = decode_batch_header(std::string_view{*bytes}.substr(at));
      out.has_batch = header && (!salt || header->salt == *salt);
    }
    if (bytes->size() < tail_step_bytes || out.has_batch) return out;
  }
}

} // namespace cairn::cluster::raft
