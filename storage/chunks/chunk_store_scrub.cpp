// Verification of records on the device, bypassing the page cache.
#include "storage/chunks/chunk_store_impl.hpp"

#include <algorithm>
#include <array>

namespace cairn::storage {

namespace {

constexpr std::size_t listed_at_once = 64;
constexpr std::size_t step_bytes = 1 << 20; // of payload
static_assert(step_bytes % block_size_bytes == 0);

// Aligned memory for the header page and one step, for reads that bypass the page cache.
class scrub_buffer {
public:
  bytes_span bytes() { return {pages_.front().bytes.data(), pages_.size() * page_bytes}; }

private:
  struct alignas(page_bytes) page {
    std::array<std::byte, page_bytes> bytes;
  };
  std::vector<page> pages_ = std::vector<page>(1 + step_bytes / page_bytes);
};

// `buffer`: of a scrub_buffer.
result<void> verify_whole(file& from, const mac_key& key, const chunk_id& id, const chunk_location& at,
                          bytes_span buffer) {
  const auto fetch = [&](std::uint64_t offset, bytes_span into) -> result<void> {
    const auto got = from.read(offset, std::span{&into, 1});
    if (!got) return got.error();
    if (*got != into.size()) return error{errc::corrupt, "beyond the end of the segment file"};
    return {};
  };
  const auto head = buffer.first<page_bytes>();
  const auto payload = buffer.subspan(page_bytes);
  // The header and the first step are read together: one request to the device for most chunks.
  std::size_t step = std::min<std::size_t>(at.length, step_bytes);
  if (auto read = fetch(at.place.offset, buffer.first(page_bytes + round_up(step, page_bytes))); !read) return read;
  const auto header = decode_record_header(head, key, at.place);
  if (!header) return header.error();
  if (header->id() != id || header->length() != at.length) return error{errc::corrupt, "header of another chunk"};
  for (std::uint32_t done = 0;;) {
    const auto first_block = static_cast<std::uint32_t>(done / block_size_bytes);
    if (auto good = verify_blocks(*header, first_block, payload.first(step)); !good) return good;
    done += static_cast<std::uint32_t>(step);
    if (done == at.length) return {};
    step = std::min<std::size_t>(at.length - done, step_bytes);
    if (auto read = fetch(at.place.offset + page_bytes + done, payload.first(round_up(step, page_bytes))); !read)
      return read;
  }
}

} // namespace

result<void> segment_chunk_store::scrub_chunk(const chunk_id& id, bytes_span buffer, scrub_page& page) {
  const auto pin = pins_.enter(); // the record that the index names is not punched while pinned
  const auto at = look_up(id);
  if (!at) return at.error() == errc::not_found ? result<void>{} : at.error();
  ++page.chunks;
  page.bytes += record_bytes(at->length);
  const auto opened = files_.open(readers_.path_of(at->place.segment), open_mode::read_direct);
  const auto good = opened ? verify_whole(**opened, identity_.header_key, id, *at, buffer) : opened.error();
  if (good) return {};
  if (auto may = readable(0); !may) return may;
  const auto now = look_up(id);
  if (!now && now.error() != errc::not_found) return now.error();
  if (!now || *now != *at) return {}; // erased or replaced meanwhile
  // A missing segment file (not_found) counts as damage.
  const bool damaged = good.error() == errc::corrupt || good.error() == errc::not_found;
  (damaged ? page.corrupt : page.unreadable).push_back(id);
  return {};
}

result<scrub_page> segment_chunk_store::scrub(const std::optional<chunk_id>& after, std::uint64_t max_bytes) {
  scrub_buffer buffer;
  scrub_page done{.reached = after};
  for (;;) {
    const auto ids = list(done.reached, listed_at_once);
    if (!ids) return ids.error();
    if (ids->empty()) {
      done.reached.reset();
      return done;
    }
    for (const auto& id : *ids) {
      if (auto checked = scrub_chunk(id, buffer.bytes(), done); !checked) return checked.error();
      done.reached = id;
      if (done.bytes >= max_bytes) return done;
    }
  }
}

result<scrub_page> segment_chunk_store::verify(std::span<const chunk_id> ids) {
  if (auto may = readable(0); !may) return may.error();
  scrub_buffer buffer;
  scrub_page done;
  for (const auto& id : ids)
    if (auto checked = scrub_chunk(id, buffer.bytes(), done); !checked) return checked.error();
  return done;
}

} // namespace cairn::storage
