#include "tests/crash/disk_model.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

namespace cairn::crash {

namespace {

std::string parent_path(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}
std::string last_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
} // npos + 1 is 0

page content(const page_ptr& p) {
  return p ? *p : page{};
}

page_ptr torn(const page_ptr& before, const page_ptr& after, std::mt19937_64& random) {
  auto mixed = std::make_shared<page>(content(before));
  const auto newer = content(after);
  const auto sectors = random();
  for (std::size_t i = 0; i < page_bytes / sector_bytes; ++i)
    if (sectors >> i & 1) std::memcpy(mixed->data() + i * sector_bytes, newer.data() + i * sector_bytes, sector_bytes);
  return mixed;
}

// How many of `later` changes survive.
std::size_t survivors(std::size_t later, survival what, std::mt19937_64& random) {
  switch (what) {
    case survival::nothing: return 0;
    case survival::everything: return later;
    case survival::anything:
    case survival::tears: break;
  }
  return random() % (later + 1);
}

} // namespace

std::vector<event> read_trace(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::vector<event> events;
  event e;
  while (in.read(reinterpret_cast<char*>(&e.header), sizeof e.header)) {
    e.path.resize(e.header.path_bytes);
    e.data.resize(e.header.data_bytes);
    in.read(e.path.data(), e.header.path_bytes);
    in.read(e.data.data(), e.header.data_bytes);
    if (!in) return {};
    events.push_back(e);
  }
  return events;
}

void write_image(const disk_image& image, const std::string& root) {
  std::filesystem::create_directories(root);
  for (const auto& directory : image.directories) std::filesystem::create_directories(root + "/" + directory);
  for (const auto& [path, file] : image.files) {
    const auto full = root + "/" + path;
    const int descriptor = ::open(full.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = descriptor >= 0 && ::ftruncate(descriptor, static_cast<off_t>(file.size)) == 0;
    for (const auto& [number, bytes] : file.pages) {
      const auto at = number * page_bytes;
      if (!bytes || at >= file.size) continue;
      const auto length = std::min<std::uint64_t>(page_bytes, file.size - at);
      good =
          good && ::pwrite(descriptor, bytes->data(), length, static_cast<off_t>(at)) == static_cast<ssize_t>(length);
    }
    if (descriptor >= 0) ::close(descriptor);
    if (!good) throw std::filesystem::filesystem_error{"image", full, std::make_error_code(std::errc::io_error)};
  }
}

std::optional<disk_model::node_id> disk_model::find(const std::string& path) const {
  node_id at = 0;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto& names = nodes_.at(at).names;
    const auto entry = names.find(path.substr(begin, end - begin));
    if (entry == names.end()) return std::nullopt;
    at = entry->second;
    begin = end + 1;
  }
  return at;
}

disk_model::node& disk_model::parent_of(const std::string& path) {
  return nodes_.at(find(parent_path(path)).value());
}

void disk_model::change_names(node& directory, name_change change) {
  if (!change.removed.empty()) directory.names.erase(change.removed);
  if (!change.added.empty()) directory.names[change.added] = change.node;
  directory.later_names.push_back(std::move(change));
}

void disk_model::write(node& n, std::uint64_t at, const std::string& data, bool synced) {
  for (std::size_t done = 0; done < data.size();) {
    const auto within = (at + done) % page_bytes;
    const auto step = std::min(page_bytes - within, data.size() - done);
    auto& state = n.pages[(at + done) / page_bytes];
    auto fresh = std::make_shared<page>(content(state.now()));
    std::memcpy(fresh->data() + within, data.data() + done, step);
    if (synced) { // the whole page goes out
      state.later.clear();
      state.durable = std::move(fresh);
    } else {
      state.later.push_back(std::move(fresh));
    }
    done += step;
  }
  if (at + data.size() <= n.size()) return;
  if (synced) {
    n.later_sizes.clear();
    n.durable_size = at + data.size();
  } else {
    n.later_sizes.push_back(at + data.size());
  }
}

// Bytes [from, to) of the present pages become zeros.
void disk_model::zero(node& n, std::uint64_t from, std::uint64_t to) {
  for (auto at = n.pages.lower_bound(from / page_bytes); at != n.pages.end() && at->first * page_bytes < to; ++at) {
    const auto begin = at->first * page_bytes;
    auto fresh = std::make_shared<page>(content(at->second.now()));
    const auto first = std::max(from, begin) - begin, last = std::min(to, begin + page_bytes) - begin;
    std::memset(fresh->data() + first, 0, last - first);
    at->second.later.push_back(std::move(fresh));
  }
}

void disk_model::flush(node& n) {
  for (auto& [number, state] : n.pages) {
    state.durable = state.now();
    state.later.clear();
  }
  n.durable_size = n.size();
  n.later_sizes.clear();
}

