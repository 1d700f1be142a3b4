#include "cli/import/documents/lifecycle_rules.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::lifecycle_rules_test {

taken_rules rules_of(const std::string& rules) {
  const auto root = net::read_xml("<LifecycleConfiguration>" + rules + "</LifecycleConfiguration>", {});
  EXPECT_TRUE(root);
  return without_transitions(*root);
}

const std::string expires = "<Expiration><Days>9</Days></Expiration>",
                  moves = "<Transition><Days>3</Days><StorageClass>GLACIER</StorageClass></Transition>";

TEST(lifecycle_rules, without_transitions_are_as_they_were) {
  EXPECT_EQ(rules_of("<Rule><ID>a</ID>" + expires + "</Rule>").changed_rules, "");
}

TEST(lifecycle_rules, keep_what_they_expire) {
  const auto taken = rules_of("<Rule><ID>a&amp;b</ID><Filter><Prefix>x/</Prefix></Filter>" + moves + expires +
                              "</Rule><Rule><ID>c</ID>" + moves + "</Rule>");
  EXPECT_EQ(taken.changed_rules, "rule a&b, rule c");
  const auto document = net::read_xml(taken.document, {});
  ASSERT_TRUE(document);
  ASSERT_EQ(document->children.size(), 1u);
  const auto& rule = document->children.front();
  EXPECT_EQ(rule.text_of("ID"), "a&b");
  EXPECT_EQ(rule.child("Filter")->text_of("Prefix"), "x/");
  EXPECT_EQ(rule.child("Expiration")->text_of("Days"), "9");
  EXPECT_EQ(rule.child("Transition"), nullptr);
}

TEST(lifecycle_rules, of_which_none_is_left_are_no_document) {
  EXPECT_EQ(rules_of("<Rule><ID>c</ID>" + moves + "</Rule>").document, "");
}

} // namespace cairn::cli::lifecycle_rules_test
