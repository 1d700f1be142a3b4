#include "cluster/layout/shares.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace cairn::cluster::shares_test {

// How often each racer is among the first `picks`, by simulation.
std::vector<double> drawn_shares(const std::vector<double>& rates, std::size_t picks) {
  constexpr int races = 40'000;
  std::mt19937_64 random{3};
  std::vector<double> shares(rates.size());
  std::vector<std::pair<double, std::size_t>> arrivals(rates.size());
  for (int race = 0; race < races; ++race) {
    for (std::size_t i = 0; i < rates.size(); ++i)
      arrivals[i] = {-std::log(std::uniform_real_distribution{1e-15, 1.0}(random)) / rates[i], i};
    std::ranges::sort(arrivals);
    for (std::size_t k = 0; k < picks; ++k) shares[arrivals[k].second] += 1.0 / races;
  }
  return shares;
}

TEST(ideal_shares, follow_the_weights_up_to_one_copy_of_everything) {
  EXPECT_EQ(ideal_shares(std::vector<double>{1, 1, 2}, 3), (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(ideal_shares(std::vector<double>{5}, 3), (std::vector<double>{1}));
  EXPECT_EQ(ideal_shares(std::vector<double>{1, 1, 1, 1}, 2), (std::vector<double>{0.5, 0.5, 0.5, 0.5}));
  EXPECT_EQ(ideal_shares(std::vector<double>{10, 1, 1, 2}, 3), (std::vector<double>{1, 0.5, 0.5, 1}));
  const auto mixed = ideal_shares(std::vector<double>{1, 2, 3, 4, 6}, 3);
  const double expected[] = {0.2, 0.4, 0.6, 0.8, 1};
  for (std::size_t i = 0; i < mixed.size(); ++i) EXPECT_NEAR(mixed[i], expected[i], 1e-12);
}

TEST(race_rates, are_the_weights_when_nothing_is_to_be_corrected) {
  const std::vector<double> equal(7, 3.0), mixed{1, 2, 9};
  EXPECT_EQ(race_rates(equal, 3), equal);
  EXPECT_EQ(race_rates(mixed, 1), mixed);
  EXPECT_EQ(race_rates(mixed, 3), mixed);
}

TEST(race_rates, let_the_first_of_a_race_have_the_shares_of_the_weights) {
  const std::vector<double> cases[] = {{1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, {1, 2, 3, 4, 6},
                                       {8, 8, 8, 1, 1, 1, 1, 1},       {1, 1000, 1000, 1000, 1000},
                                       {5, 4, 3, 2, 1, 1, 1, 1},       {1, 1, 1, 1e6}};
  for (const auto& weights : cases) {
    for (const std::size_t picks : {2, 3}) {
      const auto ideal = ideal_shares(weights, picks);
      const auto got = drawn_shares(race_rates(weights, picks), picks);
      for (std::size_t i = 0; i < weights.size(); ++i)
        EXPECT_NEAR(got[i], ideal[i], 0.01) << weights.size() << ' ' << i;
    }
  }
}

TEST(race_rates, are_found_for_many_candidates) {
  std::mt19937_64 random{5};
  std::vector<double> weights(200);
  for (double& w : weights) w = double(1 + random() % 20);
  const auto rates = race_rates(weights, 3);
  const auto ideal = ideal_shares(weights, 3), got = drawn_shares(rates, 3);
  double off = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) off += std::abs(got[i] - ideal[i]);
  EXPECT_LT(off / 3, 0.05);
}

} // namespace cairn::cluster::shares_test
