#include <boltzcurve/metrics.hpp>
#include <boltzcurve/sampling.hpp>
#include "metrics/importance.hpp"
#include "metrics/likelihood.hpp"

namespace boltzcurve {

Evaluation evaluate(const Communicator& world, const Model& model, const Particles& particles) {
  if (particles.energy.size() != particles.size()) {
    auto complete = particles;
    evaluate_energies(*model.target, complete);
    return evaluate(world, model, complete);
  }
  const auto estimate = importance_estimate(world, particles.log_weight);
  MetricInput input(world, particles);
  input.log_z = model.target->log_z();
  return {world.sum(particles.shard.count), estimate.ess, estimate.log_z, estimate.log_z_stderr, measure_likelihood(input).front().value};
}

}  // namespace boltzcurve
