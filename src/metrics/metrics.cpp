#include <boltzcurve/metrics.hpp>
#include <boltzcurve/sampling.hpp>
#include "metrics/importance.hpp"
#include "metrics/likelihood.hpp"

#include <cmath>

namespace boltzcurve {

Evaluation evaluate(const Communicator& world, const Model& model, const Particles& particles) {
  if (particles.energy.size() != particles.size()) {
    auto complete = particles;
    evaluate_energies(*model.target, complete);
    return evaluate(world, model, complete);
  }
  const auto estimate = importance_of(world, particles);
  MetricInput input(world, particles);
  input.log_z = model.target->log_z();
  const std::int64_t count = world.sum(particles.shard.count);
  const double log_z_stderr = has_enough_effective(estimate, count) ? estimate.log_z_stderr : std::nan("");
  return {count, estimate.ess, estimate.log_z, log_z_stderr, measure_likelihood(input).front().value};
}

}  // namespace boltzcurve
