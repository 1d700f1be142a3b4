#include "actors/runtime/sealing_keys.hpp"

#include "base/files/small_file.hpp"

namespace cairn::actors {

result<std::shared_ptr<const secrets::key_ring>> load_sealing_keys(file_system& files,
                                                                   const config::auth_settings& settings) {
  const auto &file = settings.sealing_key_file, &first = settings.sealing_key;
  if (file.empty() && first.empty()) return std::shared_ptr<const secrets::key_ring>{};
  std::string text;
  if (!file.empty()) {
    auto content = read_small_file(files, file);
    if (!content) return error{content.error().code, "auth.sealing_key_file: " + content.error().text};
    auto read = secrets::key_ring::read(*content);
    if (!read) return error{read.error().code, "auth.sealing_key_file: " + file + ": " + read.error().text};
    text = std::move(*content);
  }
  auto ring = secrets::key_ring::read(first + "\n" + text);
  if (!ring) return error{ring.error().code, "auth.sealing_key: " + ring.error().text};
  return std::make_shared<const secrets::key_ring>(std::move(*ring));
}

} // namespace cairn::actors
