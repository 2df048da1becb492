#pragma once

#include "metrics/metric_input.hpp"
#include "metrics/weighted_means.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace boltzcurve {

/// What weights w of N particles x ~ q tell. All sums are scaled by the largest weight, so no log weight is too large or too small.
struct ImportanceEstimate {
  double ess;          ///< (sum w)^2 / (N sum w^2), in [0, 1]; 1 for equal weights, 0 when all are 0. A lost mode does not show in it
  double ess_stderr;   ///< by the delta method, from the spread of 2 w/mean(w) - w^2/mean(w^2); too small where few weights rule
  double log_z;        ///< log of the mean weight [nats]; -infinity when all are 0
  double lineage_ess;  ///< the same of the weights summed over the descendants of each particle at the start; ESS where none was resampled
  /// By the delta method: standard error of the mean weight over the mean, sqrt((1/lineage ESS - 1)/(N - 1)) [nats]; under resampling the
  /// genealogical estimate (Chan and Lai, Annals of Statistics 41, 2013; Lee and Whiteley, Biometrika 105, 2018).
  double log_z_stderr;
  /// log(n/N) + mean of log w over the n particles with a weight above 0 [nats]. With n = N this is the mean of log w; by Jensen's
  /// inequality it is a lower bound of log Z for any n, where counting log 0 would leave no bound at all.
  double elbo;
  double elbo_stderr;  ///< of the mean of log w, the count n taken as known
};

/// With fewer effective particles than this, lineage ESS times their number, the spread of weights says little of their errors.
inline constexpr double enough_effective = 10;
inline bool has_enough_effective(const ImportanceEstimate& estimate, std::int64_t particles) {
  return estimate.lineage_ess * static_cast<double>(particles) >= enough_effective;
}

/// From this rank's part [n] of the log weights, in the order of ranks; none may be NaN. The same bits for any number of ranks whose parts
/// begin at multiples of particle_granule. `ancestor` [n], where given, is the place, among those of this rank, of the particle at the
/// start that each descends from. Collective; every rank gets the estimate.
ImportanceEstimate importance_estimate(const Communicator& ranks, std::span<const double> log_weight,
                                       std::span<const std::int64_t> ancestor = {});
/// [n] of ancestors among the particles of this rank.
std::vector<std::int64_t> places_of_ancestors(const Particles& particles);
/// Of particles, with their ancestors.
ImportanceEstimate importance_of(const Communicator& ranks, const Particles& particles);

/// Variances of weighted means for particles that have relatives: as many times larger as lineages are worth less.
void widen_by_lineages(const ImportanceEstimate& estimate, Means& means);

/// The largest of all ranks' values; -infinity where there is none. Collective.
double largest_of(const Communicator& ranks, std::span<const double> values);

/// ess, lineage_ess, log_z, log_z_stderr, log_z_stderr_islands, elbo; the error of log Z is unknown without enough_effective particles,
/// that by the spread of islands with fewer than 8 of them.
std::vector<Measured> measure_importance(const MetricInput& input);

}  // namespace boltzcurve
