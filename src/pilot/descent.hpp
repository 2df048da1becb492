#pragma once

#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/views.hpp>
#include "core/heartbeat.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <optional>
#include <utility>
#include <vector>

// Quasi-Newton descents to the modes of a target, for reference_law.cpp.
namespace boltzcurve::detail {

using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;

inline constexpr int evaluations_of_line = 40;
inline constexpr double sufficient = 1e-4, curvature_share = 0.9;  // Nocedal, Wright, Numerical Optimization, (3.6)
inline constexpr double converged = 1e-6;                          // nats that a step promises

/// The target at the columns of x [D][N].
struct Evaluator {
  const Energy& target;
  std::int64_t evaluations = 0;

  void operator()(const Matrix& x, Vector& f, Matrix& gradient) {
    const auto n = static_cast<std::size_t>(x.cols()), D = static_cast<std::size_t>(x.rows());
    const Points<double> points("boltzcurve::reference_position", n, D), results("boltzcurve::reference_energy", n, D + 1);
    const auto host = Kokkos::create_mirror_view(points);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < D; ++k) host(i, k) = x(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(i));
    Kokkos::deep_copy(points, host);
    target.evaluate(points, results, Wanted::gradient);
    const auto energy = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), results);
    f.resize(x.cols());
    gradient.resize(x.rows(), x.cols());
    for (std::size_t i = 0; i < n; ++i) {
      const auto column = static_cast<Eigen::Index>(i);
      bool finite = std::isfinite(energy(i, 0));
      for (std::size_t k = 0; k < D; ++k) {
        gradient(static_cast<Eigen::Index>(k), column) = energy(i, k + 1);
        finite = finite && std::isfinite(energy(i, k + 1));
      }
      f(column) = finite ? energy(i, 0) : std::numeric_limits<double>::infinity();
    }
    evaluations += x.cols();
    heartbeat();
  }
};

/// Where descents may be, and how long its sides are.
struct Box {
  Vector lower, upper, side;

  Box(const Energy& target, const std::optional<Domain>& given) {
    const auto D = static_cast<Eigen::Index>(target.dimension());
    const Domain domain = given ? *given : target.domain();
    lower = Vector::Constant(D, -std::numeric_limits<double>::infinity());
    upper = -lower;
    side = Vector::Constant(D, 4.0);
    for (Eigen::Index k = 0; k < D && k < static_cast<Eigen::Index>(domain.lower.size()); ++k) {
      lower(k) = domain.lower[static_cast<std::size_t>(k)];
      upper(k) = domain.upper[static_cast<std::size_t>(k)];
      if (std::isfinite(upper(k) - lower(k))) side(k) = upper(k) - lower(k);
    }
  }

  double start(Eigen::Index k, CounterRng& rng) const {
    const double u = rng.uniform(), z = rng.normal();
    if (std::isfinite(upper(k) - lower(k))) return lower(k) + (upper(k) - lower(k)) * u;
    if (std::isfinite(lower(k))) return lower(k) + 2 * std::fabs(z);
    return std::isfinite(upper(k)) ? upper(k) - 2 * std::fabs(z) : 2 * z;
  }

  bool holds(const Vector& x) const { return (x.array() >= lower.array()).all() && (x.array() <= upper.array()).all(); }
};

/// A point of a descent's path with the BFGS inverse Hessian there, and what that says of the mass nearby.
struct PathPoint {
  Vector x, gradient;
  Matrix inverse_hessian;
  double f = 0, log_mass = -std::numeric_limits<double>::infinity();
};

/// A descent by BFGS with a line search by bisection and doubling (Lewis, Overton 2013): asks for the target at trial() and goes on with
/// take().
class Descent {
 public:
  Descent(const Box& box, Vector x, double f, Vector gradient) : box_(box) {
    now_ = {std::move(x), std::move(gradient), box.side.array().square().matrix().asDiagonal(), f, 0};
    now_.inverse_hessian *= 1 / std::max(now_.gradient.dot(now_.inverse_hessian * now_.gradient), 1e-300);
    best_ = now_;
    best_.log_mass = -std::numeric_limits<double>::infinity();
    now_.inverse_hessian *= 0.05;  // the first trial goes a twentieth of the box
    now_.inverse_hessian *= std::sqrt(now_.gradient.cwiseProduct(box.side).squaredNorm());
    begin_line();
  }

  bool ended() const { return ended_; }
  Vector trial() const { return now_.x + length_ * direction_; }
  const PathPoint& best() const { return best_; }
  const PathPoint& end() const { return now_; }

  /// Goes on with another inverse Hessian.
  void restart(const Matrix& inverse_hessian) {
    now_.inverse_hessian = inverse_hessian;
    fresh_ = ended_ = false;
    begin_line();
  }

  void take(const Vector& x, double f, const Vector& gradient) {
    const double slope = now_.gradient.dot(direction_);
    const bool low = box_.holds(x) && f <= now_.f + sufficient * length_ * slope;
    if (!low)
      longest_ = length_;
    else if (gradient.dot(direction_) < curvature_share * slope)
      shortest_ = length_;
    if (++tries_ < evaluations_of_line && (!low || (shortest_ == length_ && tries_ < evaluations_of_line))) {
      length_ = std::isfinite(longest_) ? (shortest_ + longest_) / 2 : 2 * shortest_;
      return;
    }
    if (!low) {
      ended_ = true;
      return;
    }
    step_to(x, f, gradient);
    begin_line();
  }

 private:
  void begin_line() {
    direction_ = -(now_.inverse_hessian * now_.gradient);
    const double promised = -now_.gradient.dot(direction_);
    if (!(promised > converged) || !std::isfinite(promised)) ended_ = true;
    length_ = 1;
    shortest_ = 0;
    longest_ = std::numeric_limits<double>::infinity();
    tries_ = 0;
  }

  void step_to(const Vector& x, double f, const Vector& gradient) {
    const Vector s = x - now_.x, y = gradient - now_.gradient;
    const double along = s.dot(y);
    auto& H = now_.inverse_hessian;
    if (along > 0) {
      if (fresh_) {  // Nocedal, Wright (6.20), in units of the box
        H = box_.side.array().square().matrix().asDiagonal();
        H *= along / y.dot(H * y);
        fresh_ = false;
      }
      const Vector Hy = H * y;
      H.noalias() += ((along + y.dot(Hy)) / (along * along)) * s * s.transpose() - (Hy * s.transpose() + s * Hy.transpose()) / along;
      H = (H + H.transpose()).eval() / 2;
    }
    now_.x = x;
    now_.f = f;
    now_.gradient = gradient;
    const Eigen::LLT<Matrix> factor(H);
    if (factor.info() != Eigen::Success) {
      ended_ = true;
      return;
    }
    now_.log_mass = factor.matrixLLT().diagonal().array().log().sum() - f;
    if (!fresh_ && now_.log_mass > best_.log_mass) best_ = now_;
  }

  const Box& box_;
  PathPoint now_, best_;
  Vector direction_;
  double length_ = 1, shortest_ = 0, longest_ = 0;
  int tries_ = 0;
  bool fresh_ = true, ended_ = false;
};

}  // namespace boltzcurve::detail