std::string disk_model::site_of(const event& e, const node& n, const std::string& path) const {
  if (e.header.kind == event_kind::flush_directory) {
    if (!path.ends_with("segments")) return "folder /" + path;
    return n.later_names.back().added.empty() ? "segment removal" : "segment creation";
  }
  if (path.starts_with("log/") && path.ends_with(".seg")) return n.last_at == 0 ? "log header" : "log records";
  if (path.starts_with("member/log/") && path.ends_with(".seg"))
    return n.last_at == 0 ? "member's log header" : "member's log records";
  if (path == "log/vote") return n.last_at == 0 ? "first copy of the vote" : "second copy of the vote";
  if (path.ends_with(".seg")) {
    if (n.last_change == event_kind::punch) return "segment holes";
    return n.last_change == event_kind::resize ? "segment seal" : "segment records";
  }
  return (e.header.kind == event_kind::synced_write ? "meta page of " : "pages of ") + path;
}

std::optional<std::string> disk_model::apply(const event& e) {
  const auto kind = e.header.kind;
  if (kind == event_kind::make_directory || (kind == event_kind::open && e.header.created)) {
    const auto id = next_node_++;
    nodes_[id].directory = kind == event_kind::make_directory;
    change_names(parent_of(e.path), {last_name(e.path), {}, id});
  }
  switch (kind) {
    case event_kind::open: opened_[e.header.file] = {find(e.path).value(), e.path}; break;
    case event_kind::remove: change_names(parent_of(e.path), {{}, last_name(e.path), 0}); break;
    case event_kind::rename: {
      const std::string from = e.path.substr(0, e.path.find('\0')), to = e.path.substr(from.size() + 1);
      change_names(parent_of(to), {last_name(to), last_name(from), find(from).value()}); // within one directory
      break;
    }
    case event_kind::flush_directory: {
      auto& n = nodes_.at(find(e.path).value());
      if (n.later_names.empty()) break;
      const auto site = site_of(e, n, e.path);
      if (site != ignored_) {
        n.durable_names = n.names;
        n.later_names.clear();
      }
      return site;
    }
    default: break;
  }
  if (kind < event_kind::write || kind > event_kind::punch || kind == event_kind::make_directory) return std::nullopt;

  const auto& [id, path] = opened_.at(e.header.file);
  auto& n = nodes_.at(id);
  const auto dirty = [&n] {
    return !n.later_sizes.empty() ||
           std::any_of(n.pages.begin(), n.pages.end(), [](const auto& p) { return !p.second.later.empty(); });
  };
  if (kind == event_kind::flush) {
    if (!dirty()) return std::nullopt;
    const auto site = site_of(e, n, path);
    if (site != ignored_) flush(n);
    return site;
  }
  if (kind == event_kind::synced_write) {
    const auto site = site_of(e, n, path);
    write(n, e.header.at, e.data, site != ignored_);
    return site;
  }
  n.last_change = kind;
  if (kind == event_kind::write) {
    n.last_at = e.header.at;
    write(n, e.header.at, e.data, false);
  } else if (kind == event_kind::punch) {
    zero(n, e.header.at, e.header.at + e.header.length);
  } else {
    if (e.header.at < n.size()) zero(n, e.header.at, n.size());
    n.later_sizes.push_back(e.header.at);
  }
  return std::nullopt;
}

disk_image disk_model::crash(survival what, std::mt19937_64& random) const {
  disk_image image;
  collect(0, "", what, random, image);
  return image;
}

void disk_model::collect(node_id id, const std::string& path, survival what, std::mt19937_64& random,
                         disk_image& image) const {
  const auto& n = nodes_.at(id);
  if (n.directory) {
    if (!path.empty()) image.directories.insert(path);
    auto names = n.durable_names;
    const auto count = survivors(n.later_names.size(), what, random);
    for (std::size_t i = 0; i < count; ++i) {
      const auto& change = n.later_names[i];
      if (!change.removed.empty()) names.erase(change.removed);
      if (!change.added.empty()) names[change.added] = change.node;
    }
    for (const auto& [name, child] : names)
      collect(child, path.empty() ? name : path + "/" + name, what, random, image);
    return;
  }
  auto& file = image.files[path];
  const auto sizes = survivors(n.later_sizes.size(), what, random);
  file.size = sizes == 0 ? n.durable_size : n.later_sizes[sizes - 1];
  for (const auto& [number, state] : n.pages) {
    const bool tears = what == survival::tears && !state.later.empty();
    const auto versions = tears ? random() % state.later.size() : survivors(state.later.size(), what, random);
    auto chosen = versions == 0 ? state.durable : state.later[versions - 1];
    if (tears || (what == survival::anything && versions < state.later.size() && random() % 4 == 0))
      chosen = torn(chosen, state.later[versions], random);
    if (chosen) file.pages[number] = std::move(chosen);
  }
}

} // namespace cairn::crash
