#include "cli/import/documents/version_lock.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::version_lock_test {

constexpr wall_ms now_ms = 1'700'000'000'000;

http_response answer_with(header_list headers) {
  http_response response;
  response.headers = std::move(headers);
  return response;
}

TEST(version_lock, is_what_the_headers_say) {
  const auto lock = lock_of(answer_with({{"x-amz-object-lock-mode", "GOVERNANCE"},
                                         {"x-amz-object-lock-retain-until-date", "2033-01-02T03:04:05.678Z"},
                                         {"x-amz-object-lock-legal-hold", "ON"}}),
                            now_ms);
  ASSERT_TRUE(lock);
  EXPECT_TRUE(lock->any() && lock->hold);
  EXPECT_EQ(lock_headers(*lock), (header_list{{"x-amz-object-lock-mode", "GOVERNANCE"},
                                              {"x-amz-object-lock-retain-until-date", "2033-01-02T03:04:05.678Z"},
                                              {"x-amz-object-lock-legal-hold", "ON"}}));
  EXPECT_EQ(retention_xml(*lock), "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2033-01-02T03:04:05.678Z"
                                  "</RetainUntilDate></Retention>");
  EXPECT_EQ(legal_hold_xml(*lock), "<LegalHold><Status>ON</Status></LegalHold>");
}

TEST(version_lock, that_has_ended_or_is_off_is_none) {
  const auto ended = lock_of(answer_with({{"x-amz-object-lock-mode", "COMPLIANCE"},
                                          {"x-amz-object-lock-retain-until-date", "2020-01-01T00:00:00Z"},
                                          {"x-amz-object-lock-legal-hold", "OFF"}}),
                             now_ms);
  ASSERT_TRUE(ended);
  EXPECT_FALSE(ended->any());
  EXPECT_TRUE(lock_headers(*ended).empty());
  EXPECT_EQ(retention_xml(*ended), "<Retention/>");
}

TEST(version_lock, without_a_readable_date_is_an_error) {
  EXPECT_FALSE(lock_of(answer_with({{"x-amz-object-lock-mode", "COMPLIANCE"}}), now_ms));
}

TEST(version_lock, the_stronger_of_two_protects_as_both_do) {
  const version_lock none, held{"", 0, true}, governed{"GOVERNANCE", 9, false}, strict{"COMPLIANCE", 5, false};
  for (const auto& lock : {none, held, governed, strict}) {
    EXPECT_EQ(stronger_lock(lock, lock), lock);
    EXPECT_EQ(stronger_lock(lock, none), lock);
    EXPECT_EQ(stronger_lock(none, lock), lock);
  }
  EXPECT_EQ(stronger_lock(governed, strict), (version_lock{"COMPLIANCE", 9, false}));
  EXPECT_EQ(stronger_lock(strict, governed), (version_lock{"COMPLIANCE", 9, false}));
  EXPECT_EQ(stronger_lock(held, governed), (version_lock{"GOVERNANCE", 9, true}));
}

} // namespace cairn::cli::version_lock_test
