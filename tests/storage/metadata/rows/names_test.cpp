#include "storage/metadata/rows/names.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::metadata::names_test {
TEST(bucket_names, are_dns_labels_of_3_to_63_characters) {
  for (const std::string& good :
       {std::string("abc"), std::string("my-bucket.2024"), std::string("0a9"), std::string(63, 'a'),
        std::string("1.2.3"), std::string("1.2.3.4.5"), std::string("1.2.3.x")})
    EXPECT_TRUE(valid_bucket_name(good)) << good;
  for (const std::string& bad :
       {std::string(), std::string("ab"), std::string(64, 'a'), std::string("Abc"), std::string("a_b"),
        std::string("-abc"), std::string("abc-"), std::string(".abc"), std::string("abc."), std::string("a..b"),
        std::string("a.-b"), std::string("a-.b"), std::string("192.168.0.1"), std::string("a/b"), std::string("a b"),
        std::string("a\0b", 3), std::string("\xc3\xa9\xc3\xa9")})
    EXPECT_FALSE(valid_bucket_name(bad)) << bad;
}

TEST(keys, are_1_to_1024_bytes_of_utf8_without_nul) {
  for (const std::string& good :
       {std::string("a"), std::string(1024, 'k'), std::string("\x01"), std::string("\x7f"), std::string("\xc2\x80"),
        std::string("\xdf\xbf"), std::string("\xe0\xa0\x80"), std::string("\xed\x9f\xbf"), std::string("\xee\x80\x80"),
        std::string("\xef\xbf\xbf"), std::string("\xf0\x90\x80\x80"), std::string("\xf4\x8f\xbf\xbf"),
        std::string("../a"), std::string("/")})
    EXPECT_TRUE(valid_key(good)) << good;
  for (const std::string& bad : {std::string(), std::string(1025, 'k'), std::string("\0", 1), std::string("a\0b", 3),
                                 std::string("\x80"),             // continuation without a lead
                                 std::string("\xc0\x80"),         // overlong NUL
                                 std::string("\xc1\xbf"),         // overlong
                                 std::string("\xe0\x9f\xbf"),     // overlong
                                 std::string("\xed\xa0\x80"),     // surrogate
                                 std::string("\xed\xbf\xbf"),     // surrogate
                                 std::string("\xf0\x8f\xbf\xbf"), // overlong
                                 std::string("\xf4\x90\x80\x80"), // above U+10FFFF
                                 std::string("\xf5\x80\x80\x80"), std::string("\xff"), std::string("a\xc2"),
                                 std::string("\xe2\x82"), std::string("\xf0\x9f\x92"), std::string("\xe2\x28\xa1")})
    EXPECT_FALSE(valid_key(bad)) << bad;
}

} // namespace cairn::storage::metadata::names_test
