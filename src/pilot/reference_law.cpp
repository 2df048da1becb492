#include "pilot/reference_law.hpp"
#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/error.hpp>
#include <boltzcurve/views.hpp>
#include "core/heartbeat.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>
#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

namespace boltzcurve {
namespace {

using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;

constexpr std::size_t candidates = 2048;   // of which the first with a finite energy are starts
constexpr std::size_t most_descents = 32;  // fewer where D^2 numbers for each of them would be many
constexpr int evaluations_of_descent = 400;
constexpr int evaluations_of_line = 40;
constexpr double sufficient = 1e-4, curvature_share = 0.9;  // Nocedal, Wright, Numerical Optimization, (3.6)
constexpr double converged = 1e-6;                          // nats that a step promises
constexpr double difference_step = 0.05;                    // deviations
constexpr int restarts = 4;                                 // of a descent, with the inverse Hessian from differences
constexpr double far_from_end = 0.1;                        // nats that a Newton step promises
constexpr double hopeless = 30;                             // nats, and one for every dimension

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

/// What a point of a path says of the target: place, H^-1 and log mass.
struct LocalNormal {
  Vector mean;
  Matrix covariance;
  double log_mass = -std::numeric_limits<double>::infinity();
};

LocalNormal local_normal(Evaluator& target, const PathPoint& point, const Vector& longest) {
  const auto D = point.x.size();
  Eigen::LLT<Matrix> of_inverse(point.inverse_hessian);
  Matrix C = of_inverse.matrixL();
  if (of_inverse.info() != Eigen::Success || !C.allFinite()) C = longest.asDiagonal();
  Matrix x(D, 2 * D);
  for (Eigen::Index k = 0; k < D; ++k) {
    // A direction that the descent has not seen may look longer than all that there is.
    C.col(k) /= std::max(1.0, C.col(k).cwiseQuotient(longest).cwiseAbs().maxCoeff());
    x.col(2 * k) = point.x + difference_step * C.col(k);
    x.col(2 * k + 1) = point.x - difference_step * C.col(k);
  }
  Vector f;
  Matrix gradient;
  target(x, f, gradient);
  Matrix A(D, D);  // the Hessian where C is the identity
  for (Eigen::Index k = 0; k < D; ++k) {
    const bool ahead = std::isfinite(f(2 * k)), behind = std::isfinite(f(2 * k + 1));
    if (ahead && behind)
      A.col(k) = C.transpose() * (gradient.col(2 * k) - gradient.col(2 * k + 1)) / (2 * difference_step);
    else if (ahead)
      A.col(k) = C.transpose() * (gradient.col(2 * k) - point.gradient) / difference_step;
    else if (behind)
      A.col(k) = C.transpose() * (point.gradient - gradient.col(2 * k + 1)) / difference_step;
    else
      A.col(k) = Vector::Unit(D, k);
  }
  LocalNormal local;
  local.mean = point.x;
  const Eigen::SelfAdjointEigenSolver<Matrix> modes((A + A.transpose()) / 2);
  if (modes.info() != Eigen::Success || !A.allFinite()) return local;
  Matrix axes = C * modes.eigenvectors();
  double log_det = C.diagonal().array().abs().log().sum();
  for (Eigen::Index k = 0; k < D; ++k) {
    const double length = axes.col(k).cwiseQuotient(longest).cwiseAbs().maxCoeff();  // of a deviation of 1, in the longest ones
    const double deviation = 1 / std::sqrt(std::max(std::fabs(modes.eigenvalues()(k)), std::max(length * length, 1e-300)));
    axes.col(k) *= deviation;
    log_det += std::log(deviation);
  }
  local.covariance = axes * axes.transpose();
  local.log_mass = log_det - point.f;
  return local;
}

/// Without a mean where no start has a finite energy.
ReferenceLaw find_here(const Energy& target, const ReferenceSettings& settings) {
  const auto D = static_cast<Eigen::Index>(target.dimension());
  const Box box(target, settings.box);
  Evaluator evaluate{target};
  Matrix x(D, static_cast<Eigen::Index>(candidates));
  for (std::size_t i = 0; i < candidates; ++i) {
    CounterRng rng(settings.seed, RandomStream::population_starts, 0, i);
    for (Eigen::Index k = 0; k < D; ++k) x(k, static_cast<Eigen::Index>(i)) = box.start(k, rng);
  }
  Vector f;
  Matrix gradient;
  evaluate(x, f, gradient);
  const auto numbers_for_all = std::size_t{1} << 25;
  const auto wanted = std::clamp<std::size_t>(numbers_for_all / static_cast<std::size_t>(3 * D * D), 4, most_descents);
  std::vector<Descent> descents;
  descents.reserve(wanted);
  for (Eigen::Index i = 0; i < x.cols() && descents.size() < wanted; ++i)
    if (std::isfinite(f(i))) descents.emplace_back(box, x.col(i), f(i), gradient.col(i));
  if (descents.empty()) return {};

  const auto descend = [&] {
    for (int round = 0; round < evaluations_of_descent; ++round) {
      std::vector<Descent*> going;
      for (auto& descent : descents)
        if (!descent.ended()) going.push_back(&descent);
      if (going.empty()) break;
      x.resize(D, static_cast<Eigen::Index>(going.size()));
      for (std::size_t i = 0; i < going.size(); ++i) x.col(static_cast<Eigen::Index>(i)) = going[i]->trial();
      evaluate(x, f, gradient);
      for (std::size_t i = 0; i < going.size(); ++i) {
        const auto column = static_cast<Eigen::Index>(i);
        going[i]->take(x.col(column), f(column), gradient.col(column));
      }
    }
  };
  const auto longest = [&] {
    Vector of = box.side / 2;
    for (Eigen::Index k = 0; k < D; ++k)
      if (!std::isfinite(box.upper(k) - box.lower(k)))
        for (const auto& descent : descents) of(k) = std::max(of(k), 10 + 2 * std::fabs(descent.end().x(k)));
    return of;
  };
  std::vector<LocalNormal> ends(descents.size());
  std::vector<char> arrived(descents.size(), 0);
  const auto keep = [](LocalNormal& best, LocalNormal found) {
    if (found.log_mass > best.log_mass) best = std::move(found);
  };
  descend();
  for (int pass = 0; pass <= restarts; ++pass) {
    // What a descent believes of directions in which the target is wide may be wrong by orders of magnitude; differences tell.
    bool any = false;
    for (std::size_t i = 0; i < descents.size(); ++i) {
      if (arrived[i]) continue;
      auto end = local_normal(evaluate, descents[i].end(), longest());
      const auto& slope = descents[i].end().gradient;
      arrived[i] = !(end.log_mass > -std::numeric_limits<double>::infinity()) || slope.dot(end.covariance * slope) < far_from_end;
      if (!arrived[i] && pass < restarts) {
        descents[i].restart(end.covariance);
        any = true;
      }
      keep(ends[i], std::move(end));
    }
    if (!any) break;
    descend();
  }
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < descents.size(); ++i) {
    keep(ends[i], local_normal(evaluate, descents[i].best(), longest()));
    largest = std::max(largest, ends[i].log_mass);
  }
  std::erase_if(ends, [](const LocalNormal& end) { return !std::isfinite(end.log_mass); });
  std::erase_if(ends, [&](const LocalNormal& end) { return end.log_mass < largest - hopeless - static_cast<double>(D); });

