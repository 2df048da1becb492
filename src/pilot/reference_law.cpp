#include "pilot/reference_law.hpp"
#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/error.hpp>
#include <boltzcurve/views.hpp>
#include "core/heartbeat.hpp"
#include "pilot/descent.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include <fmt/format.h>
#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

namespace boltzcurve {
namespace {

using namespace detail;

constexpr std::size_t candidates = 2048;    // of which the first with a finite energy are starts
constexpr std::size_t most_descents = 128;  // of a wave; fewer where D^2 numbers for each of them would be many
constexpr std::size_t draws_of_law = 64;    // of the broad law, to descend from
constexpr std::size_t neighbors = 8;        // that a candidate has to lie below
constexpr std::size_t most_modes = 64;
constexpr double modes_share = 0.5, alike_share = 0.5;  // of the modes in the law, of what they share alike in that
constexpr double negligible = 10;                       // nats of mass below the best mode
constexpr double same_place = 4;                        // squared deviations between ends of one mode
constexpr int shortenings = 6;
constexpr double bent = 3;  // nats of mass that shortened axes cost: then a normal law says little of the mode
constexpr std::size_t search_chunk = 1 << 14, most_searched = 1 << 18, most_surprises = 16;  // draws among which to look for modes
constexpr std::uint64_t first_searched = std::uint64_t{1} << 20;
constexpr double surprising = 1e-5;  // nats above what the modes explain
constexpr int evaluations_of_descent = 400;
constexpr double difference_step = 0.05;  // deviations
constexpr int restarts = 4;               // of a descent, with the inverse Hessian from differences
constexpr double far_from_end = 0.1;      // nats that a Newton step promises
constexpr double hopeless = 30;           // nats, and one for every dimension

/// What a point of a path says of the target: place, H^-1 and log mass.
struct LocalNormal {
  Vector mean;
  Matrix covariance, axes;    ///< covariance = axes axes^T
  double f = 0, log_det = 0;  ///< log det of the axes
  double log_mass = -std::numeric_limits<double>::infinity();
  bool minimum = false;  ///< of f: others, such as points along a ridge or a neck, are no modes
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
  local.axes = std::move(axes);
  local.f = point.f;
  local.log_det = log_det;
  local.log_mass = log_det - point.f;
  local.minimum = modes.eigenvalues()(0) > 0 && point.gradient.dot(local.covariance * point.gradient) < 2 * far_from_end;
  return local;
}

/// A lower triangle L with L L^T = covariance.
Matrix triangle_of(const Matrix& covariance) {
  // In units of the deviations, so that what rounding leaves without an inverse is mended in all directions alike.
  const auto D = covariance.rows();
  const Vector deviation = covariance.diagonal().cwiseSqrt();
  const Matrix correlation = covariance.cwiseQuotient(deviation * deviation.transpose());
  Eigen::LLT<Matrix> factor(correlation);
  for (double mend = 1e-14; factor.info() != Eigen::Success; mend *= 10) factor.compute(correlation + mend * Matrix::Identity(D, D));
  return deviation.asDiagonal() * Matrix(factor.matrixL());
}

void append(std::vector<double>& to, const Vector& from) { to.insert(to.end(), from.data(), from.data() + from.size()); }
void append_rows(std::vector<double>& to, const Matrix& L) {
  for (Eigen::Index k = 0; k < L.rows(); ++k)
    for (Eigen::Index l = 0; l < L.cols(); ++l) to.push_back(L(k, l));
}

/// Candidates, the columns of x, in the order in which they are to be starts: those with the lowest energy of their neighborhood first.
/// Distances are in sides of the box.
std::vector<Eigen::Index> promising_first(const Matrix& x, const Vector& f, const Vector& side) {
  std::vector<Eigen::Index> finite, low, rest;
  for (Eigen::Index i = 0; i < x.cols(); ++i)
    if (std::isfinite(f(i))) finite.push_back(i);
  Matrix y(x.rows(), static_cast<Eigen::Index>(finite.size()));
  for (std::size_t i = 0; i < finite.size(); ++i) y.col(static_cast<Eigen::Index>(i)) = x.col(finite[i]).cwiseQuotient(side);
  for (std::size_t i = 0; i < finite.size(); ++i) {
    std::vector<std::pair<double, Eigen::Index>> near;  // the nearest so far, the farthest of them first
    for (std::size_t j = 0; j < finite.size(); ++j) {
      if (j == i) continue;
      double distance = 0;
      const double most = near.size() < neighbors ? std::numeric_limits<double>::infinity() : near.front().first;
      for (Eigen::Index k = 0; k < y.rows() && distance < most; ++k) {
        const double apart = y(k, static_cast<Eigen::Index>(i)) - y(k, static_cast<Eigen::Index>(j));
        distance += apart * apart;
      }
      if (!(distance < most)) continue;
      if (near.size() == neighbors) {
        std::pop_heap(near.begin(), near.end());
        near.pop_back();
      }
      near.emplace_back(distance, finite[j]);
      std::push_heap(near.begin(), near.end());
    }
    const bool lowest = std::all_of(near.begin(), near.end(), [&](const auto& of) { return f(finite[i]) <= f(of.second); });
    (lowest ? low : rest).push_back(finite[i]);
  }
  low.insert(low.end(), rest.begin(), rest.end());
  return low;
}

}  // namespace

struct Exploration::State {
  /// Ends that are the same.
  struct Mode {
    LocalNormal normal;
    int hits = 1;
    Matrix axes{};  ///< shortened; none before
    double log_mass = 0;
  };

