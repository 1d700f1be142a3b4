#include "cli/client/file_transfer.hpp"

#include "base/codec.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/s3_answers.hpp"
#include "net/s3/body/checksums.hpp"
#include "net/wire/grammar/base64.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>

namespace cairn::cli {

namespace {

result<std::size_t> read_some(int file, bytes_span into, const std::string& path) {
  for (;;) {
    const auto got = ::read(file, into.data(), into.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return system_failure("reading " + path);
  }
}

result<void> write_all(int file, bytes_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_failure("writing " + path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// What the bytes of a download must have: the checksum that the server stored of the whole object, or an ETag that is
// the MD5 of its bytes (that of a multipart upload says nothing about them).
class expected_digest {
public:
  void start(std::string etag) {
    *this = expected_digest();
    etag_ = std::move(etag);
  }
  // x-amz-checksum-…, unless it is composed of the parts' ("…-3").
  void learn(const http_response& response) {
    for (const auto kind : net::checksum_kinds) {
      const auto text = response.header("x-amz-checksum-" + std::string(to_string(kind)));
      if (text.empty() || text.find('-') != std::string_view::npos ||
          response.header("x-amz-checksum-type") == "COMPOSITE")
        continue;
      const auto bytes = net::base64_decode(text);
      if (!bytes || bytes->size() != net::checksum_bytes(kind)) continue;
      expected_ = *bytes;
      running_.emplace(kind);
    }
  }
  bool proves() const { return running_ || is_md5(etag_); }
  void restart() {
    if (running_) running_.emplace(running_->kind());
    md5_ = md5();
  }
  void update(bytes_view bytes) {
    if (running_)
      running_->update(bytes);
    else if (is_md5(etag_))
      md5_.update(bytes);
  }
  result<void> check(const std::string& name) {
    if (running_) {
      const auto kind = std::string(to_string(running_->kind()));
      const auto got = running_->finish();
      if (got == expected_) return {};
      return error{errc::digest_mismatch, name + ": the bytes that came have the " + kind + " checksum " +
                                              net::base64_encode(got) + ", the object has " +
                                              net::base64_encode(expected_)};
    }
    if (!is_md5(etag_)) return {};
    const auto got = hex_of(md5_.finish());
    if (got == etag_) return {};
    return error{errc::digest_mismatch, name + ": the bytes that came have MD5 " + got + ", the ETag is " + etag_};
  }

private:
  std::string etag_, expected_;
  md5 md5_;
  std::optional<net::running_checksum> running_;
};

} // namespace

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  std::swap(value_, other.value_);
  return *this;
}

descriptor::~descriptor() {
  if (value_ >= 0) ::close(value_);
}

result<std::unique_ptr<upload_file>> upload_file::open(const std::string& path) {
  auto source = std::make_unique<upload_file>();
  source->path_ = path == "-" ? "standard input" : path;
  source->file_ = descriptor(path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about {};
  if (source->file_.get() < 0 || ::fstat(source->file_.get(), &about) != 0)
    return system_failure("opening " + source->path_);
  if (S_ISDIR(about.st_mode)) return error{errc::invalid_argument, path + " is a directory, expected a file"};
  if (S_ISREG(about.st_mode) && path != "-") source->length_ = static_cast<std::uint64_t>(about.st_size);
  return source;
}

result<std::size_t> upload_file::read(bytes_span into) {
  if (length_) into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), *length_ - done_)));
  std::size_t filled = 0;
  while (filled < into.size()) { // pipes answer in small pieces
    const auto got = read_some(file_.get(), into.subspan(filled), path_);
    if (!got) return got;
    if (*got == 0) break;
    filled += *got;
  }
  done_ += filled;
  digest_.update(into.first(filled));
  if (meter_) meter_->add(filled);
  return filled;
}

std::string upload_file::md5_hex() {
  return hex_of(digest_.finish());
}

namespace {

class stdout_target : public download_target {
public:
  stdout_target(std::string name, bool show_progress) : name_(std::move(name)), show_progress_(show_progress) {}

