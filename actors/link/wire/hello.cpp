#include "actors/link/wire/hello.hpp"

#include "base/codec.hpp"

#include <algorithm>

namespace cairn::actors::link {

namespace {

bool named(const uuid& id) {
  return id != uuid{};
}

std::string cluster_text(const hello& h) {
  return "'" + h.cluster_name + "' (" + cairn::to_string(h.cluster) + ")";
}

std::string range_text(std::uint64_t from, std::uint64_t to) {
  return from == to ? std::to_string(from) : std::to_string(from) + " to " + std::to_string(to);
}

} // namespace

std::string encode(const hello& h) {
  byte_writer out{128};
  out.u16(h.oldest).u16(h.newest).raw(h.cluster).string(h.cluster_name).raw(h.node).u64(h.incarnation);
  out.u32(h.feature_level).u32(h.feature_active).u8(static_cast<std::uint8_t>(h.lane)).u64(h.link).u64(h.credit_bytes);
  return out.take();
}

result<hello> decode_hello(std::string_view bytes) {
  byte_reader in{bytes};
  hello h;
  h.oldest = in.u16();
  h.newest = in.u16();
  in.raw(h.cluster);
  h.cluster_name = in.string(cluster_name_bytes_max);
  in.raw(h.node);
  h.incarnation = in.u64();
  h.feature_level = in.u32();
  h.feature_active = in.u32();
  const auto lane_byte = in.u8();
  h.lane = static_cast<lane>(lane_byte);
  h.link = in.u64();
  h.credit_bytes = in.u64();
  const bool rest_allowed = h.newest > protocol_newest;
  const bool whole = rest_allowed ? in.ok() : in.finished();
  if (!whole || h.oldest > h.newest || lane_byte > static_cast<std::uint8_t>(lane::bulk))
    return error{errc::corrupt, "not a hello of the node link"};
  return h;
}

result<peer> hello_rules::judge(const hello& theirs, const std::optional<uuid>& certified) const {
  const auto common = std::min(own.newest, theirs.newest);
  if (common < std::max(own.oldest, theirs.oldest))
    return error{errc::unsupported, "node " + cairn::to_string(theirs.node) + " speaks the link's protocol " +
                                        range_text(theirs.oldest, theirs.newest) + ", this node " +
                                        range_text(own.oldest, own.newest) + ": upgrade the older one"};
  auto same_cluster = judge_cluster(theirs);
  if (!same_cluster) return same_cluster.error();
  if (auto good = judge_identity(theirs, certified); !good) return good.error();
  if (theirs.feature_active > own.feature_level)
    return error{errc::unsupported, "the cluster uses feature level " + std::to_string(theirs.feature_active) +
                                        ", this node knows up to " + std::to_string(own.feature_level) +
                                        ": upgrade this node"};
  if (own.feature_active > theirs.feature_level)
    return error{errc::unsupported, "the cluster uses feature level " + std::to_string(own.feature_active) + ", node " +
                                        cairn::to_string(theirs.node) + " knows up to " +
                                        std::to_string(theirs.feature_level) + ": upgrade that node"};
  peer p;
  p.node = theirs.node;
  p.incarnation = theirs.incarnation;
  p.link = theirs.link;
  p.feature_level = theirs.feature_level;
  p.protocol = common;
  p.lane = theirs.lane;
  p.member = *same_cluster;
  p.certified = certified.has_value();
  return p;
}

result<bool> hello_rules::judge_cluster(const hello& theirs) const {
  if (named(own.cluster) && named(theirs.cluster)) {
    if (own.cluster == theirs.cluster) return true;
    return error{errc::invalid_argument, "node " + cairn::to_string(theirs.node) + " belongs to cluster " +
                                             cluster_text(theirs) + ", this node to " + cluster_text(own)};
  }
  const bool same_name =
      own.cluster_name == theirs.cluster_name || own.cluster_name.empty() || theirs.cluster_name.empty();
  if (!same_name)
    return error{errc::invalid_argument, "node " + cairn::to_string(theirs.node) + " is set up for a cluster named '" +
                                             theirs.cluster_name + "', this node for '" + own.cluster_name + "'"};
  if (!strangers && !named(theirs.cluster))
    return error{errc::invalid_argument, "node " + cairn::to_string(theirs.node) + " belongs to no cluster"};
  return false;
}

result<void> hello_rules::judge_identity(const hello& theirs, const std::optional<uuid>& certified) const {
  if (!named(theirs.node)) return error{errc::invalid_argument, "the peer has no identity"};
  if (theirs.node == own.node)
    return error{errc::invalid_argument, "the peer has this node's own identity " + cairn::to_string(own.node) +
                                             ": the address leads back to this node, or its data directory was copied"};
  if (certified && *certified != theirs.node)
    return error{errc::invalid_argument, "the peer says it is node " + cairn::to_string(theirs.node) +
                                             ", its certificate is node " + cairn::to_string(*certified) + "'s"};
  if (expected && *expected != theirs.node)
    return error{errc::invalid_argument, "node " + cairn::to_string(*expected) + " was expected, node " +
                                             cairn::to_string(theirs.node) + " answered"};
  return {};
}

} // namespace cairn::actors::link
