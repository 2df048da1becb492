#include "pilot/scale_fit.hpp"
#include "parallel/ordered_sum.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include <Eigen/LU>

namespace boltzcurve {
namespace {

constexpr double min_explained = 1.0 / 7;   // share of the variance; log z^2 of a normal z has a variance of 4.9 of its own
constexpr double largest_disagreement = 2;  // of the two slopes
constexpr double smallest_square = 1e-300;  // in place of 0, whose logarithm there is not

/// Halfway between two neighbors, so that no point's distance is 0: the logarithm would count it for more than all others. At least two
/// points.
std::vector<double> medians(const Communicator& ranks, const HostPoints<double>& points) {
  std::vector<double> middle(points.extent(1));
  for (std::size_t k = 0; k < middle.size(); ++k) {
    std::vector<double> mine(points.extent(0));
    for (std::size_t i = 0; i < mine.size(); ++i) mine[i] = points(i, k);
    auto all = ranks.all_gather(std::span<const double>(mine));
    const auto place = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), place, all.end());
    middle[k] = (*place + *std::max_element(all.begin(), place)) / 2;
  }
  return middle;
}

/// First and second moments of the coordinates x [D] from their medians, and of the logarithms u, w of d^2/T and T/g^2 [D] each.
struct Moments {
  std::size_t D;
  double count = 0;
  std::vector<double> sums;

  /// Places in the sums.
  std::size_t x(std::size_t j) const { return j; }
  std::size_t xx(std::size_t j, std::size_t l) const { return D + j * D + l; }
  std::size_t y(int which, std::size_t k) const { return D + D * D + (static_cast<std::size_t>(which) * D + k) * (D + 2); }
  std::size_t yy(int which, std::size_t k) const { return y(which, k) + 1; }
  std::size_t yx(int which, std::size_t k, std::size_t j) const { return y(which, k) + 2 + j; }
  std::size_t size() const { return y(2, 0); }

  double mean(std::size_t place) const { return sums[place] / count; }
  double covariance_xx(std::size_t j, std::size_t l) const { return mean(xx(j, l)) - mean(x(j)) * mean(x(l)); }
  double covariance_yx(int which, std::size_t k, std::size_t j) const { return mean(yx(which, k, j)) - mean(y(which, k)) * mean(x(j)); }
  double variance_y(int which, std::size_t k) const { return mean(yy(which, k)) - mean(y(which, k)) * mean(y(which, k)); }
};

/// Share of the variance of coordinate k's scale that x_j explains, the lesser of the two regressions; 0 where they disagree.
double explained(const Moments& m, std::size_t k, std::size_t j) {
  double least = 1, slope[2];
  for (const int which : {0, 1}) {
    const double along = m.covariance_yx(which, k, j), spread = m.covariance_xx(j, j), variance = m.variance_y(which, k);
    if (!(spread > 0 && variance > 0)) return 0;
    slope[which] = along / spread;
    least = std::min(least, along * along / (spread * variance));
  }
  const double ratio = slope[0] / slope[1];
  return ratio > 1 / largest_disagreement && ratio < largest_disagreement ? least : 0;
}

}  // namespace

ScaleMap fit_scale_map(const Communicator& ranks, const ThermalPoints& points) {
  const std::size_t D = points.position.extent(1);
  const auto n = static_cast<std::int64_t>(points.position.extent(0)), all = ranks.sum(n);
  if (D < 2 || D > max_scaled_dimensions || all < 2) return {};
  ScaleMap map;
  map.center = medians(ranks, points.position);
  Moments m{D, 0, {}};
  m.count = static_cast<double>(all);
  m.sums = ordered_sums(ranks, n, points.granule, m.size(), [&](std::size_t i, std::span<double> sums) {
    const auto x = [&](std::size_t j) { return points.position(i, j) - map.center[j]; };
    const double T = points.temperature(i);
    for (std::size_t j = 0; j < D; ++j) {
      sums[m.x(j)] += x(j);
      for (std::size_t l = 0; l < D; ++l) sums[m.xx(j, l)] += x(j) * x(l);
    }
    for (std::size_t k = 0; k < D; ++k) {
      const double g = points.gradient(i, k);
      const double logs[2] = {std::log(std::fmax(x(k) * x(k) / T, smallest_square)), -std::log(std::fmax(g * g / T, smallest_square))};
      for (const int which : {0, 1}) {
        sums[m.y(which, k)] += logs[which];
        sums[m.yy(which, k)] += logs[which] * logs[which];
        for (std::size_t j = 0; j < D; ++j) sums[m.yx(which, k, j)] += logs[which] * x(j);
      }
    }
  });

  // 1. Who drives whom: the strongest drivers first.
  std::vector<double> share(D * D, 0.0), strength(D, 0.0);
  for (std::size_t k = 0; k < D; ++k)
    for (std::size_t j = 0; j < D; ++j)
      if (const double e = j == k ? 0 : explained(m, k, j); e >= min_explained) strength[j] += share[k * D + j] = e;
  std::vector<std::size_t> order(D);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return strength[a] > strength[b]; });
  std::vector<char> is_driven(D, 0), is_driver(D, 0);
  for (const std::size_t j : order) {
    if (is_driven[j]) continue;
    for (std::size_t k = 0; k < D; ++k)
      if (share[k * D + j] > 0 && !is_driver[k]) is_driven[k] = is_driver[j] = 1;
  }

  // 2. Slopes and offsets: the mean of both regressions on all drivers of a coordinate together, half of it since squares were taken.
  map.offset.assign(D, 0.0);
  map.slope.assign(D * D, 0.0);
  bool any = false;
  for (std::size_t k = 0; k < D; ++k) {
    if (!is_driven[k]) continue;
    std::vector<std::size_t> drivers;
    for (std::size_t j = 0; j < D; ++j)
      if (share[k * D + j] > 0 && is_driver[j]) drivers.push_back(j);
    const auto count = static_cast<Eigen::Index>(drivers.size());
    Eigen::MatrixXd among_drivers(count, count);
    Eigen::VectorXd with_scale(count);
    for (Eigen::Index a = 0; a < count; ++a) {
      const auto j = drivers[static_cast<std::size_t>(a)];
      for (Eigen::Index b = 0; b < count; ++b) among_drivers(a, b) = m.covariance_xx(j, drivers[static_cast<std::size_t>(b)]);
      with_scale(a) = (m.covariance_yx(0, k, j) + m.covariance_yx(1, k, j)) / 2;
    }
    Eigen::FullPivLU<Eigen::MatrixXd> factors(among_drivers);
    factors.setThreshold(1e-12);  // a direction of no length is left out
    const Eigen::VectorXd slope = factors.solve(with_scale);
    double offset = (m.mean(m.y(0, k)) + m.mean(m.y(1, k))) / 2;
    for (std::size_t a = 0; a < drivers.size(); ++a) {
      const double here = slope(static_cast<Eigen::Index>(a));
      map.slope[k * D + drivers[a]] = here / 2;
      offset -= here * m.mean(m.x(drivers[a]));
    }
    map.offset[k] = offset / 2;
    any = true;
  }
  return any ? map : ScaleMap();
}

}  // namespace boltzcurve
