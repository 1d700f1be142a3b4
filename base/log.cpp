#include "base/log.hpp"

#include "base/json.hpp"
#include "base/visible_text.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

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

bool is_plain(std::string_view text) {
  if (text.empty() || text.find_first_of(" \"=") != std::string_view::npos) return false;
  while (!text.empty()) {
    const auto c = first_character(text);
    if (drives_terminal(c)) return false;
    text.remove_prefix(c.bytes);
  }
  return true;
}

// A value from outside can neither forge log lines nor control the terminal that shows them.
std::string escaped(std::string_view text) {
  return json_text(json_value(text));
}

std::string as_text(std::string_view event, std::initializer_list<field> fields) {
  std::string line{event};
  for (const field& f : fields)
    line.append(1, ' ').append(f.name).append(1, '=').append(is_plain(f.value) ? f.value : escaped(f.value));
  return line;
}

// The members of an object: the pattern has its braces, time and level.
std::string as_json(std::string_view event, std::initializer_list<field> fields) {
  std::string line = "\"event\":" + escaped(event);
  for (const field& f : fields)
    line.append(1, ',').append(escaped(f.name)).append(1, ':').append(f.number ? f.value : escaped(f.value));
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

std::string line_of(std::string_view event, std::initializer_list<field> fields, bool json) {
  return json ? as_json(event, fields) : as_text(event, fields);
}

void write(level l, std::string_view event, std::initializer_list<field> fields) {
  if (!enabled(l)) return;
  logger().log(to_spdlog(l), line_of(event, fields, json_lines));
}

} // namespace cairn::log
