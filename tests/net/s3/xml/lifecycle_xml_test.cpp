#include "net/s3/xml/lifecycle_xml.hpp"

#include <gtest/gtest.h>

namespace cairn::net::lifecycle_xml_test {

std::string code_of(const std::string& rule) {
  const auto read =
      read_lifecycle_document("<LifecycleConfiguration><Rule>" + rule + "</Rule></LifecycleConfiguration>");
  const auto* refused = std::get_if<s3_error>(&read);
  return refused ? std::string{refused->code} : "";
}

TEST(lifecycle_xml, comes_back_as_it_was_written) {
  const lifecycle_rule_list rules{
      {.id = "a", .prefix = "logs/&", .expire_days = 30},
      {.id = "b", .enabled = false, .expire_at = 20'000ll * 24 * 3600 * 1000, .abort_days = 7},
      {.id = "c",
       .prefix = "old",
       .without_filter = true,
       .expire_markers = true,
       .noncurrent_days = 3,
       .noncurrent_kept = 2},
      {.id = "d", .tags = {{"k", "v"}}, .expire_days = 1},
      {.id = "e", .prefix = "p", .tags = {{"k", ""}, {"l", "w"}}, .size_above = 0, .size_below = 5, .expire_days = 1}};
  const auto read = read_lifecycle_document(lifecycle_document(rules));
  ASSERT_TRUE(std::holds_alternative<lifecycle_rule_list>(read)) << std::get<s3_error>(read).message;
  EXPECT_EQ(std::get<lifecycle_rule_list>(read), rules);
}

TEST(lifecycle_xml, refuses_what_it_would_not_do) {
  const std::string status = "<Status>Enabled</Status>", on = status + "<Filter/>",
                    days = "<Expiration><Days>1</Days></Expiration>";
  EXPECT_EQ(code_of(on + days), "");
  EXPECT_EQ(code_of(status + "<Prefix>old/</Prefix>" + days), "");
  EXPECT_EQ(code_of(on + "<Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration>"), "");
  EXPECT_EQ(code_of("<Filter/>" + days), "MalformedXML");
  EXPECT_EQ(code_of(on), "InvalidRequest");
  EXPECT_EQ(code_of(on + "<Expiration><Days>0</Days></Expiration>"), "InvalidArgument");
  EXPECT_EQ(code_of(on + "<Expiration><Date>2030-01-01T05:00:00Z</Date></Expiration>"), "InvalidArgument");
  EXPECT_EQ(code_of(on + "<Expiration><Date>soon</Date></Expiration>"), "InvalidArgument");
  EXPECT_EQ(code_of(status + days + "<Filter><Tag><Key>a</Key></Tag></Filter>"), "");
  EXPECT_EQ(code_of(status + days + "<Filter><Tag><Value>a</Value></Tag></Filter>"), "MalformedXML");
  EXPECT_EQ(code_of(status + days + "<Filter><And><And></And></And></Filter>"), "MalformedXML");
  EXPECT_EQ(code_of(status + days + "<Filter><ObjectSizeLessThan>-1</ObjectSizeLessThan></Filter>"), "InvalidArgument");
  EXPECT_EQ(code_of(status + "<Filter><Tag><Key>a</Key></Tag></Filter><AbortIncompleteMultipartUpload>"
                             "<DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>"),
            "InvalidRequest");
  EXPECT_EQ(code_of(on + "<Transition><Days>1</Days></Transition>"), "NotImplemented");
  EXPECT_EQ(code_of(on + "<Transition><Date>20220927</Date></Transition>"), "InvalidArgument");
  EXPECT_EQ(code_of("<Status>Maybe</Status><Filter/>" + days), "MalformedXML");
  EXPECT_EQ(code_of(on + days + "<Expiration><Days>2</Days></Expiration>"), "MalformedXML") << "which of them?";
  EXPECT_EQ(code_of(status + days + "<Filter><Prefix>a</Prefix><Prefix>b</Prefix></Filter>"), "MalformedXML");
}

TEST(lifecycle_xml, refuses_filters_that_fit_nothing_or_say_something_twice) {
  const std::string rest = "<Status>Enabled</Status><Expiration><Days>1</Days></Expiration><Filter><And>",
                    end = "</And></Filter>", tag = "<Tag><Key>a</Key><Value>1</Value></Tag>";
  EXPECT_EQ(code_of(rest + tag + "<Tag><Key>b</Key><Value>1</Value></Tag>" + end), "");
  EXPECT_EQ(code_of(rest + tag + "<Tag><Key>a</Key><Value>2</Value></Tag>" + end), "InvalidRequest");
  const auto sizes = [&](const char* above, const char* below) {
    return code_of(rest + "<ObjectSizeGreaterThan>" + above + "</ObjectSizeGreaterThan><ObjectSizeLessThan>" + below +
                   "</ObjectSizeLessThan>" + end);
  };
  EXPECT_EQ(sizes("8", "9"), "");
  EXPECT_EQ(sizes("9", "9"), "InvalidRequest");
  EXPECT_EQ(sizes("9", "8"), "InvalidRequest");
}

TEST(lifecycle_xml, names_rules_without_an_id_like_no_other) {
  const std::string rest = "<Status>Enabled</Status><Filter/><Expiration><Days>1</Days></Expiration></Rule>";
  const auto read = read_lifecycle_document("<LifecycleConfiguration><Rule>" + rest + "<Rule>" + rest +
                                            "<Rule><ID>rule-1</ID>" + rest + "</LifecycleConfiguration>");
  ASSERT_TRUE(std::holds_alternative<lifecycle_rule_list>(read)) << std::get<s3_error>(read).message;
  std::vector<std::string> ids;
  for (const auto& rule : std::get<lifecycle_rule_list>(read)) ids.push_back(rule.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"rule-2", "rule-3", "rule-1"}));
}

