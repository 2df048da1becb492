#pragma once

#include "metrics/metric_input.hpp"

#include <vector>

namespace boltzcurve {

/// Directions over which the sliced distance is averaged.
inline constexpr int sliced_projections = 128;

/// W2^2 on the line between the empirical laws of two sorted samples of any sizes: the integral over u in (0,1) of (quantile difference)^2.
double squared_wasserstein(const std::vector<double>& sorted_a, const std::vector<double>& sorted_b);

/// Sliced 2-Wasserstein distance of x [N][D] and y [M][D], of which every rank gives its part and which are not empty: the root of the mean
/// over directions of W2^2 of the projections (Bonneel et al., J. Math. Imaging Vis. 51, 2015). Direction p is uniform on the sphere, a
/// function of (seed, p) only. Translation by c gives |c|/sqrt(D) on average over directions. The ranks share the directions, a rank
/// holding one projection of all points at a time; the result does not depend on how many they are. Collective.
double sliced_wasserstein(const Communicator& ranks, HostPoints<const double> x, HostPoints<const double> y, std::uint64_t seed,
                          int projections = sliced_projections);

/// sliced_w2 of the finished particles from the exact samples; unknown without either.
std::vector<Measured> measure_sliced_wasserstein(const MetricInput& input);

}  // namespace boltzcurve
