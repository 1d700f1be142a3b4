// The TOML loader and `--set`. Any text is settings or problems, never a crash, and settings without problems keep the
// rules and come back the same from what `cairn config show` prints.
#include "config/load.hpp"
#include "config/rules.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

void check(const cairn::config::loaded& l) {
  for (const auto& p : l.problems) CAIRN_ASSERT(!p.text.empty() && !to_string(p).empty());
  if (!l.problems.empty()) return;
  CAIRN_ASSERT(cairn::config::broken_rules(l.value).empty());
  const auto shown = to_toml(l.value, true);
  const auto again = cairn::config::load(shown, "shown", {});
  CAIRN_ASSERT(again.problems.empty());
  CAIRN_ASSERT(to_toml(again.value, true) == shown);
}

} // namespace

// The text up to the first NUL is a file, each text after it an override.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto file = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(file.size());
  std::vector<std::string> overrides;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    overrides.emplace_back(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(overrides.back().size());
  }
  check(cairn::config::load(file, "fuzz.toml", overrides));
  // A file with NULs in it.
  if (!overrides.empty()) check(cairn::config::load({reinterpret_cast<const char*>(data), size}, "fuzz.toml", {}));
  return 0;
}
