// Which keys can be files below a folder, and where. Nothing is ever written outside that folder: keys with "..", "."
// or empty segments and those with NUL are refused, and so are paths through a symbolic link that leads out of it.
#pragma once

#include "base/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::cli {

// Why a relative name cannot be a local file; nullopt: it can. Pure.
std::optional<std::string> unsafe_name(std::string_view name);

// Finds names of files below names of files ("a" and "a/b"), which a store of objects can have and a folder cannot. The
// names come in the order of their bytes. Remembers no more than the current name's own beginnings. Pure.
class folder_conflicts {
public:
  // The earlier name that is a file where `name` needs a folder; nullopt: none.
  std::optional<std::string> add(const std::string& name);

private:
  std::vector<std::string> beginnings_; // each begins with the one before
};

// Looks at the folders of root/name, and makes those that are missing when told to. `root` exists. Errors:
// invalid_argument when a symbolic link leads out of `root`; system errors.
result<void> enter_folders(const std::string& root, const std::string& name, bool make);

} // namespace cairn::cli
