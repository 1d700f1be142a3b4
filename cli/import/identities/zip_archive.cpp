#include "cli/import/identities/zip_archive.hpp"

#include <utility>

#include <zip.h>

namespace cairn::cli {

namespace {

zip_t* opened(void* archive) {
  return static_cast<zip_t*>(archive);
}

error zip_failure(zip_error_t& why) {
  error failed{errc::corrupt, std::string{"not a zip archive that can be read: "} + zip_error_strerror(&why)};
  zip_error_fini(&why);
  return failed;
}

} // namespace

void zip_archive::closer::operator()(void* archive) const {
  zip_discard(opened(archive));
}

result<zip_archive> zip_archive::open(std::string bytes) {
  if (bytes.empty()) return error{errc::corrupt, "not a zip archive: it is empty"}; // libzip would make one of it
  auto held = std::make_unique<const std::string>(std::move(bytes));
  zip_error_t why;
  zip_error_init(&why);
  auto* const source = zip_source_buffer_create(held->data(), held->size(), 0, &why);
  if (source == nullptr) return zip_failure(why);
  auto* const archive = zip_open_from_source(source, ZIP_RDONLY, &why);
  if (archive == nullptr) {
    zip_source_free(source);
    return zip_failure(why);
  }
  zip_error_fini(&why);
  return zip_archive{std::move(held), archive};
}

result<std::optional<std::string>> zip_archive::read(const std::string& name, std::size_t file_bytes_max) const {
  auto* const archive = opened(archive_.get());
  const auto unreadable = [&name](const char* why) { return error{errc::corrupt, name + " in the archive: " + why}; };
  zip_stat_t about;
  if (zip_stat(archive, name.c_str(), ZIP_FL_ENC_RAW, &about) != 0) {
    if (zip_error_code_zip(zip_get_error(archive)) == ZIP_ER_NOENT) return std::optional<std::string>{};
    return unreadable(zip_strerror(archive));
  }
  if ((about.valid & ZIP_STAT_SIZE) == 0 || about.size > file_bytes_max) return unreadable("it is too large");
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file{zip_fopen_index(archive, about.index, 0), zip_fclose};
  if (!file) return unreadable(zip_strerror(archive));
  std::string content(about.size, '\0');
  std::size_t got = 0;
  // The checksum is compared by the read that finds the end.
  for (char after = 0;;) {
    const bool whole = got == content.size();
    const auto n = zip_fread(file.get(), whole ? &after : content.data() + got, whole ? 1 : content.size() - got);
    if (n < 0) return unreadable(zip_file_strerror(file.get()));
    if (n == 0) break;
    if (whole) return unreadable("it is longer than its directory says");
    got += static_cast<std::size_t>(n);
  }
  if (got < content.size()) return unreadable("it is shorter than its directory says");
  return std::optional{std::move(content)};
}

} // namespace cairn::cli
