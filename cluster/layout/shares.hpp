// How often each candidate should be among the `picks` that a partition takes, and the rates of a rendezvous draw that
// make it so.
//
// Taking the best `picks` of a weighted rendezvous ranking is a draw without replacement: heavy candidates get less
// than their weight, light ones more (of ten nodes where one has twice the weight, the heavy one misses its share by
// 10 %). The ranking is a race of exponential arrival times with the weights as rates, so the chance to be among the
// first k is an integral over one variable, and the rates that give the wanted chances follow by iteration (the problem
// is known as "conditional Poisson" or πps sampling: Hájek, 1964; the race: Efraimidis and Spirakis, 2006).
//
// Floating point and libm: the result is part of a plan that one node computes and the log carries, no other recomputes
// it. Pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace cairn::cluster {

// Expected picks of each candidate: proportional to its weight but at most 1, summing to min(picks, candidates).
// Weights > 0.
std::vector<double> ideal_shares(std::span<const double> weights, std::size_t picks);

// Rates with which a race's first `picks` have the ideal shares, within 0.1 % where rates up to 10^6 times the mean can
// achieve it. Equal weights give equal rates. Cost: up to 200 × 128 × candidates × picks² steps.
std::vector<double> race_rates(std::span<const double> weights, std::size_t picks);

} // namespace cairn::cluster
