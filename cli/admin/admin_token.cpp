#include "cli/admin/admin_token.hpp"

#include "base/codec.hpp"
#include "base/files/small_file.hpp"
#include "cli/client/secret_file.hpp"

#include <algorithm>

namespace cairn::cli {

namespace {

constexpr std::size_t random_words = 4;
constexpr std::size_t token_chars_min = 16; // as admin.token must have

std::string make_token(random_source& random) {
  std::string out;
  for (std::size_t i = 0; i < random_words; ++i) out += hex_of(random.next(), 16);
  return out;
}

} // namespace

std::string admin_token_path(const std::string& data_dir) {
  return data_dir + "/admin.token";
}

result<std::string> read_token_file(const std::string& path) {
  auto content = read_small_file(posix_file_system(), path);
  if (!content) return content.error();
  auto line = std::move(*content);
  line.resize(std::min(line.size(), line.find('\n')));
  const auto first = line.find_first_not_of(" \t\r"), last = line.find_last_not_of(" \t\r");
  if (first == std::string::npos) return error{errc::invalid_argument, path + " is empty"};
  return line.substr(first, last - first + 1);
}

result<std::string> own_admin_token(const std::string& data_dir, random_source& random) {
  const auto path = admin_token_path(data_dir);
  auto kept = read_token_file(path);
  if (kept && kept->size() >= token_chars_min) return kept;
  if (!kept && kept.error().code != errc::not_found && kept.error().code != errc::invalid_argument) return kept;
  if (auto made = posix_file_system().make_directories(data_dir); !made) return made.error();
  auto fresh = make_token(random);
  if (auto written = write_private_file(path, fresh + '\n', file_secrecy::owner_only); !written) return written.error();
  return fresh;
}

} // namespace cairn::cli
