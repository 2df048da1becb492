#include "pilot/triangular_fit.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

namespace boltzcurve {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;
using Index = Eigen::Index;

constexpr double explained_place = 0.1;   // share of the variance of a residual, by the square of another coordinate
constexpr double explained_scale = 0.08;  // of that of log residual^2, 4.9 where nothing is explained, by another coordinate
constexpr Index drivers_at_most = 6;      // of a coordinate
constexpr int fit_rounds = 8;
constexpr double significance = 4;  // deviations of a coefficient of place
constexpr double steepest = 10, ridge = 1e-8;

struct Edge {
  Index from, to;
  double gain;  ///< nats a point, roughly
  bool by_square;
};

/// Points in units of their deviation from their mean, [N][D], and what is left of each coordinate by the others.
struct Standardized {
  Vector mean, deviation;
  Matrix u, rest;

  explicit Standardized(const Eigen::Map<const Matrix>& points)
      : mean(points.rowwise().mean()), deviation(points.rows()), u(points.cols(), points.rows()) {
    const double n = static_cast<double>(points.cols());
    for (Index k = 0; k < points.rows(); ++k) {
      const Vector from_mean = points.row(k).array() - mean(k);
      deviation(k) = std::max(std::sqrt(from_mean.squaredNorm() / n), 1e-300);
      u.col(k) = from_mean / deviation(k);
    }
    Matrix correlation = u.transpose() * u / n;
    correlation.diagonal().array() += ridge;
    const Matrix precision = correlation.llt().solve(Matrix::Identity(u.cols(), u.cols()));
    rest = u * precision * precision.diagonal().cwiseInverse().asDiagonal();
  }
};

Vector centered(const Vector& values) { return values.array() - values.mean(); }

double explained(const Vector& a, const Vector& b) {
  const double product = a.dot(b), scale = a.squaredNorm() * b.squaredNorm();
  return scale > 0 ? product * product / scale : 0;
}

std::vector<Edge> edges_of(const Standardized& points) {
  const Index D = points.u.cols();
  std::vector<Vector> squares, logs;
  for (Index k = 0; k < D; ++k) {
    const Vector u = points.u.col(k);
    Vector square = centered(u.array().square());
    square -= u * (u.dot(square) / u.squaredNorm());
    squares.push_back(square);
    logs.push_back(centered((points.rest.col(k).array().square() + 1e-12).log()));
  }
  std::vector<Edge> edges;
  for (Index k = 0; k < D; ++k) {
    const Vector rest = centered(points.rest.col(k));
    for (Index j = 0; j < D; ++j) {
      if (j == k) continue;
      if (const double share = explained(rest, squares[static_cast<std::size_t>(j)]); share > explained_place)
        edges.push_back({j, k, -0.5 * std::log(1 - std::min(share, 0.9999)), true});
      if (const double share = explained(logs[static_cast<std::size_t>(k)], points.u.col(j)); share > explained_scale)
        edges.push_back({j, k, 1.23 * share / (1 - std::min(share, 0.9)), false});
    }
  }
  std::stable_sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.gain > b.gain; });
  return edges;
}

/// Edges without circles, and the coordinates in an order in which drivers come first.
class Graph {
 public:
  explicit Graph(Index D) : reaches_(static_cast<std::size_t>(D * D), 0), D_(D) {}

  bool add(Index from, Index to) {
    if (reaches(to, from)) return false;
    for (Index a = 0; a < D_; ++a)
      for (Index b = 0; b < D_; ++b)
        if ((a == from || reaches(a, from)) && (b == to || reaches(to, b))) reaches_[static_cast<std::size_t>(a * D_ + b)] = 1;
    return true;
  }
  std::vector<Index> order() const {
    std::vector<Index> all(static_cast<std::size_t>(D_)), before(static_cast<std::size_t>(D_), 0);
    for (Index b = 0; b < D_; ++b) {
      all[static_cast<std::size_t>(b)] = b;
      for (Index a = 0; a < D_; ++a) before[static_cast<std::size_t>(b)] += reaches(a, b);
    }
    std::stable_sort(all.begin(), all.end(),
                     [&](Index a, Index b) { return before[static_cast<std::size_t>(a)] < before[static_cast<std::size_t>(b)]; });
    return all;
  }

 private:
  bool reaches(Index a, Index b) const { return reaches_[static_cast<std::size_t>(a * D_ + b)] != 0; }

  std::vector<char> reaches_;
  Index D_;
};

/// Minimizes the mean of s + r^2 exp(-2 s)/2 over s = `features` times coefficients, by damped Newton steps from `start`.
Vector fitted_scale(const Matrix& features, const Vector& residual, Vector coefficients) {
  const double n = static_cast<double>(features.rows());
  const auto cost = [&](const Vector& c) {
    const Vector s = features * c;
    return (s.array() + 0.5 * residual.array().square() * (-2 * s.array()).exp()).mean();
  };
  double now = cost(coefficients);
  for (int round = 0; round < fit_rounds; ++round) {
    const Vector ratio = residual.array().square() * (-2 * (features * coefficients).array()).exp();
    const Vector gradient = features.transpose() * (1 - ratio.array()).matrix() / n;
    Matrix curvature = 2 * features.transpose() * ratio.asDiagonal() * features / n;
    curvature.diagonal().array() += ridge;
    const Vector step = curvature.llt().solve(gradient);
    double length = 1;
    while (length > 1e-3 && !(cost(coefficients - length * step) < now)) length /= 2;
    if (length <= 1e-3) break;
    coefficients -= length * step;
    now = cost(coefficients);
  }
  return coefficients;
}

}  // namespace

