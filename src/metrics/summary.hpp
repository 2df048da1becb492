#pragma once

#include <boltzcurve/communicator.hpp>

#include <array>
#include <span>
#include <vector>

namespace boltzcurve {

inline constexpr std::array summary_quantiles = {0.05, 0.5, 0.95};

/// What weighted particles say of one parameter; NaN where they say nothing.
struct ParameterSummary {
  double mean, deviation;
  /// Monte Carlo error of the mean, by the delta method: of particles drawn independently with weights w it is
  /// sqrt(sum w^2 (x - mean)^2) / sum w. Unknown with fewer than enough_effective particles (metrics/importance.hpp). It cannot see what
  /// no particle has seen: a mode that is lost, or a tail in which a few large weights are still to come.
  double standard_error;
  /// The smallest value below or at which the particles have at least this share of the weight.
  std::array<double, summary_quantiles.size()> quantiles;
  double effective_size;  ///< (deviation / standard error)^2: so many independent draws of equal weight have the same error
};

/// Of each of P parameters, whose values [n][P] this rank's particles have with the logarithms [n] of their weights, none of which is NaN.
/// `ancestor` as for importance_estimate(): errors count lineages. Values of particles without weight do not matter. The same bits on any
/// number of ranks whose parts begin at multiples of particle_granule. One parameter of all particles at a time is gathered and sorted on
/// rank 0: O(P N log N). Collective; every rank gets all of it.
std::vector<ParameterSummary> summarize(const Communicator& ranks, std::span<const double> log_weight, std::span<const double> values,
                                        std::size_t parameters, std::span<const std::int64_t> ancestor = {});

}  // namespace boltzcurve
