#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/evaluation_settings.hpp>
#include <boltzcurve/particles.hpp>
#include <boltzcurve/views.hpp>
#include "energy/pilot_summary.hpp"
#include "pilot/curve_population.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// All that metrics are computed from: every rank holds its part, as shard_of(..., particle_granule, ...) cuts it, in the order of global
/// ids. Sums are made in that order (parallel/ordered_sum.hpp), so a result does not depend on the number of ranks. N generated particles
/// and M exact samples of the target over all ranks, n and m on this one, D dimensions.
///
/// A particle that failed has weight 0 and stays in N for everything that weights take part in (ESS, log Z, ELBO, mode weights). Metrics
/// of plain positions (NLL, distances, action) are over the finished ones; the failed are counted beside them, by kind.
struct MetricInput {
  /// The particles must outlive this.
  MetricInput(const Communicator& communicator, const Particles& measured) : ranks(communicator), particles(measured) {}
  MetricInput(const Communicator& communicator, Particles&& measured) = delete;

  Communicator ranks;
  const Particles& particles;
  int legs = 1;  ///< that they were drawn in: with more, the flow alone, which carries points back, is not what they are of

  HostPoints<const double> exact;        ///< [m][D]; no rows on any rank: no exact samples
  HostPoints<const double> exact_again;  ///< [any number][D] independent of `exact`, for the noise floor; may have no rows
  /// [m] log w = -f_D(y) - log q(y) of the exact samples, NaN where the path back to the latent density failed; empty: not computed.
  std::vector<double> exact_log_weight;

  // Of a pilot run by a population, else null; they must outlive this. The population has no points where a checkpoint does not hold it.
  const PilotSummary* pilot = nullptr;
  const CurvePopulation* population = nullptr;
  std::vector<double> population_log_weight;  ///< [this rank's part] as exact_log_weight, of points spread over the population

  std::optional<double> log_z, entropy;       ///< of the target [nats], where known
  std::optional<Moments> moments;             ///< of the target's coordinates, where known
  std::optional<double> log_z_thermodynamic;  ///< by the integral of the curve's normalizer [nats], where it has one
  std::vector<Mode> modes;                    ///< of the target; empty: unknown
  std::uint64_t seed = 1;                     ///< of the fixed projections
  /// Of each set, the first ones, enter the energy distance, whose work grows with their square.
  std::int64_t distance_points = EvaluationSettings().energy_distance_points;
  std::optional<double> seconds_train, seconds_sample;
  /// Evaluations of the target so far: of its value alone, and with its gradient; where known.
  std::optional<double> target_values, target_gradients;
};

/// One value by one metric: what it is called, what it came to (none: unknown), from how many particles or samples
/// (0: it is not a statistic), and its standard error where there is one.
struct Measured {
  std::string key;
  std::optional<double> value;
  std::int64_t samples;
  std::optional<double> standard_error = std::nullopt;
};

/// Items on all ranks together, given this rank's part. Collective, as all below.
std::int64_t total_count(const Communicator& ranks, std::size_t local);

/// Every rank's points, one rank after the other, on every rank; with `at_most`, the first so many of them only. All ranks need the same
/// number of columns.
HostPoints<double> gather_points(const Communicator& ranks, HostPoints<const double> local,
                                 std::int64_t at_most = std::numeric_limits<std::int64_t>::max());

/// The positions of this rank's finished particles, in order. Not collective.
HostPoints<double> finished_positions(const MetricInput& input);

/// Mean of the numbers for which `counts` holds, over all ranks, and the mean's standard error; none where nothing counts.
struct Mean {
  double value, standard_error;
  std::int64_t samples;
};
std::optional<Mean> mean_where(const Communicator& ranks, std::span<const double> values, const std::function<bool(std::size_t)>& counts);

/// Known facts and counts: particles, log_z_exact, log_z_thermodynamic, nll_floor, target_values, target_gradients,
/// evaluations_per_particle (over all N), escaped, nonfinite, step_underflow, max_steps, seconds_train, seconds_sample, ranks, and the mean
/// action of the finished particles.
std::vector<Measured> measure_run(const MetricInput& input);

}  // namespace boltzcurve