ScaleMap fit_triangular_map(std::span<const double> values, std::size_t dimension) {
  const auto D = static_cast<Index>(dimension), N = static_cast<Index>(values.size() / dimension);
  Standardized points(Eigen::Map<const Matrix>(values.data(), D, N));
  Graph graph(D);
  std::vector<std::vector<Index>> squares(dimension), scales(dimension);
  for (const auto& edge : edges_of(points)) {
    auto& drivers = (edge.by_square ? squares : scales)[static_cast<std::size_t>(edge.to)];
    if (static_cast<Index>(drivers.size()) < drivers_at_most && graph.add(edge.from, edge.to)) drivers.push_back(edge.from);
  }
  const auto order = graph.order();

  ScaleMap map;
  bool any = false;
  map.center.assign(points.mean.data(), points.mean.data() + D);
  map.offset.assign(dimension, 0.0);
  map.slope.assign(dimension * dimension, 0.0);
  map.linear = map.square = map.slope;
  for (std::size_t place = 0; place < dimension; ++place) {
    const Index k = order[place];
    map.order.push_back(static_cast<double>(k));
    const auto& by_square = squares[static_cast<std::size_t>(k)];
    const auto& by_scale = scales[static_cast<std::size_t>(k)];
    if (by_square.empty() && by_scale.empty()) continue;
    any = true;
    const auto before = static_cast<Index>(place), quadratic = static_cast<Index>(by_square.size());
    Matrix of_place(N, 1 + before + quadratic), of_scale(N, 1 + static_cast<Index>(by_scale.size()));
    of_place.col(0).setOnes();
    of_scale.col(0).setOnes();
    for (Index i = 0; i < before; ++i) of_place.col(1 + i) = points.u.col(order[static_cast<std::size_t>(i)]);
    for (Index i = 0; i < quadratic; ++i)
      of_place.col(1 + before + i) = points.u.col(by_square[static_cast<std::size_t>(i)]).array().square();
    for (Index i = 0; i + 1 < of_scale.cols(); ++i) of_scale.col(1 + i) = points.u.col(by_scale[static_cast<std::size_t>(i)]);

    Vector in_place = Vector::Zero(of_place.cols()), in_scale = Vector::Zero(of_scale.cols());
    for (int round = 0; round < 4; ++round) {
      const Vector weight = (-2 * (of_scale * in_scale).array()).exp();
      Matrix normal = of_place.transpose() * weight.asDiagonal() * of_place;
      normal.diagonal().array() += ridge * static_cast<double>(N);
      const Eigen::LLT<Matrix> factor(normal);
      in_place = factor.solve(of_place.transpose() * (weight.asDiagonal() * points.u.col(k)));
      // What no more than chance speaks for would be wrong far outside.
      if (round > 0) {
        const Vector deviation = factor.solve(Matrix::Identity(normal.rows(), normal.rows())).diagonal().cwiseSqrt();
        const Vector kept = (in_place.array().abs() > significance * deviation.array()).cast<double>();
        if (kept.tail(kept.size() - 1).sum() < static_cast<double>(kept.size() - 1)) {
          for (Index i = 1; i < of_place.cols(); ++i)
            if (kept(i) == 0) of_place.col(i).setZero();
          normal = of_place.transpose() * weight.asDiagonal() * of_place;
          normal.diagonal().array() += ridge * static_cast<double>(N);
          in_place = normal.llt().solve(of_place.transpose() * (weight.asDiagonal() * points.u.col(k)));
        }
      }
      const Vector residual = points.u.col(k) - of_place * in_place;
      if (round == 0) in_scale(0) = 0.5 * std::log(residual.squaredNorm() / static_cast<double>(N) + 1e-300);
      in_scale = fitted_scale(of_scale, residual, in_scale);
    }
    // From units of deviations to those of x.
    const auto row = static_cast<std::size_t>(k) * dimension;
    const double unit = points.deviation(k);
    for (Index i = 0; i < before; ++i) {
      const auto j = order[static_cast<std::size_t>(i)];
      map.linear[row + static_cast<std::size_t>(j)] = in_place(1 + i) * unit / points.deviation(j);
    }
    for (Index i = 0; i < quadratic; ++i) {
      const auto j = by_square[static_cast<std::size_t>(i)];
      map.square[row + static_cast<std::size_t>(j)] = in_place(1 + before + i) * unit / (points.deviation(j) * points.deviation(j));
    }
    for (Index i = 0; i + 1 < of_scale.cols(); ++i) {
      const auto j = by_scale[static_cast<std::size_t>(i)];
      map.slope[row + static_cast<std::size_t>(j)] = std::clamp(in_scale(1 + i), -steepest, steepest) / points.deviation(j);
    }
    map.offset[static_cast<std::size_t>(k)] = in_scale(0) + std::log(unit);
    // Those that it drives are fitted around the same center.
    map.center[static_cast<std::size_t>(k)] += in_place(0) * unit;
    points.u.col(k).array() -= in_place(0);
  }
  return any ? map : ScaleMap();
}

}  // namespace boltzcurve
