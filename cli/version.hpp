// Which build this is: for `cairn version`, the log's first line and the benchmarks' page.
#pragma once

#include <string>

namespace cairn::cli {

std::string version_number(); // "0.1.0"
std::string version_text();   // "cairn 0.1.0 (metadata level 1, CAF 0.17.6, Boost 1.81.0, g++ 12.2.0)"

} // namespace cairn::cli
