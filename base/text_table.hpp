// Lines of text in columns that are as wide as their longest cell, two spaces apart.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cairn {

using table_row = std::vector<std::string>;

// Of names, or of numbers. The first column is aligned to the left in any case.
enum class further_columns : std::uint8_t { left, right };

// All rows have as many cells as the first, at least one. The last column is not filled up on its right.
std::string text_table(const std::vector<table_row>& rows, further_columns alignment);

} // namespace cairn
