// The commands of operators, and the table of their verbs: the command line, the admin port and the messages between
// nodes take names, numbers and arguments from it. Plain values.
#pragma once

#include "storage/metadata/rows/cluster_rows.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::actors {

enum class admin_verb : std::uint8_t { // the values are part of the messages between nodes
  drain = 1,                           // move everything off the node
  activate,                            // give it a share again, after drain or out
  remove,                              // final; refused while it owns a partition
  weight,
  zone,
  repair,    // scan for missing and damaged chunks now
  deletions, // hold deletions (number 1) or release them (0)
  voters,    // set the voters of the metadata
  lost,      // list the objects that need chunks which no node has
  forget,    // give these chunks up: they no longer block moves
  add,       // invite a node: by a token, or by its identity
};

struct admin_command {
  admin_verb kind{};
  node_number node = 0;     // of drain, activate, remove, weight, zone
  std::uint32_t number = 0; // of weight and deletions; of add: seconds until the invitation expires
  std::string zone;
  std::vector<node_number> nodes;        // of voters, rising
  uuid invited{};                        // of add: the node; all zero: any node that has the token
  storage::metadata::token_hash token{}; // of add: the hash of the token; all zero: the receiving node makes one
  // The nodes as the operator names them, in place of `node` and `nodes`: the leader finds their numbers.
  std::vector<std::string> names;
  bool repeated = false; // with names: an earlier try may have been executed
  friend bool operator==(const admin_command&, const admin_command&) = default;
};

enum class verb_subject : std::uint8_t { cluster, node, nodes };
enum class verb_value : std::uint8_t {
  none,
  weight,          // 0 to 1000000000
  zone,            // at most 64 visible ASCII characters
  hold_or_release, // one of the two words
  seconds,         // 1 to 2592000
};

struct admin_verb_row {
  admin_verb verb;
  std::string_view name;
  verb_subject subject;
  verb_value value;
  const char *help, *value_name, *value_help; // of the command line; the last two are null without a value
};

inline constexpr std::array admin_verbs{
    admin_verb_row{
        admin_verb::add, "add", verb_subject::cluster, verb_value::seconds,
        "Admit a new node: create a one-time token and print the configuration with which it joins; or admit "
        "a waiting node, by its id, as `status` shows it\n\n"
        "Examples:\n"
        "  cairn cluster add node-4.example.org\n"
        "  cairn cluster add --token-only --expires 24h\n"
        "  cairn cluster add 6e0b0c3a-5a57-4d0c-9d0c-0f1f6c1f8f11",
        "--expires", "For how long it may be used"},
    admin_verb_row{admin_verb::drain, "drain", verb_subject::node, verb_value::none,
                   "Move everything off a node; when `status` shows no partitions, it may be removed\n\n"
                   "Example: cairn cluster drain 3",
                   nullptr, nullptr},
    admin_verb_row{admin_verb::activate, "activate", verb_subject::node, verb_value::none,
                   "Give a node its share again, after a drain or when it was taken out", nullptr, nullptr},
    admin_verb_row{admin_verb::remove, "remove", verb_subject::node, verb_value::none,
                   "Remove a node permanently, and wait until it has no vote. Refused while it owns "
                   "partitions: drain it first; one that is dead is out after cluster.down_out_after",
                   nullptr, nullptr},
    admin_verb_row{admin_verb::weight, "weight", verb_subject::node, verb_value::weight,
                   "Set a node's share of the data, compared with the others'\n\nExample: cairn cluster weight 3 200",
                   "WEIGHT", "0 to 1000000000; 0: it holds no chunks"},
    admin_verb_row{admin_verb::zone, "zone", verb_subject::node, verb_value::zone,
                   "Set a node's failure zone: its rack, its room\n\nExample: cairn cluster zone 3 rack-2", "ZONE",
                   "A name; nodes of the same zone fail together"},
    admin_verb_row{admin_verb::voters, "voters", verb_subject::nodes, verb_value::none,
                   "Set the nodes that vote on the metadata, as many as vote now, for instance without a dead one\n\n"
                   "Example: cairn cluster voters 0 1 4",
                   nullptr, nullptr},
    admin_verb_row{admin_verb::repair, "repair", verb_subject::cluster, verb_value::none,
                   "Scan for missing and damaged replicas now, and replace them", nullptr, nullptr},
    admin_verb_row{admin_verb::lost, "lost", verb_subject::cluster, verb_value::none,
                   "List the objects that need chunks which no node has", nullptr, nullptr},
    admin_verb_row{admin_verb::forget, "forget-lost", verb_subject::cluster, verb_value::none,
                   "Give up chunks that no node has: they no longer block moves; reads of them still fail. Nothing is "
                   "deleted: a disk that comes back serves them",
                   nullptr, nullptr},
    admin_verb_row{admin_verb::deletions, "deletions", verb_subject::cluster, verb_value::hold_or_release,
                   "Hold the deletion of chunks, or resume it, for instance after `cairn cluster restore`\n\n"
                   "Example: cairn cluster deletions release",
                   "WHAT", "hold or release"},
};

// Null: there is none.
constexpr const admin_verb_row* find_verb(std::string_view name) {
  const auto* row = std::ranges::find(admin_verbs, name, &admin_verb_row::name);
  return row == admin_verbs.end() ? nullptr : row;
}
constexpr const admin_verb_row* find_verb(admin_verb verb) {
  const auto* row = std::ranges::find(admin_verbs, verb, &admin_verb_row::verb);
  return row == admin_verbs.end() ? nullptr : row;
}
static_assert([] {
  for (std::size_t n = 1; n <= admin_verbs.size(); ++n)
    if (std::ranges::count(admin_verbs, admin_verb(n), &admin_verb_row::verb) != 1) return false;
  return true;
}());

} // namespace cairn::actors