  result<void> head(const http_response& response) override {
    digest_.start(etag_text(response.header("etag")));
    digest_.learn(response);
    meter_.emplace(progress_text(name_, response.content_length), show_progress_);
    return {};
  }
  result<void> write(bytes_view bytes) override {
    digest_.update(bytes);
    meter_->add(bytes.size());
    return write_all(STDOUT_FILENO, bytes, "standard output");
  }
  result<void> finish() override {
    meter_->finish();
    return digest_.check(name_);
  }

private:
  std::string name_;
  bool show_progress_;
  expected_digest digest_;
  std::optional<progress_meter> meter_;
};

class file_target : public download_target {
public:
  explicit file_target(file_options options)
      : options_(std::move(options)),
        path_(options_.path),
        part_(options_.part.empty() ? path_ + ".part" : options_.part),
        etag_path_(part_ + ".etag"),
        name_(options_.name) {}

  result<void> open() {
    struct stat about {};
    if (::stat(path_.c_str(), &about) == 0 && S_ISDIR(about.st_mode))
      return error{errc::invalid_argument, path_ + " is a directory, expected a file name"};
    file_ = descriptor(::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (file_.get() < 0) return system_failure("opening " + part_);
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0)
      return errno == EWOULDBLOCK ? error{errc::locked, part_ + ": another get is writing this file"}
                                  : system_failure("locking " + part_);
    struct stat named {}; // the other get may have renamed the file that was just locked
    if (::fstat(file_.get(), &about) != 0 || ::stat(part_.c_str(), &named) != 0 || about.st_ino != named.st_ino)
      return error{errc::locked, part_ + ": another get has just finished this file"};
    return recall(static_cast<std::uint64_t>(about.st_size));
  }

  header_list request_headers() const override {
    if (done_ == 0) return {};
    return {{"Range", "bytes=" + std::to_string(done_) + "-"}, {"If-Range", '"' + etag_ + '"'}};
  }

  result<void> head(const http_response& response) override {
    const auto etag = etag_text(response.header("etag"));
    if (response.status == 206) {
      if (etag != etag_ || range_begin(response.header("content-range")) != done_)
        return error{errc::corrupt, name_ + ": the server answered another range than was asked for"};
      // A range's checksum may be that of a part: the whole object's came with learn_checksum.
      if (auto hashed = digest_what_is_there(); !hashed) return hashed;
    } else {
      if (auto fresh = start_over(etag); !fresh) return fresh;
      digest_.learn(response);
    }
    if (options_.time_ns_of) time_ns_ = options_.time_ns_of(response);
    auto total = response.content_length;
    if (total) *total += done_;
    meter_.emplace(progress_text(name_, total, done_), options_.show_progress);
    return {};
  }

  result<void> write(bytes_view bytes) override {
    if (auto written = write_all(file_.get(), bytes, part_); !written) return written;
    digest_.update(bytes);
    done_ += bytes.size();
    meter_->add(bytes.size());
    report();
    return {};
  }

  bool wants_checksum() const override { return done_ > 0 && !digest_.proves(); }
  void learn_checksum(const http_response& response) override {
    if (etag_text(response.header("etag")) == etag_) digest_.learn(response);
  }

  result<bool> nothing_left(const http_response& response) override {
    if (response.header("content-range") != "bytes */" + std::to_string(done_)) {
      if (auto fresh = start_over({}); !fresh) return fresh.error();
      return false;
    }
    if (auto hashed = digest_what_is_there(); !hashed) return hashed.error();
    return true;
  }

  result<void> finish() override {
    if (meter_) meter_->finish();
    auto checked = digest_.check(name_);
    if (checked && !digest_.proves() && options_.check_unproven) checked = options_.check_unproven(file_.get(), etag_);
    if (!checked && checked.error().code != errc::digest_mismatch) return checked;
    if (!checked) {
      ::unlink(etag_path_.c_str());
      ::unlink(part_.c_str());
      return error{errc::digest_mismatch, checked.error().text + "; " + part_ + " was removed, run the command again"};
    }
    if (time_ns_) {
      constexpr std::int64_t second = 1'000'000'000;
      const auto fraction = (*time_ns_ % second + second) % second; // also of times before 1970
      const timespec times[] = {{0, UTIME_OMIT}, {(*time_ns_ - fraction) / second, fraction}};
      if (::futimens(file_.get(), times) != 0) return system_failure("setting the time of " + part_);
    }
    if (::fsync(file_.get()) != 0) return system_failure("flushing " + part_);
    if (::rename(part_.c_str(), path_.c_str()) != 0) return system_failure("renaming " + part_ + " to " + path_);
    ::unlink(etag_path_.c_str());
    const auto slash = path_.rfind('/');
    const auto folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path_.substr(0, slash);
    const descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0 || ::fsync(directory.get()) != 0) return system_failure("flushing " + folder);
    return {};
  }

