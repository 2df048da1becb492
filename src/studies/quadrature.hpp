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

/// The integral of `g` from `lower` to `upper`: intervals are halved, up to `max_halvings` times, until each is good enough for its length.
/// The error is estimated by the difference of the 21-point rule of Kronrod from the 10-point rule of Gauss in it, the error of the coarser
/// of the two, so results are better than asked for. Throws NumericalError, naming `what`, where that does not suffice or a value is not
/// finite.
double integrate_adaptively(const std::function<double(double)>& g, double lower, double upper, const IntegralTolerance& tolerance,
                            const char* what, unsigned max_halvings = 15);

}  // namespace boltzcurve
