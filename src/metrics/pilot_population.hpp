#pragma once

#include <boltzcurve/sampling.hpp>
#include "metrics/metric_input.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace boltzcurve {

/// Fills the importance weights, by the flow, of up to `count` points of the pilot's population over all ranks, evenly spread over it: with
/// them a mode that the flow has lost shows where the target has no exact sampler. `target` is in its own coordinates. Without a population
/// at hand does nothing. Returns why it was interrupted, if `stop` saw a reason on any rank, else Stop::no. Collective.
Stop add_population(MetricInput& input, const Energy& target, const Sampler& sampler, std::int64_t count,
                    const std::function<Stop()>& stop);

/// The place x [D], in the target's coordinates, of one of `taken` such points. Not collective.
std::vector<double> population_point(const MetricInput& input, std::int64_t index, std::int64_t taken);

/// log_z_pilot and log_z_pilot_stderr: what the pilot's population says of log Z; ess_forward_pilot: forward_estimate() of the population's
/// points. The population is exact but for errors of order 1/N, as far as it moves between modes; where it does not, the shares of modes
/// have an error of their own (its islands tell, see disagreement.hpp). Loss `matching` trains on the same points: where they are few for
/// the network, the flow is better at them than between them, and this ESS above that of new points. Unknown without a population.
std::vector<Measured> measure_pilot_population(const MetricInput& input);

}  // namespace boltzcurve
