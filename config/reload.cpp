#include "config/reload.hpp"

#include "config/keys.hpp"
#include "config/rules.hpp"

namespace cairn::config {

reloaded reload(const settings& running, const settings& fresh) {
  reloaded out;
  auto mixed = running, wanted = fresh;
  for (const auto& k : keys()) {
    const auto to = k.slot(mixed), from = k.slot(wanted);
    const auto before = value_text(to), after = value_text(from);
    if (before == after) continue;
    if (!k.reloadable) {
      out.needs_restart.push_back(k.full_name());
      continue;
    }
    std::visit([&from]<class T>(T* value) { *value = *std::get<T*>(from); }, to);
    out.applied.push_back(k.full_name() + (k.secret ? "" : ": " + before + " -> " + after));
  }
  for (const auto& broken : broken_rules(mixed))
    out.problems.push_back({"", 0, 0, std::string(broken.keys.front()), broken.text});
  if (!out.problems.empty()) out.applied.clear();
  out.value = out.problems.empty() ? mixed : running;
  return out;
}

} // namespace cairn::config
