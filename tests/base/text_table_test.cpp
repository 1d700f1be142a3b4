#include "base/text_table.hpp"

#include <gtest/gtest.h>

namespace cairn::text_table_test {

TEST(text_table, has_columns_as_wide_as_their_longest_cell) {
  const std::vector<table_row> rows{{"NAME", "SIZE", "N"}, {"a", "12345", "1"}, {"longest", "", "22"}};
  EXPECT_EQ(text_table(rows, further_columns::left), "NAME     SIZE   N\n"
                                                     "a        12345  1\n"
                                                     "longest         22\n");
  EXPECT_EQ(text_table(rows, further_columns::right), "NAME      SIZE   N\n"
                                                      "a        12345   1\n"
                                                      "longest         22\n");
}

TEST(text_table, of_one_column_has_no_white_space_and_of_no_rows_nothing) {
  EXPECT_EQ(text_table({{"a"}, {"longer"}}, further_columns::left), "a\nlonger\n");
  EXPECT_EQ(text_table({}, further_columns::left), "");
}

} // namespace cairn::text_table_test
