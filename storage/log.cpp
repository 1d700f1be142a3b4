#include "storage/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>

namespace cairn::log {

namespace {

std::atomic<bool> json_lines{false};

spdlog::level::level_enum to_spdlog(level l) {
  switch (l) {
    case level::debug: return spdlog::level::debug;
    case level::info: return spdlog::level::info;
    case level::warn: return spdlog::level::warn;
    case level::error: return spdlog::level::err;
    case level::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

spdlog::logger& logger() {
  static const auto instance = spdlog::stderr_logger_mt("cairn");
  return *instance;
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append(1, '\\').push_back(c);
    else if (u < 0x20)
      out.append(fmt::format("\\u{:04x}", u));
    else
      out.push_back(c);
  }
  out.push_back('"');
}

// Control characters of keys and headers must not forge lines.
void append_text_value(std::string& out, std::string_view text) {
  if (text.find_first_of(" \"=") == std::string_view::npos &&
      std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }) &&
      !text.empty())
    out.append(text);
  else
    append_json_string(out, text);
}

std::string as_text(std::string_view event, std::initializer_list<field> fields) {
  std::string line{event};
  for (const field& f : fields) {
    line.append(1, ' ').append(f.name).push_back('=');
    append_text_value(line, f.value);
  }
  return line;
}

std::string as_json(std::string_view event, std::initializer_list<field> fields) {
  std::string line = "\"event\":";
  append_json_string(line, event);
  for (const field& f : fields) {
    line.append(",\"").append(f.name).append("\":");
    if (f.number)
      line.append(f.value);
    else
      append_json_string(line, f.value);
  }
  return line;
}

} // namespace

void set_up(level lowest, bool json) {
  json_lines = json;
  logger().set_level(to_spdlog(lowest));
  logger().set_pattern(json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})" : "%Y-%m-%d %H:%M:%S.%e %l %v");
  logger().flush_on(spdlog::level::debug);
}

bool enabled(level l) {
  return logger().should_log(to_spdlog(l));
}

void write(level l, std::string_view event, std::initializer_list<field> fields) {
  if (!enabled(l)) return;
  logger().log(to_spdlog(l), json_lines ? as_json(event, fields) : as_text(event, fields));
}

} // namespace cairn::log
