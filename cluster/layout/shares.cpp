#include "cluster/layout/shares.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cairn::cluster {

namespace {

constexpr std::size_t cells = 128; // of the numerical integration; its error is far below the tolerance
constexpr std::size_t rounds_max = 200;
constexpr double tolerance = 1e-3, rate_max = 1e6;

// The time at which the expected number of arrived racers is `picks`. The cells of the integration are scaled by it.
double time_scale(std::span<const double> rates, double picks) {
  const auto arrived = [&](double t) {
    double sum = 0;
    for (const double r : rates) sum += 1 - std::exp(-r * t);
    return sum;
  };
  double low = 0, high = 1;
  while (arrived(high) < picks && high < 1e12) high *= 2;
  for (int i = 0; i < 50; ++i) {
    const double middle = (low + high) / 2;
    (arrived(middle) < picks ? low : high) = middle;
  }
  return high;
}

// [i × picks + m]: the probability that m of the racers before i (before_) or from i on (from_) have arrived.
class arrival_counts {
public:
  arrival_counts(std::size_t racers, std::size_t picks)
      : picks_(picks), before_((racers + 1) * picks), from_((racers + 1) * picks) {}

  void compute(std::span<const double> arrived) {
    const std::size_t n = arrived.size();
    std::ranges::fill(before_, 0);
    std::ranges::fill(from_, 0);
    before_[0] = from_[n * picks_] = 1;
    for (std::size_t i = 0; i < n; ++i) step(&before_[i * picks_], &before_[(i + 1) * picks_], arrived[i]);
    for (std::size_t i = n; i-- > 0;) step(&from_[(i + 1) * picks_], &from_[i * picks_], arrived[i]);
  }
  // The probability that fewer than `picks` of the racers other than i have arrived.
  double fewer_without(std::size_t i) const {
    const double* const a = &before_[i * picks_];
    const double* const b = &from_[(i + 1) * picks_];
    double sum = 0, b_up_to = 0;
    for (std::size_t m = picks_; m-- > 0;) {
      b_up_to += b[picks_ - 1 - m];
      sum += a[m] * b_up_to;
    }
    return sum;
  }

private:
  void step(const double* have, double* next, double p) const {
    for (std::size_t m = 0; m < picks_; ++m) next[m] = have[m] * (1 - p) + (m > 0 ? have[m - 1] * p : 0);
  }

  std::size_t picks_;
  std::vector<double> before_, from_;
};

// Each racer's probability of being among the first `picks`: ∫ P(i arrives at t) × P(fewer than `picks` others before
// t). Cell borders are t = scale × x / (1 − x) for x in equal steps; the first factor is exact in each cell.
std::vector<double> chances(std::span<const double> rates, std::size_t picks) {
  const std::size_t n = rates.size();
  const double scale = time_scale(rates, double(picks));
  const auto time = [&](double x) { return scale * x / (1 - x); };
  std::vector<double> out(n), still(n, 1.0), arrived(n);
  arrival_counts counts{n, picks};
  for (std::size_t c = 0; c < cells; ++c) {
    const double middle = time((double(c) + 0.5) / cells);
    const bool last = c + 1 == cells;
    const double end = last ? 0 : time(double(c + 1) / cells);
    for (std::size_t i = 0; i < n; ++i) arrived[i] = 1 - std::exp(-rates[i] * middle);
    counts.compute(arrived);
    for (std::size_t i = 0; i < n; ++i) {
      const double later = last ? 0 : std::exp(-rates[i] * end);
      out[i] += (std::exchange(still[i], later) - later) * counts.fewer_without(i);
    }
  }
  return out;
}

} // namespace

std::vector<double> ideal_shares(std::span<const double> weights, std::size_t picks) {
  std::vector<double> shares(weights.size(), 1.0);
  if (weights.size() <= picks) return shares;
  std::vector<bool> whole(weights.size(), false);
  double left = double(picks), weight_left = std::accumulate(weights.begin(), weights.end(), 0.0);
  // A candidate that would get more than one pick per partition gets one; the others share the rest.
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (whole[i] || weights[i] * left < weight_left) continue;
      whole[i] = again = true;
      left -= 1;
      weight_left -= weights[i];
    }
  }
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (!whole[i]) shares[i] = weights[i] * left / weight_left;
  return shares;
}

std::vector<double> race_rates(std::span<const double> weights, std::size_t picks) {
  CAIRN_ASSERT(picks > 0);
  std::vector<double> rates(weights.begin(), weights.end());
  const bool equal = std::ranges::all_of(weights, [&](double w) { return w == weights[0]; });
  if (weights.size() <= picks || picks == 1 || equal) return rates;
  const double mean = std::accumulate(rates.begin(), rates.end(), 0.0) / double(rates.size());
  for (double& r : rates) r /= mean;
  const std::vector<double> ideal = ideal_shares(weights, picks);
  for (std::size_t round = 0; round < rounds_max; ++round) {
    const std::vector<double> got = chances(rates, picks);
    double worst = 0;
    for (std::size_t i = 0; i < rates.size(); ++i) {
      const double ratio = ideal[i] / std::max(got[i], 1e-12);
      const double before = std::exchange(rates[i], std::clamp(rates[i] * ratio, 1 / rate_max, rate_max));
      if (rates[i] != before) worst = std::max(worst, std::abs(ratio - 1));
    }
    if (worst < tolerance) break;
  }
  return rates;
}

} // namespace cairn::cluster
