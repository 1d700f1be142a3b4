// Load over plain blocking sockets: one thread and one persistent connection per client. Bodies are received into one
// 1 MiB buffer and dropped, and sent from one 1 MiB buffer. A status other than 2xx or a broken transfer ends the run
// with an error.
#pragma once

#include "cli/client/http_client.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::cli {

struct load_report {
  std::uint64_t requests = 0, bytes = 0, keys = 0;
  double seconds = 0, cpu_seconds = 0; // of this process
  std::vector<double> first_byte_ms;   // from the sent request to the answer's first byte, sorted
  std::string to_json() const;
};

struct load_shape {
  server_address server;
  std::string target; // "/files/a.bin"; a prefix where keys are made
  std::uint32_t clients = 1;
  std::uint64_t requests = 1;   // of each client
  std::uint64_t size_bytes = 0; // source, fill
  std::string sync_dir;         // source: after each answer, fsync sync_dir/<last part of the key>
  std::uint64_t keys = 0;       // fill: all clients together
  std::uint32_t pipeline = 1;   // fill: requests in one send
  bool versions = false;        // list: every version of every key
};

result<load_report> run_sink(const load_shape& shape);   // GET target
result<load_report> run_source(const load_shape& shape); // PUT target-<client>-<n>
result<load_report> run_fill(const load_shape& shape);   // PUT target<8 digits>
result<load_report> run_list(const load_shape& shape);   // every page of GET target?list-type=2, or ?versions

} // namespace cairn::cli
