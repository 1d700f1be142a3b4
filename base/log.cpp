#include "base/log.hpp"

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

// Escaped, so that a value from outside can neither forge log lines nor control the terminal that shows them.
void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const auto c = storage::first_character(text);
    if (c.code == '"' || c.code == '\\')
      out.append(1, '\\').push_back(static_cast<char>(c.code));
    else if (storage::drives_terminal(c))
      out.append(fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c.code)));
    else
      out.append(text.substr(0, c.bytes));
    text.remove_prefix(c.bytes);
  }
  out.push_back('"');
}

bool is_plain(std::string_view text) {
  if (text.empty() || text.find_first_of(" \"=") != std::string_view::npos) return false;
  while (!text.empty()) {
    const auto c = storage::first_character(text);
    if (storage::drives_terminal(c)) return false;
    text.remove_prefix(c.bytes);
  }
  return true;
}

void append_text_value(std::string& out, std::string_view text) {
  if (is_plain(text))
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

std::string line_of(std::string_view event, std::initializer_list<field> fields, bool json) {
  return json ? as_json(event, fields) : as_text(event, fields);
}

void write(level l, std::string_view event, std::initializer_list<field> fields) {
  if (!enabled(l)) return;
  logger().log(to_spdlog(l), line_of(event, fields, json_lines));
}

} // namespace cairn::log
