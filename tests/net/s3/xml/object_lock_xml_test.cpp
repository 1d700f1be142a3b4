#include "net/s3/xml/object_lock_xml.hpp"

#include <gtest/gtest.h>

namespace cairn::net::object_lock_xml_test {

using storage::metadata::bucket_lock;
using storage::metadata::legal_hold;
using storage::metadata::object_lock;
using storage::metadata::period_unit;
using storage::metadata::retention;
using storage::metadata::retention_mode;

constexpr wall_ms new_year_2030 = 1'893'456'000'000, now = new_year_2030 - 1000;
constexpr std::string_view date = "2030-01-01T00:00:00Z";

template <class Value>
std::string code(const std::variant<Value, s3_error>& read) {
  const auto* refused = std::get_if<s3_error>(&read);
  return refused ? std::string{refused->code} : "";
}

std::string configuration(std::string_view rule) {
  return "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>" + std::string{rule} +
         "</ObjectLockConfiguration>";
}

std::string rule(std::string_view inside) {
  return configuration("<Rule><DefaultRetention>" + std::string{inside} + "</DefaultRetention></Rule>");
}

std::string retained(std::string_view mode, std::string_view until) {
  return "<Retention><Mode>" + std::string{mode} + "</Mode><RetainUntilDate>" + std::string{until} +
         "</RetainUntilDate></Retention>";
}

TEST(object_lock_xml, reads_and_writes_configurations) {
  const auto again = [](const bucket_lock& lock) {
    return std::get<bucket_lock>(read_lock_configuration(lock_configuration_document(lock)));
  };
  for (const auto& lock :
       {bucket_lock{.enabled = true}, bucket_lock{true, retention_mode::governance, period_unit::days, 36'500},
        bucket_lock{true, retention_mode::compliance, period_unit::years, 100}})
    EXPECT_EQ(again(lock), lock);
  EXPECT_EQ(std::get<bucket_lock>(read_lock_configuration(rule("<Mode> GOVERNANCE </Mode><Days> 3 </Days>"))).length,
            3u);
}

TEST(object_lock_xml, refuses_configurations_that_say_something_else) {
  for (const auto& bad :
       {std::string{}, std::string{"<ObjectLockConfiguration/>"}, configuration("<Rule/>"), configuration("<Other/>"),
        std::string{
            "<ObjectLockConfiguration><ObjectLockEnabled>Disabled</ObjectLockEnabled></ObjectLockConfiguration>"},
        rule(""), rule("<Mode>GOVERNANCE</Mode>"), rule("<Days>1</Days>"),
        rule("<Mode>governance</Mode><Days>1</Days>"), rule("<Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years>"),
        rule("<Mode>GOVERNANCE</Mode><Days>1</Days><Days>1</Days>"), rule("<Mode>GOVERNANCE</Mode><Days>soon</Days>"),
        rule("<Mode>GOVERNANCE</Mode><Days>1.5</Days>"), rule("<Mode>GOVERNANCE</Mode><Days/>"),
        configuration("<ObjectLockEnabled>Enabled</ObjectLockEnabled>")})
    EXPECT_EQ(code(read_lock_configuration(bad)), "MalformedXML") << bad;
  for (const auto* period : {"<Days>0</Days>", "<Days>-1</Days>", "<Days>36501</Days>", "<Years>0</Years>",
                             "<Years>-1</Years>", "<Years>101</Years>"})
    EXPECT_EQ(code(read_lock_configuration(rule("<Mode>GOVERNANCE</Mode>" + std::string{period}))),
              "InvalidRetentionPeriod")
        << period;
}

TEST(object_lock_xml, reads_and_writes_retentions) {
  const retention given{retention_mode::compliance, new_year_2030 + 5};
  EXPECT_EQ(std::get<retention>(read_retention_document(retention_document(given), now)), given);
  EXPECT_EQ(date_text(given), "2030-01-01T00:00:00.005Z");
  EXPECT_EQ(std::get<retention>(read_retention_document("<Retention/>", now)), retention{});
  EXPECT_EQ(std::get<retention>(read_retention_document(retained("GOVERNANCE", date), now)).until, new_year_2030);
  for (const auto& bad :
       {std::string{}, std::string{"<LegalHold/>"}, std::string{"<Retention><Mode>GOVERNANCE</Mode></Retention>"},
        "<Retention><RetainUntilDate>" + std::string{date} + "</RetainUntilDate></Retention>", retained("abc", date),
        retained("governance", date), retained("GOVERNANCE", "tomorrow"), retained("", date),
        retained("GOVERNANCE", "")})
    EXPECT_EQ(code(read_retention_document(bad, now)), "MalformedXML") << bad;
  EXPECT_EQ(code(read_retention_document(retained("GOVERNANCE", date), new_year_2030)), "InvalidArgument");
}

TEST(object_lock_xml, reads_and_writes_legal_holds) {
  for (const auto hold : {legal_hold::on, legal_hold::off})
    EXPECT_EQ(std::get<legal_hold>(read_legal_hold_document(legal_hold_document(hold))), hold);
  for (const auto* bad : {"", "<LegalHold/>", "<LegalHold><Status>abc</Status></LegalHold>",
                          "<LegalHold><Status>on</Status></LegalHold>", "<LegalHold><Status/></LegalHold>"})
    EXPECT_EQ(code(read_legal_hold_document(bad)), "MalformedXML") << bad;
}

TEST(object_lock_xml, reads_headers_of_uploads) {
  EXPECT_EQ(std::get<object_lock>(read_lock_headers({"COMPLIANCE", date, "OFF"}, now)),
            (object_lock{{retention_mode::compliance, new_year_2030}, legal_hold::off}));
  EXPECT_EQ(std::get<object_lock>(read_lock_headers({{}, {}, "ON"}, now)).hold, legal_hold::on);
  for (const auto& bad : std::vector<lock_headers>{{"COMPLIANCE", {}, {}},
                                                   {{}, date, {}},
                                                   {"compliance", date, {}},
                                                   {"COMPLIANCE", "soon", {}},
                                                   {"COMPLIANCE", "1893456000", {}},
                                                   {"COMPLIANCE", "2029-12-31T23:59:59Z", {}},
                                                   {"", "", {}},
                                                   {{}, {}, "on"},
                                                   {{}, {}, ""}})
    EXPECT_EQ(code(read_lock_headers(bad, now)), "InvalidArgument");
}

} // namespace cairn::net::object_lock_xml_test