  /// f near a mode: f(m) + (x - m)^T H (x - m) / 2.
  struct Parabola {
    Vector mean;
    double f;
    Eigen::LLT<Matrix> covariance;

    explicit Parabola(const LocalNormal& normal) : mean(normal.mean), f(normal.f), covariance(normal.covariance) {}
  };

  /// -log(exp(-f) - exp(-f_modes)) with f_modes = -log sum_c exp(-parabola of mode c); infinite where the modes explain the target.
  struct Remainder {
    Evaluator& target;
    std::vector<Parabola> parabolas;

    double energy_of_modes(const Vector& x, Vector* gradient) const {
      Vector energy(static_cast<Eigen::Index>(parabolas.size()));
      for (Eigen::Index c = 0; c < energy.size(); ++c) {
        const auto& of = parabolas[static_cast<std::size_t>(c)];
        energy(c) = of.f + 0.5 * of.covariance.matrixL().solve(x - of.mean).squaredNorm();
      }
      const double lowest = energy.minCoeff(), all = lowest - std::log((lowest - energy.array()).exp().sum());
      if (gradient) {
        gradient->setZero(x.size());
        for (Eigen::Index c = 0; c < energy.size(); ++c) {
          const auto& of = parabolas[static_cast<std::size_t>(c)];
          const double share = std::exp(all - energy(c));
          if (share > 1e-300) *gradient += share * of.covariance.solve(x - of.mean);
        }
      }
      return all;
    }

    void operator()(const Matrix& x, Vector& f, Matrix& gradient) const {
      target(x, f, gradient);
      for (Eigen::Index i = 0; i < x.cols(); ++i) {
        if (!std::isfinite(f(i))) continue;
        Vector slope;
        const double surprise = energy_of_modes(x.col(i), &slope) - f(i), share = std::exp(-surprise);
        if (!(surprise > surprising / 100)) {
          f(i) = std::numeric_limits<double>::infinity();
          continue;
        }
        const double rest = -std::expm1(-surprise);
        f(i) -= std::log(rest);
        gradient.col(i) = (gradient.col(i) - share * slope) / rest;
      }
    }
  };

  State(const Energy& target, const ReferenceSettings& of)
      : D(static_cast<Eigen::Index>(target.dimension())), settings(of), box(target, of.box), evaluate{target} {}

