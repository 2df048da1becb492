#pragma once

#include <boltzcurve/model.hpp>
#include <boltzcurve/particles.hpp>

#include <cstdint>
#include <optional>

namespace boltzcurve {

/// What weighted particles say of their target. None of it sees a mode of the target that no particle has found.
struct Evaluation {
  std::int64_t particles = 0;                     ///< N, over all ranks, failed ones included
  double ess = 0;                                 ///< effective sample size (sum w)^2 / (N sum w^2), from 0 to 1
  double log_z = 0, log_z_stderr = 0;             ///< importance estimate of log Z [nats] and its error; NaN where ESS N < 10
  std::optional<double> negative_log_likelihood;  ///< mean of -log rho_D [nats], where the target's log Z is known
};

/// Of the particles of all ranks; the same on any number of ranks. Costs an evaluation of the target for each where their energies are not
/// known, as of those read from a file. Collective.
Evaluation evaluate(const Communicator& world, const Model& model, const Particles& particles);

}  // namespace boltzcurve
