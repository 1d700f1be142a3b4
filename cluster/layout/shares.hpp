// The share of partitions that each candidate should get when a partition takes `picks` candidates, and the rates of a
// rendezvous ranking that give these shares.
//
// Taking the first `picks` of a weighted rendezvous ranking is a draw without replacement: heavy candidates get less
// than their weight, light ones more (of ten nodes where one has twice the weight, the heavy one gets 10 % too little).
// The ranking is a race of exponential arrival times whose rates are the weights, so the probability of being among the
// first k is an integral over one variable, and the rates that give the wanted probabilities follow by iteration (the
// problem is known as conditional Poisson or πps sampling: Hájek, 1964; the race: Efraimidis and Spirakis, 2006).
//
// Uses floating point and libm, which may differ between machines: one node computes the plan and the log carries it;
// no other node recomputes it. Pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace cairn::cluster {

// Expected picks of each candidate: proportional to its weight but at most 1, summing to min(picks, candidates).
// Weights > 0.
std::vector<double> ideal_shares(std::span<const double> weights, std::size_t picks);

// Rates with which the first `picks` of the race have the ideal shares, within 0.1 % where rates up to 10^6 times the
// mean can achieve that. Equal weights give equal rates. Cost: up to 200 × 128 × candidates × picks steps.
std::vector<double> race_rates(std::span<const double> weights, std::size_t picks);

} // namespace cairn::cluster
