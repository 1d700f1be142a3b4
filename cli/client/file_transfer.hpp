// The file ends of put and get: a file or standard input as an upload's body, a file or standard output as a
// download's.
//
// A download into FILE goes to FILE.part, beside it FILE.part.etag with the ETag that the bytes belong to. When it is
// complete and has the server's checksum or MD5, it is flushed and renamed over FILE, which is never partial. An
// interrupted one is continued by the next get: only the missing bytes are requested, and an object that changed is
// fetched from its beginning (If-Range). One process at a time works on a FILE.part (flock). Errors: not_found,
// io_error, no_space, locked, digest_mismatch.
#pragma once

#include "base/digest.hpp"
#include "cli/client/http_client.hpp"
#include "cli/client/object_path.hpp"
#include "cli/client/progress.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace cairn::cli {

// An open file descriptor, closed with its owner.
class descriptor {
public:
  descriptor() = default;
  explicit descriptor(int value) : value_(value) {}
  descriptor(descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept;
  ~descriptor();
  int get() const { return value_; }

private:
  int value_ = -1;
};

// Reads a regular file (its length is announced) or anything else until its end, and digests what it read.
class upload_file : public body_source {
public:
  static result<std::unique_ptr<upload_file>> open(const std::string& path); // "-": standard input
  std::optional<std::uint64_t> length() const override { return length_; }
  result<std::size_t> read(bytes_span into) override;
  void show(progress_meter* meter) { meter_ = meter; }
  std::string md5_hex(); // of what was read; once

private:
  std::string path_;
  descriptor file_;
  std::optional<std::uint64_t> length_;
  std::uint64_t done_ = 0;
  md5 digest_;
  progress_meter* meter_ = nullptr;
};

// What a download must answer at its end.
class download_target : public body_sink {
public:
  // Headers that request only the bytes that an earlier run did not fetch.
  virtual header_list request_headers() const { return {}; }
  // The server has no bytes after those of an earlier run (416). False: those are of another object; fetch from 0.
  virtual result<bool> nothing_left(const http_response&) { return false; }
  // The checksum of the whole object that an answer has; a range's answer need not have it.
  virtual bool wants_checksum() const { return false; }
  virtual void learn_checksum(const http_response&) {}
  // The transfer is complete: verifies it and renames it to its final name.
  virtual result<void> finish() = 0;
  // The download was refused: leave no empty FILE.part behind.
  virtual void drop_if_empty() {}
};

std::unique_ptr<download_target> download_to_stdout(std::string name, bool show_progress);

struct file_options {
  std::string path, name; // name: of the object, for messages
  std::string part = {};  // empty: path.part
  bool show_progress = false;
  std::function<void(std::int64_t bytes)> on_bytes = {}; // stored; negative: discarded
  // The file's modification time, from the answer; nullopt: now.
  std::function<std::optional<std::int64_t>(const http_response&)> time_ns_of = {};
  // Of a whole file that the answer had no digest for: whether its bytes are those of this ETag. Empty: not checked.
  std::function<result<void>(int file, const std::string& etag)> check_unproven = {};
};
result<std::unique_ptr<download_target>> download_to_file(file_options options);

// GET into the target, as often as it takes, then `finish`. A target that was interrupted is continued.
result<void> download(http_client& client, const object_path& path, const std::string& name, download_target& target);

} // namespace cairn::cli
