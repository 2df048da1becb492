#include "studies/quadrature.hpp"
#include <boltzcurve/error.hpp>

#include <cmath>

#include <fmt/format.h>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/special_functions/legendre.hpp>

namespace boltzcurve {

GaussLegendre::GaussLegendre(int n) {
  using boost::math::legendre_p;
  const auto zeros = boost::math::legendre_p_zeros<double>(n);  // those that are not negative, growing
  for (auto zero = zeros.rbegin(); zero != zeros.rend() && *zero > 0; ++zero) node.push_back(-*zero);
  node.insert(node.end(), zeros.begin(), zeros.end());
  for (const double x : node) {
    const double slope = boost::math::legendre_p_prime(n, x);
    weight.push_back(2 / ((1 - x * x) * slope * slope));
  }
  // The polynomial through the values g_j is the sum over k < n of (k + 1/2) P_k(x) sum_j w_j P_k(x_j) g_j, and P_k integrates to
  // (P_k+1 - P_k-1)/(2k + 1).
  for (const double x : node) {
    auto& row = integral_to_node.emplace_back();
    for (std::size_t j = 0; j < node.size(); ++j) {
      double sum = x + 1;
      for (int k = 1; k < n; ++k) sum += legendre_p(k, node[j]) * (legendre_p(k + 1, x) - legendre_p(k - 1, x));
      row.push_back(weight[j] * sum / 2);
    }
  }
}

double integrate_adaptively(const std::function<double(double)>& g, double lower, double upper, const IntegralTolerance& tolerance,
                            const char* what, unsigned max_halvings) {
  using Rule = boost::math::quadrature::gauss_kronrod<double, 21>;
  double error = 0;
  const auto allowed = [&](double integral) { return tolerance.absolute + tolerance.relative * std::fabs(integral); };
  double integral = Rule::integrate(g, lower, upper, 0, 0, &error);
  if (error > allowed(integral)) integral = Rule::integrate(g, lower, upper, max_halvings, allowed(integral) / std::fabs(integral), &error);
  if (!std::isfinite(integral)) throw NumericalError(fmt::format("{}: the integral is not a finite number", what));
  if (error <= allowed(integral)) return integral;
  throw NumericalError(fmt::format("{}: {} halvings integrate it to an error of {:.2g} of {:.6g} only, {:.2g} of it is allowed", what,
                                   max_halvings, error, integral, tolerance.relative));
}

}  // namespace boltzcurve
