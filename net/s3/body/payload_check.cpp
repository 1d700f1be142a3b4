#include "net/s3/body/payload_check.hpp"

#include <algorithm>

namespace cairn::net {

result<void> hashed_payload::update(bytes_view bytes) {
  hash_.update(bytes);
  return {};
}

result<void> hashed_payload::finish() {
  if (hash_.finish() == announced_) return {};
  return error{errc::payload_mismatch, "the body does not have the announced SHA-256"};
}

void signed_chunks::announce(aws_chunk chunk) {
  const std::lock_guard lock{mutex_};
  announced_.push_back(std::move(chunk));
}

void signed_chunks::announce_trailer(std::string signature, std::string canonical) {
  const std::lock_guard lock{mutex_};
  trailer_signature_ = std::move(signature);
  canonical_trailers_ = std::move(canonical);
}

aws_chunk signed_chunks::next() {
  const std::lock_guard lock{mutex_};
  CAIRN_ASSERT(!announced_.empty());
  auto chunk = std::move(announced_.front());
  announced_.pop_front();
  return chunk;
}

result<void> signed_chunks::check_chunk() {
  if (chain_.chunk(current_.signature, hash_.finish())) return {};
  return error{errc::signature_mismatch, "a chunk does not have the signature that was sent with it"};
}

result<void> signed_chunks::update(bytes_view bytes) {
  while (!bytes.empty()) {
    if (current_.size == 0) current_ = next();
    const auto piece = bytes.first(std::min<std::uint64_t>(bytes.size(), current_.size));
    hash_.update(piece);
    bytes = bytes.subspan(piece.size());
    current_.size -= piece.size();
    if (current_.size > 0) continue;
    if (auto good = check_chunk(); !good) return good;
  }
  return {};
}

result<void> signed_chunks::finish() {
  current_ = next();
  CAIRN_ASSERT(current_.size == 0);
  if (auto good = check_chunk(); !good || !with_trailer_) return good;
  const std::lock_guard lock{mutex_};
  if (chain_.trailer(trailer_signature_, canonical_trailers_)) return {};
  return error{errc::signature_mismatch, "the trailer does not have the signature that was sent with it"};
}

} // namespace cairn::net
