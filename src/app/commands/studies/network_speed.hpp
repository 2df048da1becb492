#pragma once

#include "app/commands/studies/study_run.hpp"

#include <cstdint>
#include <vector>

namespace boltzcurve {

/// The mean over particles of a flow, and its standard error.
struct ParticleMean {
  double value, error;
};

/// How fast particles of a trained flow move, x_t from the latent law to the target under v_theta.
///
///     wasserstein: |v(x_t, t)|^2,        fisher_rao: (d_t log rho_t)^2 with d_t log rho_t = <v, grad f_t> - div v at x_t.
///
/// grad f_t is what the curve says: (1-t) grad f_Z + t grad f_D on the linear curve, v + grad f_Z along the gradient flow. It is not known
/// beside the networks of the learned curve, whose second number is NaN. In the coordinates in which the curve runs.
struct NetworkSpeed {
  std::vector<double> times;                           ///< of the curve
  std::vector<ParticleMean> wasserstein, fisher_rao;   ///< at each of them
  ParticleMean wasserstein_action, fisher_rao_action;  ///< integrals over time, by a Gauss-Legendre rule in the curve's clock
  std::int64_t particles = 0, failed = 0;              ///< failed ones are in no mean
};

/// With the particles, tolerances and seed of the run's options, at `shares` of the time from the latent law to the target, growing. The
/// same bits for any number of ranks. Collective.
NetworkSpeed network_speed(const Communicator& ranks, const TrainedRun& run, const std::vector<double>& shares);

}  // namespace boltzcurve
