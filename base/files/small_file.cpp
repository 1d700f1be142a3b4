#include "base/files/small_file.hpp"

#include "base/checksum.hpp"
#include "base/codec.hpp"

#include <filesystem>
#include <span>

namespace cairn {

namespace {

constexpr std::string_view checksum_mark = " crc32c:";

} // namespace

std::string hexadecimal_crc32c(std::string_view text) {
  return hex_of(crc32c(std::as_bytes(std::span{text})), 8);
}

std::string small_line(std::string_view grammar, std::string_view text) {
  auto line = std::string{grammar}.append(text);
  const auto sum = hexadecimal_crc32c(line);
  return line.append(checksum_mark).append(sum).append("\n");
}

result<std::string> read_small_file(file_system& files, const std::string& path) {
  auto opened = files.open(path, open_mode::read_only);
  if (!opened) return opened.error();
  const auto size = (*opened)->size();
  if (!size) return size.error();
  if (*size > small_file_bytes_max) return error{errc::too_large, path + ": more than 64 KiB"};
  std::string content(*size, '\0');
  const bytes_span into{reinterpret_cast<std::byte*>(content.data()), content.size()};
  const auto read = (*opened)->read(0, std::span{&into, 1});
  if (!read) return read.error();
  content.resize(*read);
  return content;
}

result<std::optional<std::string>> read_small_line(file_system& files, const std::string& path,
                                                   std::string_view grammar) {
  auto content = read_small_file(files, path);
  if (!content) {
    if (content.error().code == errc::not_found) return std::optional<std::string>{};
    return content.error();
  }
  if (!content->starts_with(grammar) || !content->ends_with('\n'))
    return error{errc::corrupt, path + ": unexpected content"};
  content->pop_back();
  if (const auto mark = content->rfind(checksum_mark); mark != content->npos) {
    if (content->substr(mark + checksum_mark.size()) != hexadecimal_crc32c(std::string_view{*content}.substr(0, mark)))
      return error{errc::corrupt, path + ": its checksum is another"};
    content->resize(mark);
  }
  return std::optional{content->substr(grammar.size())};
}

result<void> replace_small_file(file_system& files, const std::string& path, std::string_view content) {
  const std::string fresh = path + ".new";
  if (auto gone = files.remove(fresh); !gone && gone.error().code != errc::not_found) return gone.error();
  {
    auto opened = files.open(fresh, open_mode::create);
    if (!opened) return opened.error();
    const bytes_view view{reinterpret_cast<const std::byte*>(content.data()), content.size()};
    if (auto written = (*opened)->write(0, std::span{&view, 1}); !written) return written;
    if (auto flushed = (*opened)->flush(); !flushed) return flushed;
  }
  if (auto renamed = files.rename(fresh, path); !renamed) return renamed;
  return files.flush_directory(std::filesystem::path{path}.parent_path().string());
}

result<void> overwrite_small_file(file_system& files, const std::string& path, std::string_view content) {
  constexpr std::size_t sector_bytes = 512;
  auto opened = files.open(path, open_mode::read_write);
  if (!opened) return opened.error();
  const auto size = (*opened)->size();
  if (!size) return size.error();
  if (*size != content.size() || content.size() > sector_bytes)
    return error{errc::invalid_argument, path + ": cannot be overwritten by content of another size"};
  const bytes_view view{reinterpret_cast<const std::byte*>(content.data()), content.size()};
  if (auto written = (*opened)->write(0, std::span{&view, 1}); !written) return written;
  return (*opened)->flush();
}

} // namespace cairn
