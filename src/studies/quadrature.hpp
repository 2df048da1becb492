#pragma once

#include <functional>
#include <vector>

namespace boltzcurve {

/// A rule on [-1, 1]: sum over i of weight_i g(node_i), exact for polynomials of degree below 2n. Nodes grow.
struct GaussLegendre {
  std::vector<double> node, weight;                   ///< [n]
  std::vector<std::vector<double>> integral_to_node;  ///< [n][n]: row i integrates the polynomial through the n values from -1 to node i

  explicit GaussLegendre(int n);
};

/// When an integral is good enough: error <= absolute + relative |integral|.
struct IntegralTolerance {
  double relative = 1e-8, absolute = 0;
};

/// The integral of `g` from `lower` to `upper`: the interval with the largest estimated error is halved until the sum of errors is small
/// enough. The estimate is the difference of the ten-point rule from itself on both halves, the error of the coarser of the two, so results
/// are better than asked for. Throws NumericalError, naming `what`, where `max_intervals` do not suffice or a value is not finite.
double integrate_adaptively(const std::function<double(double)>& g, double lower, double upper, const IntegralTolerance& tolerance,
                            const char* what, int max_intervals = 2000);

}  // namespace boltzcurve