  /// False where no start has a finite energy.
  bool begin() {
    Matrix x(D, static_cast<Eigen::Index>(candidates));
    for (std::size_t i = 0; i < candidates; ++i) {
      CounterRng rng(settings.seed, RandomStream::population_starts, 0, i);
      for (Eigen::Index k = 0; k < D; ++k) x(k, static_cast<Eigen::Index>(i)) = box.start(k, rng);
    }
    Vector f;
    Matrix gradient;
    evaluate(x, f, gradient);
    const auto order = promising_first(x, f, box.side);
    if (order.empty()) return false;
    const auto wanted = std::min(wave(), order.size());
    Matrix starts(D, static_cast<Eigen::Index>(wanted));
    for (std::size_t i = 0; i < wanted; ++i) starts.col(static_cast<Eigen::Index>(i)) = x.col(order[i]);
    descend(starts);
    if (!settings.starts.empty()) descend_from(settings.starts);
    const auto broad = law().broad();
    std::vector<double> draws;
    const auto size = static_cast<std::size_t>(D);
    for (std::size_t i = 0; i < draws_of_law; ++i) {
      CounterRng rng(settings.seed, RandomStream::population_starts, 0, candidates + i);
      std::vector<double> z(size);
      for (auto& of : z) of = rng.normal();
      for (std::size_t k = 0; k < size; ++k) {
        double sum = broad.mean[k];
        for (std::size_t l = 0; l <= k; ++l) sum += broad.factor[k * size + l] * z[l];
        draws.push_back(sum);
      }
    }
    descend_from(draws);
    search();
    return true;
  }

  /// As many as memory for D^2 numbers of each allows.
  std::size_t wave() const {
    const auto numbers_for_all = std::size_t{1} << 25;
    return std::clamp<std::size_t>(numbers_for_all / static_cast<std::size_t>(3 * D * D), 4, most_descents);
  }

  void descend_from(std::span<const double> points) {
    const auto size = static_cast<std::size_t>(D), most = wave();
    for (std::size_t first = 0; first < points.size(); first += most * size) {
      const auto part = points.subspan(first, std::min(most * size, points.size() - first));
      descend(Eigen::Map<const Matrix>(part.data(), D, static_cast<Eigen::Index>(part.size() / size)));
    }
  }

  /// In lockstep, where at(x, f, gradient) evaluates the columns of x.
  template <class Evaluate>
  void run(std::vector<Descent>& descents, Evaluate& at) const {
    Matrix x, gradient;
    Vector f;
    for (int round = 0; round < evaluations_of_descent; ++round) {
      std::vector<Descent*> going;
      for (auto& descent : descents)
        if (!descent.ended()) going.push_back(&descent);
      if (going.empty()) break;
      x.resize(D, static_cast<Eigen::Index>(going.size()));
      for (std::size_t i = 0; i < going.size(); ++i) x.col(static_cast<Eigen::Index>(i)) = going[i]->trial();
      at(x, f, gradient);
      for (std::size_t i = 0; i < going.size(); ++i) {
        const auto column = static_cast<Eigen::Index>(i);
        going[i]->take(x.col(column), f(column), gradient.col(column));
      }
    }
  }

