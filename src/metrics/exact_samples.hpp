#pragma once

#include <boltzcurve/sampling.hpp>
#include "metrics/metric_input.hpp"

#include <functional>

namespace boltzcurve {

/// Fills what the particles alone cannot show, where the target has an exact sampler: `count` exact samples over all ranks, as many again
/// as there are particles (distance_points at most), and the importance weights of the former by the flow. Seeds are input.seed. Returns
/// why it was interrupted, if `stop` saw a reason on any rank, else Stop::no. Collective.
Stop add_exact_samples(MetricInput& input, const Energy& target, const Sampler& sampler, std::int64_t count,
                       const std::function<Stop()>& stop);

}  // namespace boltzcurve
