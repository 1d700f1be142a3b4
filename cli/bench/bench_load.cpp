#include "cli/bench/bench_load.hpp"

#include "base/json.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/file_transfer.hpp"
#include "cli/client/object_path.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

namespace cairn::cli {

namespace {

using steady = std::chrono::steady_clock;
constexpr std::size_t piece_bytes = 1 << 20;
constexpr std::size_t head_bytes_max = 64 << 10;

double milliseconds_since(steady::time_point start) {
  return std::chrono::duration<double, std::milli>(steady::now() - start).count();
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

result<descriptor> connect_to(const server_address& server) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(server.host.c_str(), server.port.c_str(), &hints, &found); code != 0)
    return error{errc::connection_lost, server.host + ": " + ::gai_strerror(code)};
  descriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool connected = socket.get() >= 0 && ::connect(socket.get(), found->ai_addr, found->ai_addrlen) == 0;
  ::freeaddrinfo(found);
  if (!connected) return system_failure("connecting to " + server.host_header());
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

// One client's connection: answers are parsed no further than their status and length.
class load_connection {
public:
  explicit load_connection(descriptor socket) : socket_(std::move(socket)), buffer_(piece_bytes) {}

  result<void> send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return system_failure("sending");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
  }

  // Reads one whole answer and drops its body, or appends it to `body`. Answers the body's length.
  result<std::uint64_t> receive(std::string* body = nullptr, steady::time_point sent = {},
                                double* first_byte_ms = nullptr) {
    auto head_end = pending().find("\r\n\r\n");
    while (head_end == std::string_view::npos) {
      if (end_ - begin_ >= head_bytes_max) return error{errc::too_large, "the answer's head is larger than 64 KiB"};
      if (auto more = fill(); !more) return more.error();
      if (first_byte_ms && *first_byte_ms == 0) *first_byte_ms = milliseconds_since(sent);
      head_end = pending().find("\r\n\r\n");
    }
    const auto head = pending().substr(0, head_end + 2);
    const auto length = body_length(head);
    if (!length) return length.error();
    begin_ += head_end + 4;
    for (auto left = *length; left > 0;) {
      if (begin_ == end_)
        if (auto more = fill(); !more) return more.error();
      const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left, end_ - begin_));
      if (body) body->append(buffer_.data() + begin_, take);
      begin_ += take;
      left -= take;
    }
    return *length;
  }

private:
  std::string_view pending() const { return {buffer_.data() + begin_, end_ - begin_}; }

  result<void> fill() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (end_ == buffer_.size()) {
      std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), buffer_.end(), buffer_.begin());
      end_ -= begin_;
      begin_ = 0;
    }
    const auto got = ::recv(socket_.get(), buffer_.data() + end_, buffer_.size() - end_, 0);
    if (got < 0) return system_failure("receiving");
    if (got == 0) return error{errc::connection_lost, "the server closed the connection before the answer was whole"};
    end_ += static_cast<std::size_t>(got);
    return {};
  }

  static result<std::uint64_t> body_length(std::string_view head) {
    const auto status = head.substr(std::min<std::size_t>(head.find(' '), head.size() - 1) + 1, 3);
    if (!status.starts_with('2')) return error{errc::io_error, "the server answered " + printable(head.substr(0, 200))};
    if (status == "204") return 0;
    for (std::size_t line = head.find("\r\n"); line + 2 < head.size(); line = head.find("\r\n", line + 2)) {
      const auto field = head.substr(line + 2, head.find("\r\n", line + 2) - line - 2);
      constexpr std::string_view name = "content-length:";
      if (field.size() <= name.size() || !std::equal(name.begin(), name.end(), field.begin(), [](char a, char b) {
            return a == (b >= 'A' && b <= 'Z' ? b + 32 : b);
          }))
        continue;
      const auto digits = field.substr(std::min(field.find_first_not_of(' ', name.size()), field.size()));
      std::uint64_t value = 0;
      const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      if (code == std::errc{} && end != digits.data()) return value;
    }
    return error{errc::corrupt, "the answer has no Content-Length"};
  }

  descriptor socket_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
};

std::string request_head(const load_shape& shape, const char* method, const std::string& target, std::uint64_t length) {
  std::string head = std::string(method) + " " + target + " HTTP/1.1\r\nHost: " + shape.server.host_header() + "\r\n";
  if (std::string_view(method) == "PUT") head += "Content-Length: " + std::to_string(length) + "\r\n";
  return head + "\r\n";
}

// Runs `client` once a client, each on a thread and a connection of its own; all connect before the clock starts.
result<load_report> run_clients(const load_shape& shape,
                                const std::function<result<load_report>(std::uint32_t, load_connection&)>& client) {
  std::vector<load_connection> connections;
  for (std::uint32_t i = 0; i < shape.clients; ++i) {
    auto socket = connect_to(shape.server);
    if (!socket) return socket.error();
    connections.emplace_back(std::move(*socket));
  }
  std::mutex mutex;
  load_report total;
  std::optional<error> failed;
  const auto cpu = cpu_seconds();
  const auto start = steady::now();
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < shape.clients; ++i)
    threads.emplace_back([&, i] {
      auto report = client(i, connections[i]);
      const std::lock_guard lock(mutex);
      if (!report) {
        failed = report.error();
        return;
      }
      total.requests += report->requests;
      total.bytes += report->bytes;
      total.keys += report->keys;
      total.first_byte_ms.insert(total.first_byte_ms.end(), report->first_byte_ms.begin(), report->first_byte_ms.end());
    });
  for (auto& thread : threads) thread.join();
  if (failed) return *failed;
  total.seconds = milliseconds_since(start) / 1000;
  total.cpu_seconds = cpu_seconds() - cpu;
  std::sort(total.first_byte_ms.begin(), total.first_byte_ms.end());
  return total;
}

