// Replays a trace and answers what a disk may hold after a power loss at that point. The model:
//   - a page (4 KiB) of a file holds what was flushed or any later version of it, also torn between two versions at
//     512-byte sectors; pages are independent of each other, so writes are reordered;
//   - a file's size is that of the last flush or any later one; holes are versions of their pages;
//   - a directory holds its flushed entries and a prefix of the later changes; a file's flush does not make its name
//     durable.
// Not modelled: sectors that rot, writes that land elsewhere, flushes that lie.
#pragma once

#include "tests/crash/trace.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace cairn::crash {

struct event {
  event_header header;
  std::string path, data;
};
// Empty when the file is not a whole trace.
std::vector<event> read_trace(const std::string& path);

constexpr std::size_t page_bytes = 4096, sector_bytes = 512;
using page = std::array<char, page_bytes>;
using page_ptr = std::shared_ptr<const page>; // null: zeros

struct file_image {
  std::uint64_t size = 0;
  std::map<std::uint64_t, page_ptr> pages;
};
struct disk_image {
  std::set<std::string> directories;
  std::map<std::string, file_image> files; // path → content
};
void write_image(const disk_image& image, const std::string& root);

// Of what was not flushed. tears: as anything, and every page is torn.
enum class survival : std::uint8_t { nothing, everything, anything, tears };

class disk_model {
public:
  // Flushes of `ignored` sites are taken as if they were not there.
  explicit disk_model(std::string ignored = {}) : ignored_(std::move(ignored)) { nodes_[0].directory = true; }

  // The site of the event when it is a flush that has something to flush ("segment records", "index pages", …).
  std::optional<std::string> apply(const event& e);
  disk_image crash(survival what, std::mt19937_64& random) const;

private:
  using node_id = std::uint64_t;
  struct page_state {
    page_ptr durable;
    std::vector<page_ptr> later; // whole versions, oldest first
    page_ptr now() const { return later.empty() ? durable : later.back(); }
  };
  struct name_change {
    std::string added, removed;
    node_id node = 0;
  };
  struct node {
    bool directory = false;
    std::map<std::uint64_t, page_state> pages;
    std::uint64_t durable_size = 0;
    std::vector<std::uint64_t> later_sizes;
    event_kind last_change{};
    std::uint64_t last_at = 0; // of the last write
    std::map<std::string, node_id> durable_names, names;
    std::vector<name_change> later_names;
    std::uint64_t size() const { return later_sizes.empty() ? durable_size : later_sizes.back(); }
  };

  std::optional<node_id> find(const std::string& path) const;
  node& parent_of(const std::string& path);
  void change_names(node& directory, name_change change);
  void write(node& n, std::uint64_t at, const std::string& data, bool synced);
  void zero(node& n, std::uint64_t from, std::uint64_t to);
  void flush(node& n);
  std::string site_of(const event& e, const node& n, const std::string& path) const;
  void collect(node_id id, const std::string& path, survival what, std::mt19937_64& random, disk_image& image) const;

  const std::string ignored_;
  std::map<node_id, node> nodes_; // 0: the root
  node_id next_node_ = 1;
  struct opened {
    node_id node = 0;
    std::string path;
  };
  std::map<std::uint32_t, opened> opened_; // by the trace's file number
};

} // namespace cairn::crash