  void drop_if_empty() override {
    if (done_ > 0) return;
    ::unlink(etag_path_.c_str());
    ::unlink(part_.c_str());
  }

private:
  // Bytes without their ETag file may be of any object.
  result<void> recall(std::uint64_t size) {
    const descriptor stored(::open(etag_path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (stored.get() < 0) return {};
    std::byte text[256];
    const auto got = read_some(stored.get(), text, etag_path_);
    if (!got) return got.error();
    std::string etag(reinterpret_cast<const char*>(text), *got);
    if (!etag.ends_with('\n')) return {};
    etag.pop_back();
    const auto printable = [](unsigned char c) { return c > 0x20 && c < 0x7f && c != '"'; };
    if (etag.empty() || !std::all_of(etag.begin(), etag.end(), printable)) return {};
    etag_ = std::move(etag);
    done_ = size;
    digest_.start(etag_);
    return {};
  }

  static std::optional<std::uint64_t> range_begin(std::string_view content_range) {
    if (!content_range.starts_with("bytes ")) return std::nullopt;
    content_range.remove_prefix(6);
    std::uint64_t begin = 0;
    const auto [end, code] = std::from_chars(content_range.data(), content_range.data() + content_range.size(), begin);
    if (code != std::errc{} || end == content_range.data() + content_range.size() || *end != '-') return std::nullopt;
    return begin;
  }

  // The old ETag goes first: at no moment do bytes stand beside an ETag that is not theirs.
  result<void> start_over(const std::string& etag) {
    if (::unlink(etag_path_.c_str()) != 0 && errno != ENOENT) return system_failure("removing " + etag_path_);
    if (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) != 0)
      return system_failure("truncating " + part_);
    done_ = 0;
    etag_ = etag;
    digest_.start(etag);
    report();
    if (etag.empty()) return {};
    const descriptor stored(::open(etag_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (stored.get() < 0) return system_failure("opening " + etag_path_);
    const auto line = etag + "\n";
    return write_all(stored.get(), std::as_bytes(std::span(line)), etag_path_);
  }

  result<void> digest_what_is_there() {
    digest_.restart();
    report();
    if (::lseek(file_.get(), 0, SEEK_SET) != 0) return system_failure("reading " + part_);
    std::vector<std::byte> buffer(1 << 20);
    for (std::uint64_t left = done_; left > 0;) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
      const auto got = read_some(file_.get(), {buffer.data(), wanted}, part_);
      if (!got) return got.error();
      if (*got == 0) return error{errc::io_error, part_ + " became shorter while it was read"};
      digest_.update({buffer.data(), *got});
      left -= *got;
    }
    return {};
  }

  void report() {
    if (options_.on_bytes) options_.on_bytes(static_cast<std::int64_t>(done_ - reported_));
    reported_ = done_;
  }

  file_options options_;
  std::string path_, part_, etag_path_, name_;
  descriptor file_;
  std::uint64_t done_ = 0, reported_ = 0;
  std::string etag_;
  expected_digest digest_;
  std::optional<std::int64_t> time_ns_;
  std::optional<progress_meter> meter_;
};

} // namespace

std::unique_ptr<download_target> download_to_stdout(std::string name, bool show_progress) {
  return std::make_unique<stdout_target>(std::move(name), show_progress);
}

result<std::unique_ptr<download_target>> download_to_file(file_options options) {
  auto target = std::make_unique<file_target>(std::move(options));
  if (auto opened = target->open(); !opened) return opened.error();
  return target;
}

result<void> download(http_client& client, const object_path& path, const std::string& name, download_target& target) {
  for (;;) {
    if (target.wants_checksum()) {
      const auto about = client.exchange({"HEAD", target_of(path), {{"x-amz-checksum-mode", "ENABLED"}}});
      if (!about) return about.error();
      target.learn_checksum(*about);
    }
    auto headers = target.request_headers();
    const bool continues = !headers.empty();
    headers.emplace_back("x-amz-checksum-mode", "ENABLED");
    const auto response = client.exchange({"GET", target_of(path), headers}, nullptr, &target);
    if (!response) return response.error();
    if (response->status == 416 && continues) {
      const auto whole = target.nothing_left(*response);
      if (!whole) return whole.error();
      if (!*whole) continue;
    } else if (!response->ok()) {
      return failure_of(*response, name);
    }
    return target.finish();
  }
}

} // namespace cairn::cli
