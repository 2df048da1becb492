#include "studies/quadrature.hpp"
#include <boltzcurve/error.hpp>

#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>
#include <boost/math/special_functions/legendre.hpp>

namespace boltzcurve {
namespace {

struct Interval {
  double lower, upper, left, right, error;  // integrals over the halves
  double integral() const { return left + right; }
};

}  // namespace

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
                            const char* what, int max_intervals) {
  static const GaussLegendre rule(10);
  const auto over = [&](double from, double to) {
    double sum = 0;
    for (std::size_t i = 0; i < rule.node.size(); ++i) sum += rule.weight[i] * g(0.5 * (from + to + (to - from) * rule.node[i]));
    return 0.5 * (to - from) * sum;
  };
  const auto interval = [&](double from, double to, double whole) {
    const double middle = 0.5 * (from + to), left = over(from, middle), right = over(middle, to);
    return Interval{from, to, left, right, std::fabs(whole - left - right)};
  };
  std::vector<Interval> intervals = {interval(lower, upper, over(lower, upper))};
  for (;;) {
    double sum = 0, error = 0;
    for (const auto& part : intervals) {
      sum += part.integral();
      error += part.error;
    }
    if (!std::isfinite(sum)) throw NumericalError(std::string(what) + ": the integral is not a finite number");
    if (error <= tolerance.absolute + tolerance.relative * std::fabs(sum)) return sum;
    if (static_cast<int>(intervals.size()) >= max_intervals)
      throw NumericalError(fmt::format("{}: {} intervals integrate it to an error of {:.2g} of {:.6g} only, {:.2g} of it is allowed", what,
                                       max_intervals, error, sum, tolerance.relative));
    auto worst = std::max_element(intervals.begin(), intervals.end(), [](const auto& a, const auto& b) { return a.error < b.error; });
    const Interval split = *worst;
    const double middle = 0.5 * (split.lower + split.upper);
    *worst = interval(split.lower, middle, split.left);
    intervals.push_back(interval(middle, split.upper, split.right));
  }
}

}  // namespace boltzcurve
