// Structured logging: an event in a few words, and fields; written as text or as one JSON object per line
// (`log.format`) to standard error. Only log.cpp uses spdlog. Thread-safe; cheap when the level is off.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace cairn::log {

enum class level : std::uint8_t { debug, info, warn, error, off }; // off: only for set_up

struct field {
  std::string_view name;
  std::string value;
  bool number = false; // written without quotes in JSON
  field(std::string_view n, std::string v) : name(n), value(std::move(v)) {}
  field(std::string_view n, std::string_view v) : name(n), value(v) {}
  field(std::string_view n, const char* v) : name(n), value(v) {}
  field(std::string_view n, std::uint64_t v) : name(n), value(std::to_string(v)), number(true) {}
  field(std::string_view n, std::uint32_t v) : field(n, std::uint64_t{v}) {}
  field(std::string_view n, int v) : name(n), value(std::to_string(v)), number(true) {}
};

void set_up(level lowest, bool json); // may be called again (SIGHUP)
bool enabled(level l);
void write(level l, std::string_view event, std::initializer_list<field> fields);
// What write() writes after time and level. Characters that could control a terminal are escaped
// (base/visible_text.hpp).
std::string line_of(std::string_view event, std::initializer_list<field> fields, bool json);

inline void debug(std::string_view event, std::initializer_list<field> fields = {}) {
  write(level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<field> fields = {}) {
  write(level::info, event, fields);
}
inline void warn(std::string_view event, std::initializer_list<field> fields = {}) {
  write(level::warn, event, fields);
}
inline void error(std::string_view event, std::initializer_list<field> fields = {}) {
  write(level::error, event, fields);
}

} // namespace cairn::log
