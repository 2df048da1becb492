#pragma once

#include "metrics/metric_input.hpp"

namespace boltzcurve {

/// Sum of |x_i - y_j| over all pairs of x [N][D] and y [M][D]. The ranks share the work by blocks of rows and all get the same number,
/// which does not depend on how many they are. Collective; every rank gives the same points.
double sum_of_distances(const Communicator& ranks, HostPoints<const double> x, HostPoints<const double> y);

/// The same over the pairs i < j within x.
double sum_of_distances(const Communicator& ranks, HostPoints<const double> x);

/// Energy distance between the laws of x [N][D] and y [M][D] in the convention E|X-Y| - E|X-X'|/2 - E|Y-Y'|/2 (half of Székely and Rizzo's,
/// J. Stat. Plan. Inference 143, 2013). 0 for equal laws.
struct EnergyDistance {
  double v_statistic;  ///< every pair counts, also a point with itself: never negative, larger than 0 on average for equal laws
  double u_statistic;  ///< no point with itself: right on average, negative now and then. NaN unless N, M > 1
};
EnergyDistance energy_distance(const Communicator& ranks, HostPoints<const double> x, HostPoints<const double> y);

/// energy_distance (v) and energy_distance_unbiased (u) of finished particles from exact samples, and energy_distance_floor: the
/// v statistic of `exact_again` from `exact`, which is what a perfect sampler would get. Unknown without the samples.
std::vector<Measured> measure_energy_distance(const MetricInput& input);

}  // namespace boltzcurve
