// The retrieval experiment: how long one download takes when every chunk read costs a fixed delay, for several windows.
// It runs sequencer, streamer and chunk store of a real node with a real temporary disk, without sockets; the client
// takes every write at once and checks length and order. Ideal: ceil(chunks / window) × delay.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace cairn::cli {

struct retrieve_shape {
  std::uint32_t chunks = 12;
  std::uint32_t chunk_size_bytes = 10 << 20;
  std::chrono::microseconds read_delay{50'000};
  std::vector<std::uint32_t> windows{1, 5, 10, 12};
  std::uint32_t repeat = 7;
  std::string directory; // where the temporary disk is made; empty: the system's temporary directory
};

struct retrieve_row {
  std::uint32_t window = 0;
  std::chrono::microseconds read_delay{0};
  std::uint64_t median_ns = 0; // of one download
  std::uint64_t ideal_ns = 0;  // ceil(chunks / window) × delay
  double megabytes_per_second = 0;
  std::uint64_t pool_peak_bytes = 0; // chunk buffers in use at once
  std::int64_t rss_delta_bytes = 0;  // resident memory after the downloads of this row against before
};

// Rows with the delay and without for each window. Errors of the node's start and of any download.
result<std::vector<retrieve_row>> run_retrieve(const retrieve_shape& shape);

} // namespace cairn::cli