  /// Looks for what the known modes' parabolas do not explain of the target: the remainder rho = exp(-f) - sum_c exp(-parabola of mode c).
  /// Where a target is a sum of modes that are nearly normal, descents of -log rho find a narrow one from further away than descents of f
  /// do, and a look at rho tells where to begin; elsewhere rho is everywhere, and the search ends with the first draws that bring no mode.
  void search() {
    const Vector middle = box.holds(Vector::Zero(D)) ? Vector(Vector::Zero(D)) : Vector(0.5 * (box.lower + box.upper));
    if (!middle.allFinite()) return;
    std::size_t drawn = 0;
    for (;;) {
      const auto modes_now = known();
      if (modes_now.empty()) return;
      Remainder remainder{evaluate, {}};
      double spread = 0;
      for (auto* mode : modes_now) {
        polish(mode->normal);
        remainder.parabolas.emplace_back(mode->normal);
        spread += ((mode->normal.mean - middle).squaredNorm() + mode->normal.covariance.trace()) /
                  static_cast<double>(D * static_cast<Eigen::Index>(modes_now.size()));
      }
      if (drawn >= (modes_now.size() == 1 ? search_chunk : most_searched)) return;
      Matrix x(D, static_cast<Eigen::Index>(search_chunk)), gradient;
      for (std::size_t i = 0; i < search_chunk; ++i) {
        CounterRng rng(settings.seed, RandomStream::population_starts, 0, first_searched + drawn + i);
        for (Eigen::Index k = 0; k < D; ++k) x(k, static_cast<Eigen::Index>(i)) = middle(k) + std::sqrt(spread) * rng.normal();
      }
      drawn += search_chunk;
      Vector f;
      evaluate(x, f, gradient);
      std::vector<std::pair<double, Eigen::Index>> surprises;
      for (Eigen::Index i = 0; i < x.cols(); ++i) {
        if (!std::isfinite(f(i)) || !box.holds(x.col(i))) continue;
        const double surprise = remainder.energy_of_modes(x.col(i), nullptr) - f(i);
        if (surprise > surprising) surprises.emplace_back(-surprise, i);
      }
      const bool everywhere = surprises.size() > search_chunk / 8;
      std::sort(surprises.begin(), surprises.end());
      surprises.resize(std::min(surprises.size(), most_surprises));
      Matrix starts(D, static_cast<Eigen::Index>(surprises.size()));
      for (std::size_t i = 0; i < surprises.size(); ++i) starts.col(static_cast<Eigen::Index>(i)) = x.col(surprises[i].second);
      if (starts.cols() > 0) {
        remainder(starts, f, gradient);
        std::vector<Descent> descents;
        descents.reserve(surprises.size());
        for (Eigen::Index i = 0; i < starts.cols(); ++i)
          if (std::isfinite(f(i))) descents.emplace_back(box, starts.col(i), f(i), gradient.col(i));
        run(descents, remainder);
        starts.resize(D, static_cast<Eigen::Index>(descents.size()));
        for (std::size_t i = 0; i < descents.size(); ++i) starts.col(static_cast<Eigen::Index>(i)) = descents[i].end().x;
        descend(starts);
      }
      if (everywhere && known().size() <= modes_now.size()) return;
    }
  }

