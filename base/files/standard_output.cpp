#include "base/files/standard_output.hpp"

#include <cerrno>
#include <cstring>

#include <poll.h>
#include <unistd.h>

namespace cairn {

namespace {

// Waits until the stream takes bytes, also if another process has made it non-blocking.
ssize_t write_some(bytes_view bytes) {
  for (;;) {
    const auto n = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (n >= 0 || (errno != EINTR && errno != EAGAIN)) return n;
    pollfd room{STDOUT_FILENO, POLLOUT, 0};
    if (errno == EAGAIN) (void)::poll(&room, 1, -1);
  }
}

class output_stream final : public file {
public:
  result<void> write(std::uint64_t, std::span<const bytes_view> data) override {
    static constexpr std::byte line_feed[]{std::byte{'\n'}};
    if (torn_ && !write_all(line_feed)) return failed();
    torn_ = false;
    for (const auto& view : data) {
      if (write_all(view)) continue;
      torn_ = true; // what follows begins a new line
      return failed();
    }
    return {};
  }
  result<std::size_t> read(std::uint64_t, std::span<const bytes_span>) override { return unsupported(); }
  result<std::size_t> read_cached(std::uint64_t, std::span<const bytes_span>) override { return unsupported(); }
  result<void> flush() override { return {}; }
  result<void> preallocate(std::uint64_t) override { return unsupported(); }
  result<void> punch(std::uint64_t, std::uint64_t) override { return unsupported(); }
  result<void> truncate(std::uint64_t) override { return unsupported(); }
  result<std::uint64_t> size() const override { return std::uint64_t{0}; }

private:
  static error unsupported() { return {errc::unsupported, "standard output is a stream"}; }
  static error failed() {
    return {errno == ENOSPC ? errc::no_space : errc::io_error,
            std::string{"write to standard output: "} + std::strerror(errno)};
  }
  static bool write_all(bytes_view bytes) {
    while (!bytes.empty()) {
      const auto n = write_some(bytes);
      if (n < 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return true;
  }

  bool torn_ = false; // a line was written in part
};

} // namespace

std::unique_ptr<file> standard_output() {
  return std::make_unique<output_stream>();
}

} // namespace cairn
