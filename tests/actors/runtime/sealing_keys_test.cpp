#include "actors/runtime/sealing_keys.hpp"

#include "base/files/memory_file_system.hpp"
#include "base/files/small_file.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::sealing_keys_test {

TEST(sealing_keys, are_those_of_the_setting_then_those_of_the_file) {
  memory_file_system files;
  ASSERT_TRUE(files.make_directories("/etc"));
  const std::string a(64, 'a'), b(64, 'b');
  const auto id_of = [](const std::string& key) { return secrets::sealing_key::read(key).value().id(); };
  ASSERT_TRUE(replace_small_file(files, "/etc/keys", a + "\n"));
  EXPECT_EQ(load_sealing_keys(files, {}).value(), nullptr);
  EXPECT_EQ(load_sealing_keys(files, {.sealing_key_file = "/etc/keys"}).value()->id(), id_of(a));
  EXPECT_EQ(load_sealing_keys(files, {.sealing_key = b}).value()->id(), id_of(b));
  const auto both = load_sealing_keys(files, {.sealing_key_file = "/etc/keys", .sealing_key = b}).value();
  EXPECT_EQ(both->id(), id_of(b));
  EXPECT_TRUE(both->has(id_of(a)));
}

TEST(sealing_keys, that_cannot_be_read_are_named_but_not_shown) {
  memory_file_system files;
  ASSERT_TRUE(files.make_directories("/etc"));
  EXPECT_EQ(load_sealing_keys(files, {.sealing_key_file = "/etc/none"}).error(), errc::not_found);
  ASSERT_TRUE(replace_small_file(files, "/etc/keys", "tiny\n"));
  const auto bad = load_sealing_keys(files, {.sealing_key_file = "/etc/keys", .sealing_key = std::string(64, 'a')});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), errc::invalid_argument);
  EXPECT_NE(bad.error().text.find("auth.sealing_key_file: /etc/keys: line 1"), std::string::npos) << bad.error().text;
  EXPECT_EQ(bad.error().text.find("tiny"), std::string::npos);
}

} // namespace cairn::actors::sealing_keys_test
