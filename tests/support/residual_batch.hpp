#pragma once

#include "residual/residual.hpp"

#include <cstdint>
#include <vector>

namespace boltzcurve::test {

/// Networks of the given names and shapes that see D coordinates and the clock, shifted and scaled by numbers of some sort.
CurveNetworks networks_of(int dimension, std::vector<CurveNetwork> list);

/// Random parameters under which hidden neurons are of order one. A function of the networks only.
std::vector<double> random_parameters(const CurveNetworks& networks);

/// Points at times uniform in (0, latest), with random numbers in place of energies: a kernel must not assume that they belong together.
template <class Real>
CollocationBatch<Real> random_batch(std::int64_t points, int dimension, int known_rows, double latest);

template <class Real>
struct LossAndGradient {
  double loss;
  std::vector<double> gradient;
  std::vector<Real> residual;
};

/// The mean loss over the batch, its gradient and all residuals.
template <class Real>
LossAndGradient<Real> loss_and_gradient(ResidualKernel<Real>& kernel, const CollocationBatch<Real>& batch,
                                        const std::vector<double>& parameters, Reduction reduction = Reduction::reproducible);

/// Expects that the gradient by each tensor of each network, along a random direction within it, is that of central differences: truncation
/// ~ h^2, rounding ~ 1e-16/h; at h = 1e-5 both stay below 1e-9 of the gradient's norm along that tensor. The loss is summed without
/// rounding to quanta, whose 2^-41 would show here.
void expect_gradient_of_differences(ResidualKernel<double>& kernel, const CollocationBatch<double>& batch,
                                    const std::vector<double>& parameters);

/// Expects that loss and gradient in float differ from double by accumulated rounding: about sqrt(width) layers eps relative to the sizes
/// involved.
void expect_float_near_double(ResidualKernel<float>& in_float, const CollocationBatch<float>& points_in_float,
                              ResidualKernel<double>& in_double, const CollocationBatch<double>& points_in_double,
                              const std::vector<double>& parameters);

}  // namespace boltzcurve::test
