#include "cli/sync/local_tree.hpp"

#include "cli/client/command_support.hpp"
#include "cli/transfer/file_download.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace cairn::cli {

namespace {

struct folder_closer {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

listed_item without_transfer(const std::string& name, item_state state, error why) {
  listed_item item;
  item.name = name;
  item.state = state;
  item.why = std::move(why);
  return item;
}

} // namespace

result<std::unique_ptr<local_tree>> local_tree::open(const std::string& root, bool follow_links) {
  std::unique_ptr<local_tree> tree(new local_tree(root, follow_links));
  if (auto entered = tree->enter(""); !entered) return entered.error();
  return tree;
}

// Folders, also those behind links, get a '/', so that sorting them gives the order of the names.
std::string local_tree::sort_name(const std::string& path, std::string name, unsigned char type) {
  struct stat about {};
  const bool ask = type == DT_UNKNOWN || type == DT_LNK;
  if (ask ? ::stat((path + name).c_str(), &about) == 0 && S_ISDIR(about.st_mode) : type == DT_DIR) name += '/';
  return name;
}

bool local_tree::is_link(const std::string& name) const {
  struct stat about {};
  const auto path = root_ + "/" + name.substr(0, name.find_last_not_of('/') + 1);
  return ::lstat(path.c_str(), &about) == 0 && S_ISLNK(about.st_mode);
}

result<void> local_tree::enter(const std::string& name) {
  const auto path = root_ + "/" + name;
  const std::unique_ptr<DIR, folder_closer> stream(::opendir(path.c_str()));
  if (!stream) return system_failure("reading the folder " + path);
  struct stat about {};
  if (::fstat(::dirfd(stream.get()), &about) != 0) return system_failure("reading the folder " + path);
  for (const auto& above : open_)
    if (above.device == about.st_dev && above.inode == about.st_ino)
      return error{errc::invalid_argument, path + ": this symbolic link leads back to a folder above it"};
  folder found{name, {}, 0, about.st_dev, about.st_ino};
  for (;;) {
    errno = 0;
    const auto* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    const std::string file(entry->d_name);
    if (file == "." || file == ".." || is_partial_name(file)) continue;
    found.entries.push_back(sort_name(path, file, entry->d_type));
  }
  if (errno != 0) return system_failure("reading the folder " + path);
  std::sort(found.entries.begin(), found.entries.end());
  open_.push_back(std::move(found));
  return {};
}

result<std::optional<listed_item>> local_tree::next() {
  while (!open_.empty()) {
    auto& top = open_.back();
    if (top.next == top.entries.size()) {
      open_.pop_back();
      continue;
    }
    const auto name = top.name + top.entries[top.next++];
    if (!follow_links_ && is_link(name))
      return std::optional(without_transfer(name, item_state::skipped,
                                            error{errc::invalid_argument, root_ + "/" + name + ": a symbolic link"}));
    if (name.ends_with('/')) {
      if (auto entered = enter(name); !entered)
        return std::optional(without_transfer(name, item_state::failed, entered.error()));
    } else if (auto item = look_at(name)) {
      return item;
    }
  }
  return std::optional<listed_item>{};
}

// nullopt: the entry no longer exists.
std::optional<listed_item> local_tree::look_at(const std::string& name) {
  const auto path = root_ + "/" + name;
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    const int code = errno;
    struct stat link {};
    if (code == ENOENT && ::lstat(path.c_str(), &link) != 0) return std::nullopt;
    errno = code;
    return without_transfer(name, item_state::failed, system_failure(path));
  }
  if (!S_ISREG(about.st_mode))
    return without_transfer(name, item_state::skipped, error{errc::invalid_argument, path + ": not a regular file"});
  listed_item item;
  item.name = name;
  item.size_bytes = static_cast<std::uint64_t>(about.st_size);
  item.changed_at = about.st_mtim.tv_sec * 1'000'000'000 + about.st_mtim.tv_nsec;
  return item;
}

} // namespace cairn::cli
