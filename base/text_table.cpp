#include "base/text_table.hpp"

#include <algorithm>

namespace cairn {

std::string text_table(const std::vector<table_row>& rows, further_columns alignment) {
  if (rows.empty()) return {};
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string out;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      const std::string fill(widths[i] - row[i].size(), ' ');
      if (i > 0 && alignment == further_columns::right)
        out += fill + row[i];
      else
        out += row[i] + (last ? "" : fill);
      out += last ? "\n" : "  ";
    }
  return out;
}

} // namespace cairn
