#include "studies/quadrature.hpp"
#include <boltzcurve/error.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

/// P_0 ... P_n at x.
std::vector<double> legendre(int n, double x) {
  std::vector<double> p(static_cast<std::size_t>(n) + 1, 1.0);
  if (n > 0) p[1] = x;
  for (int k = 2; k <= n; ++k) {
    const auto i = static_cast<std::size_t>(k);
    p[i] = ((2 * k - 1) * x * p[i - 1] - (k - 1) * p[i - 2]) / k;
  }
  return p;
}

struct Interval {
  double lower, upper, left, right, error;  // integrals over the halves
  double integral() const { return left + right; }
};

}  // namespace

GaussLegendre::GaussLegendre(int n) {
  const auto size = static_cast<std::size_t>(n);
  for (int i = n; i >= 1; --i) {
    double x = std::cos(std::numbers::pi * (i - 0.25) / (n + 0.5)), slope = 1;
    for (int newton = 0; newton < 100; ++newton) {
      const auto p = legendre(n, x);
      slope = n * (x * p[size] - p[size - 1]) / (x * x - 1);
      const double step = p[size] / slope;
      x -= step;
      if (std::fabs(step) < 1e-16) break;
    }
    node.push_back(x);
    weight.push_back(2 / ((1 - x * x) * slope * slope));
  }
  // The polynomial through the values g_j is the sum over k < n of (k + 1/2) P_k(x) sum_j w_j P_k(x_j) g_j, and P_k integrates to
  // (P_k+1 - P_k-1)/(2k + 1).
  std::vector<std::vector<double>> at;
  for (const double x : node) at.push_back(legendre(n, x));
  for (std::size_t i = 0; i < size; ++i) {
    std::vector<double> row;
    for (std::size_t j = 0; j < size; ++j) {
      double sum = at[i][1] + 1;
      for (std::size_t k = 1; k < size; ++k) sum += at[j][k] * (at[i][k + 1] - at[i][k - 1]);
      row.push_back(weight[j] * sum / 2);
    }
    integral_to_node.push_back(std::move(row));
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
