#pragma once

#include "metrics/metric_input.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace boltzcurve {

/// The mode with the center nearest to x [D] (Euclidean; the first of equals).
std::size_t nearest_mode(std::span<const double> x, const std::vector<Mode>& modes);

/// Share of each of K modes [K]: the weights in [0, 1] of the particles whose nearest mode (Euclidean; the first of equals) it is, over the
/// sum of all weights; weight [n] is of this rank's particles. A particle with weight 0 counts for no mode. All NaN when all weights
/// are 0. Weights are rounded to about 2^-61 N, for sums without an order. Collective.
std::vector<double> mode_shares(const Communicator& ranks, const Particles& particles, std::span<const double> weight,
                                const std::vector<Mode>& modes);

/// The shares [K] that exact samples have by the same rule, or the modes' weights where there are none: what particles of the target's law
/// show also where modes overlap. Collective.
std::vector<double> expected_shares(const MetricInput& input);

/// mode_weight_error: largest |share - weight of the mode|, where every particle counts the same and a failed one is missing from all modes
/// (shares are of N). mode_weight_error_relative: largest |share / weight of the mode - 1|. mode_weight_error_reweighted: the first with
/// importance weights. Unknown where the modes are. Where modes overlap, shares of nearest modes differ from component weights by the
/// overlap.
std::vector<Measured> measure_mode_weights(const MetricInput& input);

}  // namespace boltzcurve
