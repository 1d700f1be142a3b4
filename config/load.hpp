// TOML text and `--set` overrides → `settings`. Only load.cpp uses toml++. Reports all problems at once: file, line,
// column, the key, what was expected, and a suggestion for a misspelt key.
#pragma once

#include "config/config.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::config {

struct problem {
  std::string file; // "--set" for overrides
  std::uint32_t line = 0, column = 0;
  std::string key;  // "storage.chunk_size"
  std::string text; // "expected a size from 64KiB to 16MiB, got \"1MB5\""
};

// "cairn.toml:3:14: storage.chunk_size: expected …"
std::string to_string(const problem& p);

struct loaded {
  settings value;                // meaningful only when problems is empty
  std::vector<problem> problems; // all of them, in file order, then overrides, then relations between keys
};

// `text` is the file's content (empty: the defaults). `overrides` are "key=value"; the value is TOML, a bare word is a
// string. Never throws.
loaded load(std::string_view text, std::string_view file_name, std::span<const std::string> overrides);

// Reads the file, then `load`. An unreadable file is one problem. An empty path means the embedded defaults.
loaded load_file(const std::string& path, std::span<const std::string> overrides);

// TOML that loads to the same settings. With `with_secrets` = false, a comment replaces each secret that is set.
std::string to_toml(const settings& s, bool with_comments, bool with_secrets = true);
std::string reference_markdown(); // docs/configuration.md

} // namespace cairn::config
