#pragma once

#include <boltzcurve/core/views.hpp>
#include <boltzcurve/energy/energy.hpp>
#include <boltzcurve/ode/particle_status.hpp>
#include <boltzcurve/parallel/communicator.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace boltzcurve {

/// All that metrics are computed from. Every rank holds all of it, in the order of global ids, so a result cannot depend on the number of
/// ranks; work that grows like N^2 is shared. N generated particles, M exact samples of the target, D dimensions.
///
/// A particle that failed has weight 0 and stays in N for everything that weights take part in (ESS, log Z, ELBO, mode weights). Metrics
/// of plain positions (NLL, distances, action) are over the finished ones; the failed are counted beside them, by kind.
struct MetricInput {
  explicit MetricInput(const Communicator& communicator) : ranks(communicator) {}

  Communicator ranks;
  HostPoints<const double> position;      ///< [N][D] at the target end
  std::vector<double> log_density;        ///< [N] log q there, normalised [nats]
  std::vector<double> energy;             ///< [N] f_D there, without log Z [nats]
  std::vector<double> action;             ///< [N]
  std::vector<ParticleStatus> status;     ///< [N]
  std::vector<std::int64_t> evaluations;  ///< [N]

  HostPoints<const double> exact;        ///< [M][D]; no rows: no exact samples
  HostPoints<const double> exact_again;  ///< [any number, best N][D] independent of `exact`, for the noise floor; may have no rows
  /// [M] log w = -f_D(y) - log q(y) of the exact samples, NaN where the path back to the latent law failed; empty: not computed.
  std::vector<double> exact_log_weight;

  std::optional<double> log_z, entropy;  ///< of the target [nats], where known
  std::vector<Mode> modes;               ///< of the target; empty: unknown
  std::uint64_t seed = 1;                ///< of the fixed projections
  std::int64_t distance_points = 10000;  ///< of each set, the first ones, enter the energy distance, whose work grows with their square
  std::optional<double> seconds_train, seconds_sample;
};

/// One value by one metric: what it is called, what it came to (none: unknown) and from how many particles or samples
/// (0: it is not a statistic).
struct Measured {
  std::string key;
  std::optional<double> value;
  std::int64_t samples;
};

/// Every rank's points, one rank after the other, on every rank. Collective; all ranks need the same number of columns.
HostPoints<double> gather_points(const Communicator& ranks, HostPoints<const double> local);

/// The positions of the finished particles, in order.
HostPoints<double> finished_positions(const MetricInput& input);

/// Known facts and counts: particles, log_z_exact, nll_floor, evaluations_per_particle (over all N), escaped, nonfinite, step_underflow,
/// max_steps, seconds_train, seconds_sample, ranks, and the mean action of the finished particles.
std::vector<Measured> measure_run(const MetricInput& input);

}  // namespace boltzcurve
