// A policy as rows hold it: the text as it was put, and the compiled form, which is made when it is first needed. Equal
// texts share both, as long as the text is one of the 256 that were used last in this process: a row is decoded anew
// for each entry of the log and for each look-up that misses the cache of rows. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace cairn::storage::policy {
class policy;
enum class owner_kind : std::uint8_t;
} // namespace cairn::storage::policy

namespace cairn::storage::metadata {

// Bits of S3's public access block. `given`: the bucket has one, whatever its settings.
namespace public_block {
constexpr std::uint8_t block_acls = 1, ignore_acls = 2, block_policy = 4, restrict_buckets = 8, given = 16,
                       all = block_acls | ignore_acls | block_policy | restrict_buckets | given;
} // namespace public_block

class stored_policy {
public:
  bool empty() const { return !shared_; }
  const std::string& text() const;
  // Null: the text is no policy that this build understands, and nothing may be allowed. Only if not empty.
  const policy::policy* compiled() const;

protected:
  stored_policy() = default;
  stored_policy(std::string text, policy::owner_kind of); // empty: no policy

private:
  struct shared_form;
  std::shared_ptr<shared_form> shared_;
};

class bucket_policy : public stored_policy {
public:
  bucket_policy() = default;
  explicit bucket_policy(std::string text);
};

// Of a user or a group: inline, or managed and attached.
class identity_policy : public stored_policy {
public:
  explicit identity_policy(std::string text);
};

// Of a role: who may assume it.
class trust_policy : public stored_policy {
public:
  explicit trust_policy(std::string text);
};

} // namespace cairn::storage::metadata
