#include "pilot/mixture_fit.hpp"

#include <boltzcurve/counter_rng.hpp>
#include "core/heartbeat.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Dense>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

namespace boltzcurve {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

constexpr Eigen::Index fitted_points = 8192;  // and as many again to choose with
constexpr int rounds = 40;
constexpr double converged = 1e-4;     // nats a point and round
constexpr double worth_a_step = 0.01;  // nats a point, for which half as many components again are worth their price
constexpr Eigen::Index few_dimensions = 3, few_laws = 4;
constexpr Eigen::Index min_points = 10;  // of a component
constexpr double min_variance = 1e-10;   // of that of all points

struct Component {
  double weight;
  Vector mean;
  Matrix covariance;
};
using Components = std::vector<Component>;

/// log w_k N(x_i; ...) [K][N] of points [D][N].
Matrix log_terms(const Components& components, const Matrix& points) {
  Matrix terms(static_cast<Eigen::Index>(components.size()), points.cols());
  for (std::size_t k = 0; k < components.size(); ++k) {
    const auto& [weight, mean, covariance] = components[k];
    const Eigen::LLT<Matrix> factor(covariance);
    const Matrix centered = points.colwise() - mean, whitened = factor.matrixL().solve(centered);
    const double log_determinant = factor.matrixLLT().diagonal().array().log().sum();
    terms.row(static_cast<Eigen::Index>(k)) = (-0.5 * whitened.colwise().squaredNorm()).array() + std::log(weight) - log_determinant -
                                              0.5 * static_cast<double>(points.rows()) * std::log(2 * std::numbers::pi);
  }
  return terms;
}

/// log sum_k exp(terms) [N]; the terms become responsibilities.
Vector normalize(Matrix& terms) {
  Vector likelihood(terms.cols());
  for (Eigen::Index i = 0; i < terms.cols(); ++i) {
    const double most = terms.col(i).maxCoeff();
    terms.col(i) = (terms.col(i).array() - most).exp();
    const double sum = terms.col(i).sum();
    terms.col(i) /= sum;
    likelihood(i) = most + std::log(sum);
  }
  return likelihood;
}

/// Of the points with these responsibilities; none where they are too few.
std::optional<Component> component_of(const Matrix& points, const Vector& responsibility) {
  const double count = responsibility.sum(), D = static_cast<double>(points.rows());
  if (count < static_cast<double>(min_points)) return std::nullopt;
  Component component;
  component.weight = count / static_cast<double>(points.cols());
  component.mean = points * responsibility / count;
  const Matrix centered = points.colwise() - component.mean;
  component.covariance = centered * responsibility.asDiagonal() * centered.transpose() / count;
  const Vector diagonal = component.covariance.diagonal();
  component.covariance *= 1 - std::min(1.0, D / count);
  component.covariance.diagonal() = diagonal.array() + min_variance;
  return component;
}

/// A start: centers far from one another, and around each what is nearest to it.
Components start(const Matrix& points, Eigen::Index count, std::uint64_t seed) {
  CounterRng rng(seed, RandomStream::mixture_starts, static_cast<std::uint64_t>(count), 0);
  Vector distance = Vector::Constant(points.cols(), 1.0);
  Eigen::VectorXi nearest = Eigen::VectorXi::Zero(points.cols());
  for (int k = 0; k < count; ++k) {
    double place = rng.uniform() * distance.sum();
    Eigen::Index chosen = 0;
    while (chosen + 1 < points.cols() && (place -= distance(chosen)) > 0) ++chosen;
    const Vector to_center = (points.colwise() - points.col(chosen)).colwise().squaredNorm();
    for (Eigen::Index i = 0; i < points.cols(); ++i)
      if (k == 0 || to_center(i) < distance(i)) {
        distance(i) = to_center(i);
        nearest(i) = k;
      }
  }
  Components components;
  for (int k = 0; k < count; ++k)
    if (auto component = component_of(points, (nearest.array() == k).cast<double>())) components.push_back(std::move(*component));
  return components;
}

Components fit(const Matrix& points, Eigen::Index count, std::uint64_t seed) {
  auto components = start(points, count, seed);
  double before = -std::numeric_limits<double>::infinity();
  for (int round = 0; round < rounds && !components.empty(); ++round) {
    heartbeat();
    Matrix responsibilities = log_terms(components, points);
    const double likelihood = normalize(responsibilities).mean();
    components.clear();
    for (Eigen::Index k = 0; k < responsibilities.rows(); ++k)
      if (auto component = component_of(points, responsibilities.row(k))) components.push_back(std::move(*component));
    if (likelihood - before < converged) break;
    before = likelihood;
  }
  double sum = 0;
  for (const auto& component : components) sum += component.weight;
  for (auto& component : components) component.weight /= sum;
  return components;
}

}  // namespace

MixtureFit fit_normal_mixture(std::span<const double> points, std::size_t dimension, std::uint64_t seed) {
  const auto D = static_cast<Eigen::Index>(dimension), N = static_cast<Eigen::Index>(points.size() / dimension);
  const Eigen::Map<const Matrix> all(points.data(), D, N);
  // Every other point, since neighbors may have come from one ancestor.
  const Eigen::Index half = std::min(fitted_points, N / 2), stride = N / (2 * half);
  Matrix fitted(D, half), held_out(D, half);
  for (Eigen::Index i = 0; i < half; ++i) {
    fitted.col(i) = all.col(2 * i * stride);
    held_out.col(i) = all.col((2 * i + 1) * stride);
  }

  const auto likelihood_of = [&](const Components& components) {
    auto terms = log_terms(components, held_out);
    return normalize(terms);
  };
  Components best = fit(fitted, 1, seed);
  Vector best_likelihood = likelihood_of(best);
  int failures = 0;
  const int give_up = D <= few_dimensions ? 6 : 2;  // modes on a grid show when there is one for each
  for (Eigen::Index count = 2; count <= static_cast<Eigen::Index>(max_mixture_components) && failures < give_up;
       count = std::max(count + 1, count % 3 == 0 ? count / 3 * 4 : count / 2 * 3)) {
    if (count * std::max(min_points, D) > half) break;
    // A few laws depend on where they start: the best of several starts.
    Components more;
    double most = -std::numeric_limits<double>::infinity();
    for (std::uint64_t trial = 0; trial < (count <= few_laws ? 4U : 1U); ++trial) {
      auto other = fit(fitted, count, seed + trial);
      if (other.empty()) continue;
      if (const double likelihood = likelihood_of(other).mean(); likelihood > most) {
        most = likelihood;
        more = std::move(other);
      }
    }
    if (more.empty()) break;
    const Vector gain = likelihood_of(more) - best_likelihood;
    const double mean = gain.mean(), error = std::sqrt((gain.array() - mean).square().sum()) / static_cast<double>(half);
    if (mean > std::max(worth_a_step, 3 * error)) {
      best = std::move(more);
      best_likelihood += gain;
      failures = 0;
    } else {
      ++failures;
    }
  }

  NormalMixture mixture;
  for (const auto& component : best) {
    const Eigen::SelfAdjointEigenSolver<Matrix> axes(component.covariance);
    mixture.weight.push_back(component.weight);
    for (Eigen::Index j = 0; j < D; ++j) {
      mixture.mean.push_back(component.mean(j));
      mixture.variance.push_back(std::max(axes.eigenvalues()(j), min_variance));
      for (Eigen::Index i = 0; i < D; ++i) mixture.axes.push_back(axes.eigenvectors()(i, j));
    }
  }
  return {std::move(mixture), best_likelihood.mean()};
}

}  // namespace boltzcurve
