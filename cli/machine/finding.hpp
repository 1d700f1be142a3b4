// A finding of `cairn doctor`: what was checked, the result as a sentence, and advice. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace cairn::cli {

enum class verdict : unsigned char {
  good,
  note,    // worth knowing; nothing has to be done
  warning, // it will run, but slower, shorter or less safely than it could
  problem  // the node will not start, not be reached, or lose data
};

struct finding {
  verdict found = verdict::good;
  std::string subject; // "disk /srv/a", "clock"
  std::string text;    // a sentence without a full stop
  std::string advice;  // what to do; empty: nothing
};

bool has_problem(std::span<const finding> findings);

// A line each, advice below it, and how many problems and warnings at the end.
std::string findings_text(std::span<const finding> findings);
// {"problems":1,"warnings":0,"findings":[{"verdict":"problem","subject":…,"text":…,"advice":…},…]}
std::string findings_json(std::span<const finding> findings);

} // namespace cairn::cli
