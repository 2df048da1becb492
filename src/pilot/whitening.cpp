#include "pilot/whitening.hpp"

#include <Eigen/Cholesky>
#include <algorithm>

namespace boltzcurve {

ScaleMap whitened(std::span<const double> z, std::size_t dimension, ScaleMap drivers) {
  using Matrix = Eigen::MatrixXd;
  const auto D = static_cast<Eigen::Index>(dimension), N = static_cast<Eigen::Index>(z.size() / dimension);
  const Eigen::Map<const Matrix> points(z.data(), D, N);
  const Eigen::VectorXd mean = points.rowwise().mean();
  const Matrix centered = points.colwise() - mean;
  Matrix covariance = centered * centered.transpose() / static_cast<double>(N);
  const Eigen::VectorXd variance = covariance.diagonal();
  covariance *= 1 - std::min(1.0, static_cast<double>(D) / static_cast<double>(N));
  covariance.diagonal() = (variance.array() > 0).select(variance, 1.0);
  // In units of the deviations: else a condition number of 1e12 leaves no digits to the factor.
  const Eigen::VectorXd scale = covariance.diagonal().cwiseSqrt();
  const Matrix correlation = scale.cwiseInverse().asDiagonal() * covariance * scale.cwiseInverse().asDiagonal();
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
