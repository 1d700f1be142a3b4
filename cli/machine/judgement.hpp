// Judges what was measured of a machine that runs, or will run, a node with these settings. Pure: facts in, findings
// out.
#pragma once

#include "cli/machine/finding.hpp"
#include "cli/machine/machine_facts.hpp"

#include <span>

namespace cairn::cli {

// What a node answered that runs with this configuration already.
struct running_node {
  bool runs = false;
  std::string not_ready;               // the node's own words; empty: it is ready
  std::vector<std::string> down_nodes; // of its cluster
};

finding judge_clock(const clock_facts& clock);
// `use`: "disk" or "metadata".
std::vector<finding> judge_disk(const disk_facts& disk, std::string_view use, std::uint64_t reserve);
// Disks on one device fail together.
std::vector<finding> judge_devices(std::span<const disk_facts> disks);
finding judge_memory(const memory_facts& memory, const config::settings& settings);
finding judge_descriptors(std::uint64_t limit, const config::settings& settings);
finding judge_port(const port_facts& port, const running_node& node);
finding judge_certificate(const certificate_facts& certificate, wall_ms now);
finding judge_sealing(const sealing_facts& sealing);
finding judge_peer(const peer_facts& peer);
std::vector<finding> judge_node(const running_node& node, const config::settings& settings);

} // namespace cairn::cli
