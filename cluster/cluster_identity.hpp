// Which cluster this node belongs to, and the addresses of its members: what the node needs before its metadata has
// caught up. The file is `data_dir`/cluster, replaced atomically and durably; after a crash it has the old or the new
// content. It is text, so that an operator can correct the addresses when all of them have changed:
//
//   file   = "cairn-cluster 1\n" "id " uuid "\n" "name " name "\n" "self " number "\n" member* "end" sum "\n"
//   member = "member " number " " uuid " " address "\n"
//   sum    = [" crc32c:" 8 hexadecimal digits, of all lines before]; older builds wrote none, and who edits the file
//            removes it
//
// Numbers are decimal. A name has no control characters, an address has neither control characters nor spaces. Errors:
// corrupt, unsupported (another version), io_error, no_space, invalid_argument (values that this grammar cannot
// represent).
#pragma once

#include "base/file_system.hpp"
#include "base/ids.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn::cluster {

struct known_member {
  node_number number = 0;
  uuid id{};
  std::string address; // host:port of its node link
  friend bool operator==(const known_member&, const known_member&) = default;
};

struct cluster_identity {
  uuid id{};
  std::string name;
  node_number self = 0;
  std::vector<known_member> members; // distinct numbers, in the order in which to ask them
  friend bool operator==(const cluster_identity&, const cluster_identity&) = default;
};

// The file keeps no more members than this: a few that answer are enough to find the others.
constexpr std::size_t known_members_max = 200;

// nullopt: this node is in no cluster.
result<std::optional<cluster_identity>> load_cluster_identity(file_system& files, const std::string& data_dir);
// Keeps the first known_members_max members.
result<void> save_cluster_identity(file_system& files, const std::string& data_dir, const cluster_identity& identity);

} // namespace cairn::cluster