  ReferenceLaw law;
  Vector mean = Vector::Zero(D);
  Matrix covariance = Matrix::Zero(D, D);
  if (ends.empty()) {  // no descent got anywhere: the box itself
    for (const auto& descent : descents) mean += descent.end().x / static_cast<double>(descents.size());
    covariance = longest().array().square().matrix().asDiagonal();
  }
  for (const auto& end : ends) mean += end.mean / static_cast<double>(ends.size());
  for (const auto& end : ends)
    covariance += (end.covariance + (end.mean - mean) * (end.mean - mean).transpose()) / static_cast<double>(ends.size());
  covariance *= settings.widening * settings.widening;
  // In units of the deviations, so that what rounding leaves without an inverse is mended in all directions alike.
  const Vector deviation = covariance.diagonal().cwiseSqrt();
  Matrix correlation = covariance.cwiseQuotient(deviation * deviation.transpose());
  Eigen::LLT<Matrix> factor(correlation);
  for (double mend = 1e-14; factor.info() != Eigen::Success; mend *= 10) factor.compute(correlation + mend * Matrix::Identity(D, D));
  const Matrix L = deviation.asDiagonal() * Matrix(factor.matrixL());
  law.mean.assign(mean.data(), mean.data() + D);
  law.factor.resize(static_cast<std::size_t>(D * D));
  for (Eigen::Index k = 0; k < D; ++k)
    for (Eigen::Index l = 0; l < D; ++l) law.factor[static_cast<std::size_t>(k * D + l)] = L(k, l);
  law.evaluations = evaluate.evaluations;
  law.ends = static_cast<int>(ends.size());
  return law;
}

}  // namespace

double ReferenceLaw::log_normalizer() const {
  const std::size_t D = mean.size();
  double sum = 0.5 * static_cast<double>(D) * std::log(2 * std::numbers::pi);
  for (std::size_t k = 0; k < D; ++k) sum += std::log(factor[k * D + k]);
  return sum;
}

ReferenceLaw find_reference_law(const Communicator& ranks, const Energy& target, const ReferenceSettings& settings) {
  ReferenceLaw law;
  on_root(ranks, [&] { law = find_here(target, settings); });
  if (ranks.max(static_cast<double>(law.mean.size())) == 0) {
    const Box box(target, settings.box);
    throw InputError(
        fmt::format("the target's energy is finite at none of {} points of the box [{:.6g}, {:.6g}] x ...: choose a box "
                    "that holds the target's mass",
                    candidates, box.lower(0), box.upper(0)));
  }
  const auto D = static_cast<std::size_t>(target.dimension());
  law.mean.resize(D);
  law.factor.resize(D * D);
  std::int64_t counts[] = {law.evaluations, law.ends};
  ranks.broadcast(law.mean);
  ranks.broadcast(law.factor);
  ranks.broadcast(counts);
  law.evaluations = counts[0];
  law.ends = static_cast<int>(counts[1]);
  return law;
}

}  // namespace boltzcurve
