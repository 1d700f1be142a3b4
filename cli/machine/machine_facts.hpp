// What `cairn doctor` measures of the machine, without judging it. Every connect is bounded; what it writes to a disk
// (one file of 4 MiB) it removes again. Nothing here needs the node to be stopped.
#pragma once

#include "base/file_system.hpp"
#include "base/seams.hpp"
#include "config/config.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cairn::cli {

struct clock_facts {
  wall_ms now = 0;
  bool synchronised = false;   // adjtimex(2): the kernel's clock is disciplined
  std::optional<wall_ms> used; // when the metadata was last written, by its file's time
};

struct disk_facts {
  std::string path;        // as configured
  std::string folder;      // the nearest folder that exists, where it was measured
  std::string failure;     // why nothing can be written there; what follows is then not known
  std::string file_system; // "ext4"
  std::string options;     // of the mount
  std::uint64_t device = 0;
  cairn::space space;
  bool direct = false;                            // O_DIRECT works
  std::vector<std::chrono::microseconds> flushes; // sorted: 4 KiB written and flushed, each
};

struct memory_facts {
  std::uint64_t usable = 0; // of the machine, or of the control group
};

struct port_facts {
  std::string key; // "http.listen"
  config::endpoint where;
  std::string failure; // why it cannot be bound
};

struct certificate_facts {
  std::string key, path; // "http.tls", and the certificate's file
  std::string failure;   // why a node could not use it
  wall_ms ends = 0;
  bool key_readable_by_others = false;
};

struct sealing_facts {
  std::string path;    // of auth.sealing_key_file; empty: CAIRN_SEALING_KEY alone, or none
  std::string key;     // the id of the one that seals; empty: there is none
  std::string failure; // why a node could not use them
  bool readable_by_others = false;
};

struct peer_facts {
  std::string address;
  std::string failure; // why no connection was made
};

clock_facts measure_clock(const config::settings& settings);
disk_facts measure_disk(const std::string& path);
memory_facts measure_memory();
std::uint64_t descriptor_limit(); // the hard limit: the node raises its own to it
std::vector<port_facts> try_ports(const config::settings& settings);
std::vector<certificate_facts> read_certificates(const config::settings& settings);
sealing_facts read_sealing_keys(const config::settings& settings);
std::vector<peer_facts> reach_peers(const config::settings& settings, std::chrono::milliseconds timeout);

} // namespace cairn::cli
