#pragma once

#include "metrics/metric_input.hpp"

namespace boltzcurve {

/// Middle value; the mean of the two middle ones for an even number. Takes at least one value, none of them NaN.
double median(std::vector<double> values);

/// nll and nll_median: mean and median over the finished particles of -log rho_D(x) = f_D(x) + log Z [nats]. Unknown where log Z is, or
/// where nothing has finished. The entropy of rho_D is what exact samples would give. The median is beside the mean because one particle
/// far out is enough to ruin a mean.
std::vector<Measured> measure_likelihood(const MetricInput& input);

}  // namespace boltzcurve
