#include "pilot/whitening.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace boltzcurve {
namespace {

constexpr Eigen::Index few_points = 10;  // for each dimension
constexpr double barely = 1e-12;

}  // namespace

std::vector<std::vector<std::size_t>> independent_groups(std::span<const double> values, std::size_t dimension, double least) {
  using Matrix = Eigen::MatrixXd;
  const auto D = static_cast<Eigen::Index>(dimension), N = static_cast<Eigen::Index>(values.size() / dimension);
  const Eigen::Map<const Matrix> points(values.data(), D, N);
  constexpr Eigen::Index powers = 3;
  Matrix features(N, powers * D);
  for (Eigen::Index k = 0; k < D; ++k) {
    const Eigen::ArrayXd u = (points.row(k).array() - points.row(k).mean()).transpose();
    const Eigen::ArrayXd bounded = (u / std::sqrt(u.square().mean() + 1e-300)).max(-4).min(4);  // of tails, cubes would tell nothing else
    for (Eigen::Index p = 0; p < powers; ++p) {
      const Eigen::ArrayXd power = bounded.pow(static_cast<int>(p) + 1), centered = power - power.mean();
      features.col(powers * k + p) = centered / std::sqrt(centered.square().sum() + 1e-300);
    }
  }
  const Matrix correlation = (features.transpose() * features).cwiseAbs();
  std::vector<std::vector<std::size_t>> groups;
  std::vector<bool> taken(dimension, false);
  for (std::size_t first = 0; first < dimension; ++first) {
    if (taken[first]) continue;
    taken[first] = true;
    std::vector<std::size_t> group = {first};
    for (std::size_t at = 0; at < group.size(); ++at)
      for (std::size_t k = 0; k < dimension; ++k)
        if (!taken[k] &&
            correlation.block(powers * static_cast<Eigen::Index>(group[at]), powers * static_cast<Eigen::Index>(k), powers, powers)
                    .maxCoeff() > least) {
          taken[k] = true;
          group.push_back(k);
        }
    std::sort(group.begin(), group.end());
    groups.push_back(std::move(group));
  }
  return groups;
}

ScaleMap whitening_of(std::span<const double> z, std::size_t dimension, const std::vector<std::vector<std::size_t>>& groups) {
  using Matrix = Eigen::MatrixXd;
  const auto D = static_cast<Eigen::Index>(dimension), N = static_cast<Eigen::Index>(z.size() / dimension);
  const Eigen::Map<const Matrix> points(z.data(), D, N);
  const Eigen::VectorXd mean = points.rowwise().mean();
  const Matrix centered = points.colwise() - mean;
  Matrix covariance = centered * centered.transpose() / static_cast<double>(N);
  const Eigen::VectorXd variance = covariance.diagonal();
  // Where there are points enough, to what rounding leaves: more would drown the narrow directions of a correlated law.
  covariance *= 1 - (N < few_points * D ? std::min(1.0, static_cast<double>(D) / static_cast<double>(N)) : barely);
  covariance.diagonal() = (variance.array() > 0).select(variance, 1.0);
  // In units of the deviations: else a condition number of 1e12 leaves no digits to the factor.
  const Eigen::VectorXd scale = covariance.diagonal().cwiseSqrt();
  Matrix correlation = scale.cwiseInverse().asDiagonal() * covariance * scale.cwiseInverse().asDiagonal();
  for (const auto& group : groups)
    for (Eigen::Index k = 0; k < D; ++k)
      for (const auto other : group)
        if (!std::binary_search(group.begin(), group.end(), static_cast<std::size_t>(k)))
          correlation(k, static_cast<Eigen::Index>(other)) = correlation(static_cast<Eigen::Index>(other), k) = 0;
  const Matrix factor = scale.asDiagonal() * Matrix(Eigen::LLT<Matrix>(correlation).matrixL());
  ScaleMap whitening;
  whitening.shift.assign(mean.data(), mean.data() + D);
  for (Eigen::Index k = 0; k < D; ++k)
    for (Eigen::Index j = 0; j < D; ++j) whitening.factor.push_back(j <= k ? factor(k, j) : 0.0);
  return whitening;
}

ScaleMap behind(const ScaleMap& whitening, ScaleMap map) {
  if (!map.is_whitening()) {
    map.shift = whitening.shift;
    map.factor = whitening.factor;
    return map;
  }
  using ByRows = Eigen::Matrix<double, -1, -1, Eigen::RowMajor>;
  const auto D = static_cast<Eigen::Index>(map.shift.size());
  const Eigen::Map<const ByRows> before(map.factor.data(), D, D);
  // Copies in Eigen's own memory: the same alignment, so the same bits, everywhere.
  const Eigen::MatrixXd factor = Eigen::Map<const ByRows>(whitening.factor.data(), D, D);
  const Eigen::VectorXd mean = Eigen::Map<const Eigen::VectorXd>(whitening.shift.data(), D);
  const Eigen::VectorXd shift = Eigen::Map<const Eigen::VectorXd>(map.shift.data(), D) + before * mean;
  const Eigen::MatrixXd whole = before * factor;
  map.shift.assign(shift.data(), shift.data() + D);
  for (Eigen::Index k = 0; k < D; ++k)
    for (Eigen::Index l = 0; l <= k; ++l) map.factor[static_cast<std::size_t>(k * D + l)] = whole(k, l);
  return map;
}

}  // namespace boltzcurve