result<void> sync_file(const std::string& path) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 || ::fsync(file.get()) != 0) return system_failure("flushing " + path);
  return {};
}

std::string_view between(std::string_view text, std::string_view open, std::string_view close) {
  const auto begin = text.find(open);
  if (begin == std::string_view::npos) return {};
  const auto end = text.find(close, begin + open.size());
  return end == std::string_view::npos ? std::string_view{}
                                       : text.substr(begin + open.size(), end - begin - open.size());
}

} // namespace

std::string load_report::to_json() const {
  const auto percentile = [&](double p) {
    return first_byte_ms.empty()
               ? 0.0
               : first_byte_ms[static_cast<std::size_t>(p * static_cast<double>(first_byte_ms.size() - 1))];
  };
  return json_text(json_object{{"requests", requests},
                               {"bytes", bytes},
                               {"keys", keys},
                               {"seconds", seconds},
                               {"client_cpu_seconds", cpu_seconds},
                               {"first_byte_p50_ms", percentile(0.5)},
                               {"first_byte_p99_ms", percentile(0.99)}});
}

result<load_report> run_sink(const load_shape& shape) {
  const auto request = request_head(shape, "GET", shape.target, 0);
  return run_clients(shape, [&](std::uint32_t, load_connection& connection) -> result<load_report> {
    load_report report;
    for (; report.requests < shape.requests; ++report.requests) {
      const auto sent = steady::now();
      if (auto out = connection.send(request); !out) return out.error();
      double first_byte = 0;
      const auto got = connection.receive(nullptr, sent, &first_byte);
      if (!got) return got.error();
      report.bytes += *got;
      report.first_byte_ms.push_back(first_byte);
    }
    return report;
  });
}

result<load_report> run_source(const load_shape& shape) {
  std::string piece(piece_bytes, 0);
  std::uint64_t state = 0x9E3779B97F4A7C15ull; // bytes that no layer below could compress
  for (auto& byte : piece)
    byte = static_cast<char>((state = state * 6364136223846793005ull + 1442695040888963407ull) >> 56);
  return run_clients(shape, [&](std::uint32_t client, load_connection& connection) -> result<load_report> {
    load_report report;
    for (; report.requests < shape.requests; ++report.requests) {
      const auto target = shape.target + "-" + std::to_string(client) + "-" + std::to_string(report.requests);
      if (auto out = connection.send(request_head(shape, "PUT", target, shape.size_bytes)); !out) return out.error();
      for (auto left = shape.size_bytes; left > 0;) {
        const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size()));
        if (auto out = connection.send({piece.data(), take}); !out) return out.error();
        left -= take;
      }
      if (auto got = connection.receive(); !got) return got.error();
      if (!shape.sync_dir.empty())
        if (auto flushed = sync_file(shape.sync_dir + target.substr(target.rfind('/'))); !flushed)
          return flushed.error();
      report.bytes += shape.size_bytes;
    }
    return report;
  });
}

result<load_report> run_fill(const load_shape& shape) {
  const std::string body(shape.size_bytes, 'x');
  return run_clients(shape, [&](std::uint32_t client, load_connection& connection) -> result<load_report> {
    load_report report;
    for (auto next = std::uint64_t{client}; next < shape.keys;) {
      std::string batch;
      std::uint32_t count = 0;
      for (; count < shape.pipeline && next < shape.keys; ++count, next += shape.clients) {
        char number[24];
        std::snprintf(number, sizeof number, "%08llu", static_cast<unsigned long long>(next));
        batch += request_head(shape, "PUT", shape.target + number, body.size()) + body;
      }
      if (auto out = connection.send(batch); !out) return out.error();
      for (std::uint32_t i = 0; i < count; ++i)
        if (auto got = connection.receive(); !got) return got.error();
      report.requests += count;
      report.keys += count;
    }
    return report;
  });
}

// The page behind what the one before ended with; keys that fill() made need no unescaping.
std::string page_of(const load_shape& shape, const std::string& before) {
  const auto mark = [&before](std::string_view element, std::string_view parameter) {
    const auto value = between(before, "<" + std::string{element} + ">", "</" + std::string{element} + ">");
    return value.empty() ? std::string{} : "&" + std::string{parameter} + "=" + percent_encode(value, false);
  };
  if (!shape.versions)
    return shape.target + "?list-type=2&max-keys=1000" + mark("NextContinuationToken", "continuation-token");
  return shape.target + "?versions&max-keys=1000" + mark("NextKeyMarker", "key-marker") +
         mark("NextVersionIdMarker", "version-id-marker");
}

result<load_report> run_list(const load_shape& shape) {
  return run_clients(shape, [&](std::uint32_t, load_connection& connection) -> result<load_report> {
    load_report report;
    std::string body, truncated;
    do {
      const auto target = page_of(shape, body);
      if (auto out = connection.send(request_head(shape, "GET", target, 0)); !out) return out.error();
      body.clear();
      if (auto got = connection.receive(&body); !got) return got.error();
      report.bytes += body.size();
      ++report.requests;
      for (auto at = body.find("<Key>"); at != std::string::npos; at = body.find("<Key>", at + 5)) ++report.keys;
      truncated = between(body, "<IsTruncated>", "</IsTruncated>");
      if (truncated != "false" && (truncated != "true" || page_of(shape, body) == page_of(shape, {})))
        return error{errc::corrupt, "a page says neither that it is the last nor how to go on"};
    } while (truncated == "true");
    return report;
  });
}

} // namespace cairn::cli
