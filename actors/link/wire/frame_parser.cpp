#include "actors/link/wire/frame_parser.hpp"

#include <algorithm>
#include <cstring>

namespace cairn::actors::link {

namespace {
constexpr std::size_t stranger_input_bytes = 4 << 10;
constexpr std::size_t known_input_bytes = 64 << 10;
constexpr std::size_t bulk_readahead_bytes = 4 << 10; // these bytes are copied; the rest of a payload is not
} // namespace

frame_parser::frame_parser() : input_(stranger_input_bytes), readahead_(stranger_input_bytes) {}

void frame_parser::known(lane l) {
  lane_ = l;
  meta_max_ = meta_max(l);
  input_.resize(known_input_bytes);
  readahead_ = l == lane::bulk ? bulk_readahead_bytes : known_input_bytes;
}

std::span<std::byte> frame_parser::space() {
  if (state_ == state::payload && !skipping_ && buffered() == 0) return place_;
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == input_.size()) { // only a part of a header can remain
    std::memmove(input_.data(), input_.data() + begin_, buffered());
    end_ -= begin_;
    begin_ = 0;
  }
  const std::size_t most = skipping_ ? input_.size() : std::max(readahead_, header_bytes);
  return std::span{input_}.subspan(end_, std::min(input_.size() - end_, most));
}

void frame_parser::filled(std::size_t bytes) {
  if (state_ == state::payload && !skipping_ && buffered() == 0) {
    CAIRN_ASSERT(bytes <= place_.size());
    place_ = place_.subspan(bytes);
    missing_ -= bytes;
    return;
  }
  CAIRN_ASSERT(bytes <= input_.size() - end_);
  end_ += bytes;
}

result<frame_parser::step_result> frame_parser::step() {
  for (;;) {
    switch (state_) {
      case state::header:
        if (buffered() < header_bytes) return step_result::more;
        if (auto good = read_header(); !good) {
          state_ = state::failed;
          failed_ = good.error();
        }
        break;
      case state::meta:
        if (!read_meta()) return step_result::more;
        if (header_.payload_length == 0) {
          state_ = state::header;
          return step_result::frame;
        }
        state_ = state::unplaced;
        return step_result::payload;
      case state::unplaced: return step_result::payload;
      case state::payload:
        if (!read_payload()) return step_result::more;
        state_ = state::header;
        skipping_ = false;
        return step_result::frame;
      case state::failed: return *failed_;
    }
  }
}

result<void> frame_parser::read_header() {
  auto read = decode_header(std::span{input_}.subspan(begin_).first<header_bytes>());
  if (!read) return read.error();
  begin_ += header_bytes;
  header_ = *read;
  if (header_.lane != lane_)
    return error{errc::corrupt, "a " + std::string{to_string(header_.kind)} + " frame of another lane"};
  if (header_.meta_length > meta_max_)
    return error{errc::corrupt, "a " + std::string{to_string(header_.kind)} + " frame of " +
                                    std::to_string(header_.meta_length) + " bytes before its sender is known"};
  meta_.clear();
  state_ = state::meta;
  return {};
}

bool frame_parser::read_meta() {
  const auto taken = std::min<std::size_t>(header_.meta_length - meta_.size(), buffered());
  if (taken > 0) meta_.append(reinterpret_cast<const char*>(input_.data() + begin_), taken);
  begin_ += taken;
  return meta_.size() == header_.meta_length;
}

void frame_parser::place(std::span<std::byte> where) {
  CAIRN_ASSERT(state_ == state::unplaced && where.size() == header_.payload_length);
  place_ = where;
  missing_ = where.size();
  state_ = state::payload;
}

void frame_parser::skip() {
  CAIRN_ASSERT(state_ == state::unplaced);
  missing_ = header_.payload_length;
  skipping_ = true;
  state_ = state::payload;
}

bool frame_parser::read_payload() {
  const auto taken = std::min(missing_, buffered());
  if (taken > 0 && !skipping_) {
    std::memcpy(place_.data(), input_.data() + begin_, taken);
    place_ = place_.subspan(taken);
  }
  begin_ += taken;
  missing_ -= taken;
  return missing_ == 0;
}

} // namespace cairn::actors::link
