#pragma once

#include "metrics/metric_input.hpp"

#include <span>

namespace boltzcurve {

/// What weights w = exp(-f_D)/q at M exact samples of the target tell. Unlike the reverse ESS these see a mode that q has lost: there w is
/// huge.
struct ForwardEstimate {
  double ess;          ///< 1/(mean(w) mean(1/w)), in [0, 1]: estimates 1/(1 + chi^2(rho_D || q)), as the reverse ESS does
  double ess_stderr;   ///< by the delta method, from the spread of w/mean(w) + (1/w)/mean(1/w)
  double eubo;         ///< mean of log w [nats], an upper bound of log Z in expectation
  double eubo_stderr;  ///< of that mean
};

/// From this rank's part [m] of the log weights, as importance_estimate(). None without samples, and none if any log weight is not finite
/// (NaN: its path back failed): dropping the points that q cannot reach would hide just the loss that these numbers are to show.
/// Collective.
std::optional<ForwardEstimate> forward_estimate(const Communicator& ranks, std::span<const double> exact_log_weight);

/// ess_forward, eubo.
std::vector<Measured> measure_forward_importance(const MetricInput& input);

}  // namespace boltzcurve
