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

ScaleMap whitened(std::span<const double> z, std::size_t dimension, ScaleMap drivers, const std::vector<std::vector<std::size_t>>& groups) {
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
  const bool again = drivers.is_whitening();
  const Eigen::Map<const Eigen::Matrix<double, -1, -1, Eigen::RowMajor>> before(drivers.factor.data(), again ? D : 0, again ? D : 0);
  const Eigen::Map<const Eigen::VectorXd> shift(drivers.shift.data(), again ? D : 0);
  const Matrix whole = again ? Matrix(before * factor) : factor;
  const Eigen::VectorXd place = again ? Eigen::VectorXd(shift + before * mean) : mean;
  drivers.shift.assign(place.data(), place.data() + D);
  drivers.factor.clear();
  for (Eigen::Index k = 0; k < D; ++k)
    for (Eigen::Index j = 0; j < D; ++j) drivers.factor.push_back(j <= k ? whole(k, j) : 0.0);
  return drivers;
}

}  // namespace boltzcurve
