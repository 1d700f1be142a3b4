#include "cluster/raft/log/vote_file.hpp"

#include "base/codec.hpp"
#include "base/files/small_file.hpp"
#include "cluster/raft/log/log_segment.hpp"

#include <array>

namespace cairn::cluster::raft {

namespace {

constexpr std::string_view vote_magic = "cairnvot";
constexpr std::uint8_t vote_version = 1;
constexpr std::size_t copy_bytes = log_page_bytes, copies = 2, checksum_bytes = 4;

struct vote_copy {
  std::uint64_t sequence = 0;
  vote_record vote;
};

// The checksum is behind the rest, so that a page that is torn between its sectors is invalid.
std::string encode(const vote_copy& c) {
  byte_writer w{copy_bytes};
  w.raw(vote_magic).u8(vote_version).u64(c.sequence).u64(c.vote.term).u64(c.vote.vote);
  auto bytes = w.take();
  bytes.resize(copy_bytes - checksum_bytes);
  return bytes + byte_writer{checksum_bytes}.u32(checksum_of(bytes)).take();
}

result<vote_copy> decode_copy(std::string_view bytes) {
  const error damaged{errc::corrupt, "a copy of the vote is damaged"};
  if (bytes.size() != copy_bytes) return damaged;
  const auto covered = bytes.substr(0, copy_bytes - checksum_bytes);
  byte_reader r{covered};
  if (byte_reader{bytes.substr(covered.size())}.u32() != checksum_of(covered) || r.raw(vote_magic.size()) != vote_magic)
    return damaged;
  if (r.u8() != vote_version) return error{errc::unsupported, "consensus log of a newer version"};
  return vote_copy{r.u64(), {r.u64(), r.u64()}};
}

// A copy that can't be read is no reason to refuse the other one.
result<std::array<result<vote_copy>, copies>> read_copies(file_system& files, const std::string& path) {
  const auto file = files.open(path, open_mode::read_only);
  if (!file) return file.error();
  const auto copy = [&file](std::size_t which) -> result<vote_copy> {
    const auto bytes = read_bytes(**file, which * copy_bytes, copy_bytes);
    return bytes ? decode_copy(*bytes) : bytes.error();
  };
  return std::array{copy(0), copy(1)};
}

} // namespace

vote_file::vote_file(file_system& files, std::string directory)
    : files_(files), path_(std::move(directory) + "/vote") {}

result<void> vote_file::create(const vote_record& vote) {
  file_.reset();
  const auto bytes = encode(vote_copy{1, vote});
  return replace_small_file(files_, path_, bytes + bytes);
}

result<vote_record> vote_file::open() {
  file_.reset();
  const auto read = read_copies(files_, path_);
  if (!read) return read.error();
  const auto& [a, b] = *read;
  for (const auto& c : *read)
    if (!c && c.error() == errc::unsupported) return c.error();
  if (!a && !b) {
    if (a.error() == errc::io_error || b.error() == errc::io_error)
      return a.error() == errc::io_error ? a.error() : b.error();
    return error{errc::corrupt, path_ + ": both copies of the vote are damaged"};
  }
  const unsigned newest = !a ? 1 : !b ? 0 : (*b).sequence > (*a).sequence;
  sequence_ = (*(*read)[newest]).sequence;
  vote_ = (*(*read)[newest]).vote;
  auto opened = files_.open(path_, open_mode::read_write);
  if (!opened) return opened.error();
  file_ = std::move(*opened);
  // The newest copy first, even if it is in place: it may not be on the disk yet.
  for (const unsigned which : {newest, 1 - newest})
    if (auto done = put(which); !done) return done.error();
  return vote_;
}

result<void> vote_file::write(const vote_record& vote) {
  CAIRN_ASSERT(file_ != nullptr);
  ++sequence_;
  vote_ = vote;
  for (const unsigned which : {0u, 1u})
    if (auto done = put(which); !done) return done;
  return {};
}

result<void> vote_file::put(unsigned copy) {
  const auto bytes = encode(vote_copy{sequence_, vote_});
  if (auto written = write_bytes(*file_, copy * copy_bytes, bytes); !written) return written;
  return file_->flush();
}

result<void> vote_file::check() const {
  const auto read = read_copies(files_, path_);
  if (!read) return read.error();
  for (const auto& c : *read)
    if (!c) return error{c.error().code, path_ + ": " + c.error().text};
  return {};
}

} // namespace cairn::cluster::raft
