#include "cli/sync/local_name.hpp"

#include "cli/client/command_support.hpp"
#include "cli/transfer/file_download.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>

namespace cairn::cli {

namespace {

result<std::string> real_path(const std::string& path) {
  char found[PATH_MAX];
  if (::realpath(path.c_str(), found) == nullptr) return system_failure("resolving " + path);
  return std::string(found);
}

} // namespace

std::optional<std::string> unsafe_name(std::string_view name) {
  if (name.find('\0') != std::string_view::npos) return "the name holds a NUL byte, which no file's name can";
  for (std::size_t begin = 0;;) {
    const auto end = std::min(name.find('/', begin), name.size());
    const auto segment = name.substr(begin, end - begin);
    if (segment.empty()) return "the name has an empty segment, which no path can";
    if (segment == "." || segment == "..") return "\"" + std::string(segment) + "\" would lead to another folder";
    if (is_partial_name(segment)) return "the name is one that unfinished downloads have";
    if (segment.size() > NAME_MAX) return "a segment of the name is longer than 255 bytes";
    if (end == name.size()) return std::nullopt;
    begin = end + 1;
  }
}

std::optional<std::string> folder_conflicts::add(const std::string& name) {
  while (!beginnings_.empty() && !name.starts_with(beginnings_.back())) beginnings_.pop_back();
  for (const auto& file : beginnings_)
    if (name.size() > file.size() && name[file.size()] == '/') return file;
  beginnings_.push_back(name);
  return std::nullopt;
}

result<void> enter_folders(const std::string& root, const std::string& name, bool make) {
  for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    const auto folder = root + "/" + name.substr(0, slash);
    if (make && ::mkdir(folder.c_str(), 0777) == 0) continue;
    if (make && errno != EEXIST) return system_failure("making the folder " + folder);
    struct stat about {};
    if (::lstat(folder.c_str(), &about) != 0) return system_failure("looking at the folder " + folder);
    if (!S_ISLNK(about.st_mode)) continue; // a file in its place is noticed by who opens what is below
    const auto real_root = real_path(root), real_folder = real_path(folder);
    if (!real_root) return real_root.error();
    if (!real_folder) return real_folder.error();
    if (*real_folder != *real_root && !real_folder->starts_with(*real_root == "/" ? "/" : *real_root + "/"))
      return error{errc::invalid_argument, folder + ": this symbolic link leads out of " + root};
  }
  return {};
}

} // namespace cairn::cli
