// The node's identity: its UUID and its incarnation.
//
// The UUID is made at the first start and never changes: `data_dir`/node, one line, "cairn-node 1 <uuid>". The
// incarnation counts starts: `data_dir`/incarnation, one line, "cairn-incarnation 1 <decimal, 20 digits>" (older builds
// wrote no leading zeros). Both lines have a checksum (small_file.hpp). The count is durable before it is returned, so
// no two starts share one, whatever crashes. On a full disk it is written over the old one, so that the node starts and
// can delete. The incarnation that other nodes see has random bits above the count: a lower count than they have seen,
// or the same count with other bits, means that an older copy of the directory was restored. The counter is written
// before the identity: an identity without a counter means that the counter was lost.
//
// The caller holds the lock of `data_dir`. Errors: precondition_failed (the counter was lost; the text says what to
// do), corrupt, io_error, no_space, too_large (a file above 64 KiB).
#pragma once

#include "base/file_system.hpp"
#include "base/ids.hpp"
#include "base/seams.hpp"

namespace cairn {

struct node_identity {
  uuid id{};
  std::uint64_t incarnation = 0; // from 1
  friend bool operator==(const node_identity&, const node_identity&) = default;
};

uuid make_uuid(random_source& random); // RFC 9562, version 4

// The incarnation that other nodes see: the count in the lower bits, random bits above.
constexpr unsigned incarnation_count_bits = 40;
inline std::uint64_t drawn_incarnation(std::uint64_t count, random_source& random) {
  return (count & ((std::uint64_t{1} << incarnation_count_bits) - 1)) | random.next() << incarnation_count_bits;
}
constexpr bool is_later_start(std::uint64_t a, std::uint64_t than) {
  constexpr auto mask = (std::uint64_t{1} << incarnation_count_bits) - 1;
  return (a & mask) > (than & mask);
}
// Whether a node whose last known incarnation is `known` may report `a`: the same start, or a later one.
constexpr bool may_start_as(std::uint64_t a, std::uint64_t known) {
  return a == known || is_later_start(a, known);
}

// Loads the identity and counts this start. Called once per start.
result<node_identity> begin_node_start(file_system& files, const std::string& data_dir, random_source& random);

} // namespace cairn
