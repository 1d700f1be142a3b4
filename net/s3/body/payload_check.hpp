// What the body of a signed upload has to prove, beside its MD5 (actors::body_check): its SHA-256 as a whole, or the
// signature of each chunk. Checked while the body is stored; what fails is never committed. Errors: payload_mismatch,
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
  explicit hashed_payload(const storage::sha256_digest& announced) : announced_(announced) {}
  result<void> update(storage::bytes_view bytes) override;
  result<void> finish() override;

private:
  storage::sha256_digest announced_;
  storage::sha256 hash_;
};

// The decoder announces a chunk on the connection's strand before it hands over the chunk's bytes; the digest executor
// takes it up from there. The announced ones wait for their bytes, which the upload's window bounds: chunks of less
// than 8 KiB are not allowed.
class signed_chunks final : public actors::body_check {
public:
  signed_chunks(const signature_claim& claim, const storage::sha256_digest& signing_key, bool with_trailer)
      : chain_(claim, signing_key), with_trailer_(with_trailer) {}
  void announce(aws_chunk chunk); // in order; the last has size 0
  void announce_trailer(std::string signature, std::string canonical);
  result<void> update(storage::bytes_view bytes) override;
  result<void> finish() override;

private:
  aws_chunk next();
  result<void> check_chunk();

  std::mutex mutex_; // of what the strand writes
  std::deque<aws_chunk> announced_;
  std::string trailer_signature_, canonical_trailers_;

  chunk_signatures chain_;
  const bool with_trailer_;
  aws_chunk current_; // size: what is still to come of it
  storage::sha256 hash_;
};

} // namespace cairn::net