  /// From the columns of `starts` that lie in the box and have a finite energy.
  void descend(const Matrix& starts) {
    Matrix x = starts, gradient;
    Vector f;
    evaluate(x, f, gradient);
    std::vector<Descent> descents;
    descents.reserve(static_cast<std::size_t>(x.cols()));
    for (Eigen::Index i = 0; i < x.cols(); ++i)
      if (std::isfinite(f(i)) && box.holds(x.col(i))) descents.emplace_back(box, x.col(i), f(i), gradient.col(i));
    const auto go = [&] { run(descents, evaluate); };
    const auto longest = [&] {
      Vector of = box.side / 2;
      for (Eigen::Index k = 0; k < D; ++k)
        if (!std::isfinite(box.upper(k) - box.lower(k)))
          for (const auto& descent : descents) of(k) = std::max(of(k), 10 + 2 * std::fabs(descent.end().x(k)));
      return of;
    };
    std::vector<LocalNormal> found(descents.size());
    std::vector<char> arrived(descents.size(), 0);
    const auto keep = [](LocalNormal& best, LocalNormal other) {
      if (other.log_mass > best.log_mass) best = std::move(other);
    };
    go();
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
        keep(found[i], std::move(end));
      }
      if (!any) break;
      go();
    }
    if (!descents.empty()) last.setZero();
    for (std::size_t i = 0; i < descents.size(); ++i) {
      keep(found[i], local_normal(evaluate, descents[i].best(), longest()));
      add(std::move(found[i]));
      last += descents[i].end().x / static_cast<double>(descents.size());
    }
    if (!descents.empty()) farthest = longest();
  }

  /// A Newton step, and the Hessian where that ends; kept where f falls.
  void polish(LocalNormal& normal) {
    Matrix x(D, 1), gradient;
    x.col(0) = normal.mean;
    Vector f;
    evaluate(x, f, gradient);
    PathPoint point;
    point.inverse_hessian = normal.covariance;
    point.x = normal.mean - normal.covariance * gradient.col(0);
    x.col(0) = point.x;
    const double before = f(0);
    evaluate(x, f, gradient);
    if (!(f(0) <= before) || !box.holds(point.x)) return;
    point.f = f(0);
    point.gradient = gradient.col(0);
    auto better = local_normal(evaluate, point, farthest);
    if (std::isfinite(better.log_mass)) normal = std::move(better);
  }

  void add(LocalNormal end) {
    if (!std::isfinite(end.log_mass)) return;
    largest = std::max(largest, end.log_mass);
    ends.push_back(end);
    if (!end.minimum) return;
    heaviest = std::max(heaviest, end.log_mass);
    const Eigen::LLT<Matrix> own(end.covariance);
    auto found = std::find_if(modes.begin(), modes.end(), [&](const Mode& mode) {
      if (std::fabs(mode.normal.log_det - end.log_det) > static_cast<double>(D) * std::numbers::ln2) return false;
      const Vector apart = mode.normal.mean - end.mean;
      return apart.dot(own.solve(apart)) < same_place && apart.dot(mode.normal.covariance.llt().solve(apart)) < same_place;
    });
    if (found == modes.end()) {
      modes.push_back({std::move(end), 1, {}, 0});
    } else {
      ++found->hits;
      if (end.log_mass > found->normal.log_mass && found->axes.size() == 0) found->normal = std::move(end);
    }
  }

  /// The modes that are components, the heaviest first.
  std::vector<Mode*> known() {
    std::vector<Mode*> count;
    int hits = 0, once = 0;
    for (auto& mode : modes) {
      if (mode.normal.log_mass < heaviest - negligible) continue;
      count.push_back(&mode);
      hits += mode.hits;
      once += mode.hits == 1;
    }
    if (2 * once > hits) return {};  // the share of the mass that no descent has met (Good 1953)
    std::stable_sort(count.begin(), count.end(), [](const Mode* a, const Mode* b) { return a->normal.log_mass > b->normal.log_mass; });
    if (count.size() > most_modes) count.resize(most_modes);
    return count;
  }

  /// Axes at whose ends f rises by more than a normal law's 1/2: a quarter of what they are too long by, as for a quartic.
  void shorten(std::vector<Mode*> of) {
    std::erase_if(of, [](const Mode* mode) { return mode->axes.size() > 0; });
    for (auto* mode : of) {
      mode->axes = mode->normal.axes;
      mode->log_mass = mode->normal.log_mass;
    }
    for (int round = 0; round < shortenings && !of.empty(); ++round) {
      Matrix x(D, 2 * D * static_cast<Eigen::Index>(of.size())), gradient;
      Eigen::Index column = 0;
      for (const auto* mode : of)
        for (Eigen::Index k = 0; k < D; ++k)
          for (const double sign : {1.0, -1.0}) x.col(column++) = mode->normal.mean + sign * mode->axes.col(k);
      Vector f;
      evaluate(x, f, gradient);
      column = 0;
      bool any = false;
      for (auto* mode : of) {
        for (Eigen::Index k = 0; k < D; ++k, column += 2) {
          const double rise = std::max(f(column), f(column + 1)) - mode->normal.f;
          if (!(rise > 1)) continue;
          any = true;
          const double factor = std::max(0.1, std::pow(0.5 / rise, 0.25));
          mode->axes.col(k) *= factor;
          mode->log_mass += std::log(factor);
        }
      }
      if (!any) break;
    }
  }

  ReferenceLaw law() {
    ReferenceLaw law;
    Vector mean = Vector::Zero(D);
    Matrix covariance = Matrix::Zero(D, D);
    std::vector<const LocalNormal*> count;
    for (const auto& end : ends)
      if (end.log_mass >= largest - hopeless - static_cast<double>(D)) count.push_back(&end);
    const double n = static_cast<double>(count.size());
    if (count.empty()) {  // no descent got anywhere: the box itself
      mean = last;
      covariance = farthest.array().square().matrix().asDiagonal();
    }
    for (const auto* end : count) mean += end->mean / n;
    for (const auto* end : count) covariance += (end->covariance + (end->mean - mean) * (end->mean - mean).transpose()) / n;
    append(law.mean, mean);
    append_rows(law.factor, settings.widening * triangle_of(covariance));
    law.ends = static_cast<int>(count.size());

    auto components = known();
    shorten(components);
    std::erase_if(components, [](const Mode* mode) { return mode->log_mass < mode->normal.log_mass - bent; });
    double total = 0, best = -std::numeric_limits<double>::infinity();
    for (const auto* mode : components) best = std::max(best, mode->log_mass);
    for (const auto* mode : components) total += std::exp(mode->log_mass - best);
    const double wider = std::sqrt(1 + 1 / std::sqrt(static_cast<double>(D)));
    for (const auto* mode : components) {
      const double share = std::exp(mode->log_mass - best) / total, alike = 1 / static_cast<double>(components.size());
      law.weight.push_back(modes_share * ((1 - alike_share) * share + alike_share * alike));
      append(law.means, mode->normal.mean);
      append_rows(law.factors, wider * triangle_of(mode->axes * mode->axes.transpose()));
    }
    law.evaluations = evaluate.evaluations;
    return law;
  }

  Eigen::Index D;
  ReferenceSettings settings;
  Box box;
  Evaluator evaluate;
  std::vector<LocalNormal> ends;
  std::vector<Mode> modes;
  double largest = -std::numeric_limits<double>::infinity(), heaviest = largest;  ///< log mass of an end, of a mode
  Vector last = Vector::Zero(D), farthest = box.side / 2;                         ///< mean of the ends, longest deviations
};

