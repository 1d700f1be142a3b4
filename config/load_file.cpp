// The configuration from a file.
#include "base/file_system.hpp"
#include "config/load.hpp"
#include "config/toml_shape.hpp"

#include <filesystem>

namespace cairn::config {

loaded load_file(const std::string& path, std::span<const std::string> overrides) {
  if (path.empty()) return load("", "", overrides);
  const auto unreadable = [&path](const char* why) {
    loaded out;
    out.problems.push_back({path, 0, 0, "", why});
    return out;
  };
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) return unreadable("expected a file, this is a directory");
  if (std::filesystem::exists(path, failure) && !std::filesystem::is_regular_file(path, failure))
    return unreadable("expected a regular file");
  const auto in = posix_file_system().open(path, open_mode::read_only); // waits for no FIFO, whatever it is by now
  if (!in) return unreadable("the file can't be opened");
  // Reads one byte more than is allowed, so that check_shape notices a file that is too large.
  std::string text(toml_bytes_max + 1, '\0');
  const bytes_span into{reinterpret_cast<std::byte*>(text.data()), text.size()};
  const auto got = (*in)->read(0, std::span{&into, 1});
  if (!got) return unreadable("the file can't be read");
  text.resize(*got);
  return load(text, path, overrides);
}

} // namespace cairn::config