TEST(lifecycle_xml, knows_one_size_of_transitions) {
  EXPECT_FALSE(refused_transition_size("all_storage_classes_128K"));
  EXPECT_EQ(refused_transition_size("varies_by_storage_class")->code, "NotImplemented");
  EXPECT_EQ(refused_transition_size("nonsense")->code, "InvalidArgument");
  EXPECT_EQ(refused_transition_size("")->code, "InvalidArgument");
}

TEST(lifecycle_xml, loses_no_condition_on_the_way) {
  const std::string rest = "<Status>Enabled</Status><Expiration><Days>1</Days></Expiration>";
  const std::string prefix = "<Prefix>logs/</Prefix>", tag = "<Tag><Key>a</Key></Tag>";
  for (const auto& bad :
       {std::string{}, std::string{"<Filter>logs/</Filter>"}, std::string{"<Filter><And>logs/</And></Filter>"},
        std::string{"<Filter><And><![CDATA[logs/]]></And></Filter>"}, std::string{"<Filter><And/></Filter>"},
        prefix + "<Filter><Prefix/></Filter>", "<Filter>" + prefix + "</Filter><Prefix/>", prefix + "<Filter/>",
        "<Filter><And>" + prefix + tag + "</And><Prefix/></Filter>", "<Filter>" + prefix + tag + "</Filter>"})
    EXPECT_EQ(code_of(rest + bad), "MalformedXML") << bad;
  EXPECT_EQ(code_of(rest + "<Filter>\n  <And>" + prefix + tag + "</And>\n</Filter>"), "");
  EXPECT_EQ(code_of(rest + prefix), "");
  const std::string kept = "<Status>Enabled</Status><Filter/><NoncurrentVersionExpiration><NoncurrentDays>1"
                           "</NoncurrentDays><NewerNoncurrentVersions>";
  const std::string end = "</NewerNoncurrentVersions></NoncurrentVersionExpiration>";
  EXPECT_EQ(code_of(kept + "100" + end), "");
  EXPECT_EQ(code_of(kept + "101" + end), "InvalidArgument");
}

} // namespace cairn::net::lifecycle_xml_test
