// The policy of a bucket as its row holds it: the text as it was put, and the compiled form, which is made when it is
// first needed. Equal texts share both, as long as the text is one of the 64 that were used last in this process: a row
// is decoded anew for each entry of the log and for each look-up that misses the cache of rows. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace cairn::storage::policy {
class policy;
}

namespace cairn::storage::metadata {

// Bits of S3's public access block. `given`: the bucket has one, whatever its settings.
namespace public_block {
constexpr std::uint8_t block_acls = 1, ignore_acls = 2, block_policy = 4, restrict_buckets = 8, given = 16,
                       all = block_acls | ignore_acls | block_policy | restrict_buckets | given;
} // namespace public_block

class bucket_policy {
public:
  bucket_policy() = default;
  explicit bucket_policy(std::string text); // empty: no policy

  bool empty() const { return !shared_; }
  const std::string& text() const;
  // Null: the text is no policy that this build understands, and nothing may be allowed. Only if not empty.
  const policy::policy* compiled() const;

private:
  struct shared_form;
  std::shared_ptr<shared_form> shared_;
};

} // namespace cairn::storage::metadata