std::vector<double> ReferenceLaw::log_weights() const {
  const std::size_t D = mean.size();
  double rest = 1;
  for (const double w : weight) rest -= w;
  std::vector<double> values = {std::log(rest) - log_normalizer()};
  for (std::size_t c = 0; c < weight.size(); ++c) {
    double log_det = 0.5 * static_cast<double>(D) * std::log(2 * std::numbers::pi);
    for (std::size_t k = 0; k < D; ++k) log_det += std::log(factors[(c * D + k) * D + k]);
    values.push_back(std::log(weight[c]) - log_det);
  }
  return values;
}

double ReferenceLaw::log_normalizer() const {
  const std::size_t D = mean.size();
  double sum = 0.5 * static_cast<double>(D) * std::log(2 * std::numbers::pi);
  for (std::size_t k = 0; k < D; ++k) sum += std::log(factor[k * D + k]);
  return sum;
}

Exploration::Exploration(const Communicator& ranks, const Energy& target, const ReferenceSettings& settings) : ranks_(ranks) {
  bool found = true;
  on_root(ranks, [&] {
    state_ = std::make_shared<State>(target, settings);
    found = state_->begin();
    if (found) law_ = state_->law();
  });
  if (ranks.any(!found)) {
    const Box box(target, settings.box);
    throw InputError(
        fmt::format("the target's energy is finite at none of {} points of the box [{:.6g}, {:.6g}] x ...: choose a box "
                    "that holds the target's mass",
                    candidates, box.lower(0), box.upper(0)));
  }
  share_law();
}

bool Exploration::descend_from(std::span<const double> x) {
  const auto before = law_.weight.size();
  on_root(ranks_, [&] {
    state_->descend_from(x);
    law_ = state_->law();
  });
  share_law();
  return law_.weight.size() > before;
}

/// Root's law to everyone.
void Exploration::share_law() {
  std::int64_t counts[] = {law_.evaluations, law_.ends, static_cast<std::int64_t>(law_.mean.size()),
                           static_cast<std::int64_t>(law_.weight.size())};
  ranks_.broadcast(counts);
  law_.evaluations = counts[0];
  law_.ends = static_cast<int>(counts[1]);
  const auto D = static_cast<std::size_t>(counts[2]), C = static_cast<std::size_t>(counts[3]);
  law_.mean.resize(D);
  law_.factor.resize(D * D);
  law_.weight.resize(C);
  law_.means.resize(C * D);
  law_.factors.resize(C * D * D);
  for (auto* values : {&law_.mean, &law_.factor, &law_.weight, &law_.means, &law_.factors}) ranks_.broadcast(*values);
}

ReferenceLaw find_reference_law(const Communicator& ranks, const Energy& target, const ReferenceSettings& settings) {
  return Exploration(ranks, target, settings).law();
}

}  // namespace boltzcurve
