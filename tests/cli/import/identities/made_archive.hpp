// Makes zip archives for tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <zip.h>

namespace cairn::cli {

inline std::string made_archive(const std::vector<std::pair<std::string, std::string>>& files) {
  auto* const source = zip_source_buffer_create(nullptr, 0, 0, nullptr);
  zip_source_keep(source); // zip_close gives one reference back
  auto* const archive = zip_open_from_source(source, ZIP_TRUNCATE, nullptr);
  for (const auto& [name, content] : files)
    zip_file_add(archive, name.c_str(), zip_source_buffer(archive, content.data(), content.size(), 0), 0);
  zip_close(archive);
  zip_source_open(source);
  zip_source_seek(source, 0, SEEK_END);
  std::string bytes(static_cast<std::size_t>(zip_source_tell(source)), '\0');
  zip_source_seek(source, 0, SEEK_SET);
  zip_source_read(source, bytes.data(), bytes.size());
  zip_source_close(source);
  zip_source_free(source);
  return bytes;
}

} // namespace cairn::cli
