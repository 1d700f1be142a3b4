// Reads the files of a zip archive in memory, which libzip unpacks; the only file that includes it is zip_archive.cpp.
// The archive is not trusted: a file that unpacks to more than `file_bytes_max`, or whose checksum is not the one in
// the directory, is refused. Error: corrupt.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace cairn::cli {

class zip_archive {
public:
  static result<zip_archive> open(std::string bytes);

  // nullopt: there is no such file.
  result<std::optional<std::string>> read(const std::string& name, std::size_t file_bytes_max) const;

private:
  struct closer {
    void operator()(void* archive) const; // a zip_t
  };
  zip_archive(std::unique_ptr<const std::string> bytes, void* archive) : bytes_(std::move(bytes)), archive_(archive) {}

  std::unique_ptr<const std::string> bytes_; // libzip refers to them
  std::unique_ptr<void, closer> archive_;
};

} // namespace cairn::cli
