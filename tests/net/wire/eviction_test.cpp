#include "net/wire/eviction.hpp"

#include <gmock/gmock.h>

namespace cairn::net::eviction_test {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t mib = 1 << 20;

TEST(places_to_clear, evicts_silent_then_idle_then_stalled_connections_and_never_active_ones) {
  const std::vector<connection_place> places{
      {standing::active, 90s, 9}, {standing::stalled, 9s, 1}, {standing::idle, 9s, 1}, {standing::silent, 1s, 1}};
  EXPECT_THAT(places_to_clear(places, 2), ElementsAre(3u, 2u));
  EXPECT_THAT(places_to_clear(places, 10), ElementsAre(3u, 2u, 1u));
}

TEST(places_to_clear, takes_from_the_party_that_has_most_and_there_the_oldest) {
  const std::vector<connection_place> places{
      {standing::idle, 50s, 2}, {standing::idle, 1s, 7}, {standing::idle, 5s, 7}, {standing::idle, 60s, 2}};
  EXPECT_THAT(places_to_clear(places, 3), ElementsAre(2u, 1u, 3u));
}

TEST(patience_under, shrinks_from_half_of_the_memory_to_seven_eighths) {
  EXPECT_EQ(patience_under({32 * mib, 64 * mib, false}), 30s);
  EXPECT_LT(patience_under({44 * mib, 64 * mib, false}), 18s);
  EXPECT_EQ(patience_under({56 * mib, 64 * mib, false}), patience_min);
  EXPECT_EQ(patience_under({8 * mib, 64 * mib, true}), patience_min) << "somebody waits";
  EXPECT_GT(patience_min, 3s) << "a few retransmissions of a lossy link";
}

TEST(holders_to_end, ends_no_request_below_half_of_the_memory) {
  EXPECT_THAT(holders_to_end({{mib, 1h, 0, mib}}, {32 * mib, 64 * mib, false}), IsEmpty());
}

TEST(holders_to_end, ends_the_worst_first_until_there_is_room) {
  const std::vector<memory_holder> holders{{16 * mib, 40s, 0, 16 * mib},
                                           {20 * mib, 31s, 0, 40 * mib},
                                           {20 * mib, 35s, 0, 40 * mib},
                                           {4 * mib, 4s, 1'000'000, 40 * mib}};
  EXPECT_THAT(holders_to_end(holders, {60 * mib, 64 * mib, false}), ElementsAre(2u, 1u));
}

TEST(holders_to_end, does_not_end_a_pause_of_a_large_party_before_a_dead_client_of_a_small_one) {
  const std::vector<memory_holder> holders{{20 * mib, 6s, 0, 40 * mib}, {20 * mib, 50s, 0, 20 * mib}};
  EXPECT_THAT(holders_to_end(holders, {40 * mib, 40 * mib, false}), ElementsAre(1u, 0u));
  EXPECT_THAT(holders_to_end(holders, {40 * mib, 64 * mib, true}), ElementsAre(1u));
}

TEST(holders_to_end, spares_a_pause_even_when_nothing_else_can_be_ended) {
  EXPECT_THAT(holders_to_end({{60 * mib, patience_min - 1ms, 1'000'000, 60 * mib}}, {60 * mib, 64 * mib, true}),
              IsEmpty());
}

TEST(holders_to_end, counts_a_trickle_as_no_progress_only_when_memory_is_nearly_spent) {
  const std::vector<memory_holder> trickle{{mib, 100ms, 10, 50 * mib}};
  EXPECT_THAT(holders_to_end(trickle, {40 * mib, 64 * mib, false}), IsEmpty());
  EXPECT_THAT(holders_to_end(trickle, {60 * mib, 64 * mib, false}), ElementsAre(0u));
  EXPECT_THAT(holders_to_end({{mib, 100ms, slow_rate, 50 * mib}}, {60 * mib, 64 * mib, false}), IsEmpty());
}

TEST(holders_to_end, asks_nothing_of_those_that_hold_nothing) {
  EXPECT_THAT(holders_to_end({{0, 1h, 0, 50 * mib}}, {60 * mib, 64 * mib, true}), IsEmpty());
}

} // namespace cairn::net::eviction_test
