// Checks of the body of a signed upload (actors::body_check): its SHA-256 as a whole, or the signature of each chunk.
// They run while the body is stored; an upload that fails is never committed. Errors: payload_mismatch,
// signature_mismatch.
#pragma once

#include "actors/protocol/values/transfers.hpp"
#include "net/s3/auth/sigv4.hpp"
#include "net/s3/body/aws_chunked.hpp"

#include <deque>
#include <mutex>

namespace cairn::net {

class hashed_payload final : public actors::body_check {
public:
  explicit hashed_payload(const sha256_digest& announced) : announced_(announced) {}
  result<void> update(bytes_view bytes) override;
  result<void> finish() override;

private:
  sha256_digest announced_;
  sha256 hash_;
};

// The connection's strand announces a chunk before it passes on the chunk's bytes, which the digest executor processes.
// The queue of announced chunks is bounded by the upload's window, because chunks of less than 8 KiB are refused.
class signed_chunks final : public actors::body_check {
public:
  signed_chunks(const signature_claim& claim, const sha256_digest& signing_key, bool with_trailer)
      : chain_(claim, signing_key), with_trailer_(with_trailer) {}
  void announce(aws_chunk chunk); // in order; the last has size 0
  void announce_trailer(std::string signature, std::string canonical);
  result<void> update(bytes_view bytes) override;
  result<void> finish() override;

private:
  aws_chunk next();
  result<void> check_chunk();

  std::mutex mutex_; // protects the members that the strand writes
  std::deque<aws_chunk> announced_;
  std::string trailer_signature_, canonical_trailers_;

  chunk_signatures chain_;
  const bool with_trailer_;
  aws_chunk current_; // size: its bytes that were not processed yet
  sha256 hash_;
};

} // namespace cairn::net
