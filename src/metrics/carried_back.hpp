#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/sampling.hpp>
#include <boltzcurve/stop.hpp>

#include <functional>
#include <span>
#include <vector>

namespace boltzcurve {

/// Fills log w = -f_D(y) - log q(y) [m] of this rank's points y [m][D], in the target's coordinates, by carrying them back along the flow;
/// NaN where a path fails. Costs an evaluation of the target's value and a path a point. Returns why it was interrupted, if `stop` saw a
/// reason on any rank, else Stop::no. Collective.
Stop carry_back(const Communicator& ranks, const Energy& target, const Sampler& sampler, std::span<const double> points,
                std::vector<double>& log_weight, const std::function<Stop()>& stop);

}  // namespace boltzcurve
