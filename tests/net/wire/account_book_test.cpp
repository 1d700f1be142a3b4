#include "net/wire/account_book.hpp"

#include <gtest/gtest.h>

namespace cairn::net::account_book_test {

TEST(account_book, gives_a_party_the_same_account_while_it_is_used) {
  account_book book;
  const auto first = book.of("key:a");
  EXPECT_EQ(book.of("key:a"), first);
  EXPECT_NE(book.of("key:b"), first);
}

TEST(account_book, forgets_parties_that_are_gone) {
  account_book book;
  for (int i = 0; i < 10'000; ++i) book.of("ip:" + std::to_string(i));
  EXPECT_LE(book.size(), 130u);
}

} // namespace cairn::net::account_book_test
