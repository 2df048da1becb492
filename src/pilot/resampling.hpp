#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace boltzcurve {

/// log of the mean of exp(values); -infinity where all of them are.
double log_mean_exp(std::span<const double> values);

/// (sum w)^2 / (n sum w^2) of weights by their logarithms, in [0, 1]; 0 where all are 0.
double relative_ess(std::span<const double> log_weights);

/// Systematic resampling (Kitagawa 1996): who the parents of as many children as there are weights are, u uniform in (0, 1). Everybody is
/// its own where all weights are 0.
std::vector<std::int64_t> systematic(std::span<const double> log_weights, double u);

/// The next b above `b` on the way (1-b) f_0 + b f_D: that at which equal weights come to a conditional effective sample size `ess`, a
/// fraction of the particles with a finite ratio f_0 - f_D; by bisection, 1 if it may be.
double next_temper(std::span<const double> ratios, double b, double ess);

}  // namespace boltzcurve
