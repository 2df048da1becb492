#include "pilot/population.hpp"
#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/error.hpp>
#include "core/clock.hpp"
#include "core/heartbeat.hpp"
#include "parallel/ordered_sum.hpp"
#include "pilot/reference_law.hpp"
#include "pilot/resampling.hpp"
#include "pilot/tempered_moves.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include <fmt/format.h>
#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

namespace boltzcurve {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double trajectory = 2.0;    // longest time of a move, in whitened coordinates: about a quarter turn of a normal law on average
constexpr double largest_step = 2.0;  // leapfrogs of a normal law are stable below 2
constexpr double hurried_ess = 0.5;
constexpr std::size_t patient_stages = 400;                                          // then stages are longer
constexpr std::int64_t small_share = 8, fewest_particles = 512, small_islands = 16;  // of small runs
constexpr int small_runs = 3;
constexpr double hot = 0.5;                                 // b below which particles are hot, and
constexpr std::size_t hot_of_stage = 32, hot_of_run = 128;  // how many of them descend
constexpr double too_wide = 1.5;                            // a population, in deviations of what its reference law was widened from
constexpr std::uint64_t stages_of_run = std::uint64_t{1} << 20;
constexpr std::uint64_t moves_of_stage = std::uint64_t{1} << 16, later_moves = std::uint64_t{1} << 46;

/// The run in progress.
class PopulationRun {
 public:
  PopulationRun(const Communicator& ranks, const Energy& target, const PopulationSettings& settings, ReferenceLaw reference, int run)
      : ranks_(ranks),
        settings_(settings),
        D_(static_cast<std::size_t>(target.dimension())),
        shard_(shard_of(settings.particles, settings.island, ranks.rank(), ranks.size())),
        reference_(std::move(reference)),
        first_stage_(static_cast<std::uint64_t>(run) * stages_of_run),
        moves_(target, reference_, shard_, settings.seed) {}

  /// With `keeps_hot`, hot_particles() are there afterwards.
  Population run(double begin, bool keeps_hot = false) {
    moves_.draw_reference(first_stage_);
    auto ratios = gathered(moves_.log_ratio());
    if (std::none_of(ratios.begin(), ratios.end(), [](double ratio) { return ratio > -infinity; }))
      throw InputError(
          fmt::format("the target's energy is finite at none of {} points of a normal law about its minima: choose a box that "
                      "holds the target's mass",
                      settings_.particles));
    const std::int64_t islands = (settings_.particles + settings_.island - 1) / settings_.island;
    result_.island_log_z.assign(static_cast<std::size_t>(islands), 0.0);
    result_.step = std::min(largest_step, 1.5 / std::pow(static_cast<double>(D_), 0.25));
    for (double b = 0; b < 1;) {
      const bool hurries = result_.temper.size() >= patient_stages ||
                           (settings_.max_seconds > 0 && ranks_.any(steady_seconds() - begin > settings_.max_seconds));
      const double next = next_temper(ratios, b, hurries ? std::min(settings_.ess, hurried_ess) : settings_.ess);
      weigh(ratios, next - b);
      b = next;
      b < 1 ? resample_islands(ratios) : resample_all(ratios);
      result_.temper.push_back(b);
      adapt_metric();
      move_until_forgotten(b, hurries ? 1 : settings_.moves);
      if (keeps_hot && b < hot && hot_.size() < hot_of_run * D_) keep_hot();
      ratios = gathered(moves_.log_ratio());
    }
    finish();
    return std::move(result_);
  }

  /// The largest deviation of the population in any direction, in those of the reference law before it was widened.
  double growth() const { return growth_ * settings_.widening; }

  /// [n][D], from all ranks.
  const std::vector<double>& hot_particles() const { return hot_; }

  /// The population's normal law, widened.
  ReferenceLaw next_reference() const {
    ReferenceLaw law{mean_, metric_};
    for (auto& entry : law.factor) entry *= settings_.widening;
    return law;
  }

 private:
  std::vector<double> gathered(const std::vector<double>& mine) const { return ranks_.all_gather(std::span<const double>(mine)); }

  void keep_hot() {
    const auto all = gathered(moves_.position());
    const std::size_t n = all.size() / D_, apart = std::max<std::size_t>(1, n / hot_of_stage);
    for (std::size_t i = 0; i < n; i += apart)
      hot_.insert(hot_.end(), all.begin() + static_cast<std::ptrdiff_t>(i * D_), all.begin() + static_cast<std::ptrdiff_t>((i + 1) * D_));
  }

  /// Of the particles of an island, in a list of all.
  template <class Values>
  auto of_island(Values& values, std::size_t island) const {
    const auto first = island * static_cast<std::size_t>(settings_.island);
    return std::span(values).subspan(first, std::min(static_cast<std::size_t>(settings_.island), values.size() - first));
  }

  /// Makes log weights of ratios, and counts them.
  void weigh(std::vector<double>& ratios, double rise) {
    for (auto& ratio : ratios) ratio *= rise;
    for (std::size_t island = 0; island < result_.island_log_z.size(); ++island)
      result_.island_log_z[island] += log_mean_exp(of_island(ratios, island));
  }

  void resample_islands(const std::vector<double>& log_weights) {
    std::vector<std::int64_t> parents;
    const auto first = static_cast<std::size_t>(shard_.first / settings_.island);
    for (std::size_t island = first; parents.size() < static_cast<std::size_t>(shard_.count); ++island) {
      CounterRng rng(settings_.seed, RandomStream::population_resampling, first_stage_ + result_.temper.size(), island);
      const auto offset = static_cast<std::int64_t>(parents.size());
      for (const auto parent : systematic(of_island(log_weights, island), rng.uniform())) parents.push_back(offset + parent);
    }
    moves_.resample(parents);
  }

  /// By particles' weights and islands' Z together.
  void resample_all(std::vector<double> log_weights) {
    for (std::size_t island = 0; island < result_.island_log_z.size(); ++island) {
      const auto weights = of_island(log_weights, island);
      const double mean = log_mean_exp(weights);  // already in the island's Z
      for (auto& weight : weights) weight = mean > -infinity ? weight - mean + result_.island_log_z[island] : -infinity;
    }
    CounterRng rng(settings_.seed, RandomStream::population_resampling, first_stage_ + result_.temper.size(), 0);
    const auto parents = systematic(log_weights, rng.uniform());
    const auto all = gathered(moves_.position());
    std::vector<double> mine;
    for (std::int64_t i = 0; i < shard_.count; ++i) {
      const auto from =
          all.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(parents[static_cast<std::size_t>(shard_.first + i)]) * D_);
      mine.insert(mine.end(), from, from + static_cast<std::ptrdiff_t>(D_));
    }
    moves_.place(mine);
    for (const auto parent : parents) result_.island.push_back(parent / settings_.island);
  }

  /// The population's covariance, in coordinates that the reference law whitens: there what few particles do not show is the same in all
  /// directions, and is filled up with a small multiple of the identity.
  void adapt_metric() {
    const auto w = moves_.whitened();
    const auto weights = moves_.log_ratio();  // islands without any finite energy do not count
    const std::size_t first = 1, second = first + D_;
    const auto sums =
        ordered_sums(ranks_, shard_.count, settings_.island, second + D_ * (D_ + 1) / 2, [&](std::size_t i, std::span<double> to) {
          if (!(weights[i] > -infinity)) return;
          to[0] += 1;
          const double* const at = &w[i * D_];
          std::size_t place = second;
          for (std::size_t k = 0; k < D_; ++k) {
            to[first + k] += at[k];
            for (std::size_t l = 0; l <= k; ++l) to[place++] += at[k] * at[l];
          }
        });
    const auto D = static_cast<Eigen::Index>(D_);
    const double n = sums[0];
    Eigen::MatrixXd covariance(D, D);
    std::size_t place = second;
    for (std::size_t k = 0; k < D_; ++k)
      for (std::size_t l = 0; l <= k; ++l) {
        const double value = sums[place++] / n - sums[first + k] / n * (sums[first + l] / n);
        covariance(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(l)) = value;
        covariance(static_cast<Eigen::Index>(l), static_cast<Eigen::Index>(k)) = value;
      }
    const double few = static_cast<double>(D_) / n, shrink = std::min(0.5, few * few);
    const double mean = std::max(covariance.trace() / static_cast<double>(D_), 1e-300);
    const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(D, D) * mean;
    covariance = (1 - shrink) * covariance + shrink * identity;
    Eigen::LLT<Eigen::MatrixXd> factor(covariance);
    for (double mend = 1e-14; factor.info() != Eigen::Success; mend *= 10) factor.compute(covariance + mend * identity);
    // A copy in Eigen's own memory: the same alignment, so the same bits, on every rank.
    using ByRows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::MatrixXd of_reference = Eigen::Map<const ByRows>(reference_.factor.data(), D, D);
    const Eigen::MatrixXd L = of_reference * Eigen::MatrixXd(factor.matrixL());
    metric_.resize(D_ * D_);
    for (std::size_t k = 0; k < D_; ++k)
      for (std::size_t l = 0; l < D_; ++l) metric_[k * D_ + l] = l <= k ? L(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(l)) : 0;
    moves_.set_metric(metric_);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> axes(covariance, Eigen::EigenvaluesOnly);
    growth_ = std::sqrt(axes.eigenvalues()(D - 1));
    mean_ = reference_.mean;
    for (std::size_t k = 0; k < D_; ++k)
      for (std::size_t l = 0; l <= k; ++l) mean_[k] += reference_.factor[k * D_ + l] * sums[first + l] / n;
  }

  void move_until_forgotten(double b, int most) {
    const auto start = moves_.features(b);
    const std::uint64_t stage = (first_stage_ + result_.temper.size()) * moves_of_stage;
    std::int64_t accepted = 0;
    int moves = 0;
    do {
      result_.leaps = std::clamp(static_cast<int>(std::ceil(trajectory / result_.step)), 1, settings_.leaps);
      const std::int64_t now = ranks_.sum(moves_.move(b, result_.step, result_.leaps, stage + static_cast<std::uint64_t>(moves)));
      accepted += now;
      ++moves;
      rounds_ += result_.leaps;
      const double share = static_cast<double>(now) / static_cast<double>(settings_.particles);
      result_.step = std::min(largest_step, result_.step * std::exp(share - settings_.acceptance));
      heartbeat();
    } while (moves < most && remembered(start, moves_.features(b)) > settings_.forgotten);
    result_.moves.push_back(moves);
    result_.acceptance.push_back(static_cast<double>(accepted) / static_cast<double>(settings_.particles * moves));
  }

  /// The largest correlation of a feature with what it was.
  double remembered(const std::vector<double>& before, const std::vector<double>& now) const {
    const std::size_t features = D_ + 1;
    const auto sums = ordered_sums(ranks_, shard_.count, settings_.island, 5 * features, [&](std::size_t i, std::span<double> to) {
      for (std::size_t k = 0; k < features; ++k) {
        const double a = before[i * features + k], c = now[i * features + k];
        to[5 * k] += a;
        to[5 * k + 1] += c;
        to[5 * k + 2] += a * a;
        to[5 * k + 3] += c * c;
        to[5 * k + 4] += a * c;
      }
    });
    const double n = static_cast<double>(settings_.particles);
    double largest = -1;
    for (std::size_t k = 0; k < features; ++k) {
      const double* const of = &sums[5 * k];
      const double spread = (of[2] / n - of[0] / n * (of[0] / n)) * (of[3] / n - of[1] / n * (of[1] / n));
      if (spread > 0) largest = std::max(largest, (of[4] / n - of[0] / n * (of[1] / n)) / std::sqrt(spread));
    }
    return largest;
  }

  void finish() {
    result_.metric = metric_;
    result_.position = gathered(moves_.position());
    result_.gradient = gathered(moves_.gradient());
    result_.energy = gathered(moves_.energy());
    const std::int64_t mine = moves_.evaluations();
    result_.evaluations = ranks_.sum(mine);
    result_.mode_weight = reference_.weight;

    // log Z and its jackknife
    const auto& log_z = result_.island_log_z;
    const std::size_t M = log_z.size();
    const double largest = *std::max_element(log_z.begin(), log_z.end()), N = static_cast<double>(settings_.particles);
    std::vector<double> size(M), z(M);
    double total = 0;
    for (std::size_t i = 0; i < M; ++i) {
      const auto first = static_cast<std::int64_t>(i) * settings_.island;
      size[i] = static_cast<double>(std::min(settings_.island, settings_.particles - first));
      z[i] = std::exp(log_z[i] - largest);
      total += size[i] * z[i];
    }
    result_.log_z = largest + std::log(total / N);
    double mean = 0, squares = 0;
    std::vector<double> without(M);
    for (std::size_t i = 0; i < M; ++i) {
      without[i] = std::log(std::max(total - size[i] * z[i], 1e-300) / (N - size[i]));
      mean += without[i] / static_cast<double>(M);
    }
    for (const double value : without) squares += (value - mean) * (value - mean);
    result_.log_z_stderr = M < 2 ? std::nan("") : std::sqrt(squares * static_cast<double>(M - 1) / static_cast<double>(M));
    result_.disagreement = disagreement(size, z);
  }

  /// See Population::disagreement. Of a half with weights a_i and means m_i of islands, mean = sum a_i m_i / sum a_i, its variance by the
  /// deviations of a_i (m_i - mean).
  double disagreement(const std::vector<double>& size, const std::vector<double>& z) const {
    const std::size_t M = size.size();
    if (M < 4) return std::nan("");
    struct Half {
      double mean, variance;
    };
    const auto half = [&](std::size_t parity, const auto& weight, const auto& value) {
      double total = 0, sum = 0, squares = 0, count = 0;
      for (std::size_t i = parity; i < M; i += 2)
        if (weight(i) > 0) total += weight(i), sum += weight(i) * value(i);
      const double mean = sum / total;
      for (std::size_t i = parity; i < M; i += 2, ++count)
        if (weight(i) > 0) squares += std::pow(weight(i) / total * (value(i) - mean), 2);
      return Half{mean, squares * count / (count - 1)};
    };
    double largest = 0;
    const auto compare = [&](const Half& a, const Half& b) {
      const double apart = std::fabs(a.mean - b.mean), error = std::sqrt(a.variance + b.variance);
      if (apart > 1e-12 * (std::fabs(a.mean) + std::fabs(b.mean))) largest = std::max(largest, apart / error);
    };
    const auto by_size = [&](std::size_t i) { return size[i]; };
    const auto of_z = [&](std::size_t i) { return z[i]; };
    compare(half(0, by_size, of_z), half(1, by_size, of_z));
    std::vector<double> children(M, 0.0), sums(M * D_, 0.0);
    for (std::size_t n = 0; n < result_.island.size(); ++n) {
      const auto i = static_cast<std::size_t>(result_.island[n]);
      children[i] += 1;
      for (std::size_t k = 0; k < D_; ++k) sums[i * D_ + k] += result_.position[n * D_ + k];
    }
    const auto by_children = [&](std::size_t i) { return children[i]; };
    for (std::size_t k = 0; k < D_; ++k) {
      const auto mean = [&](std::size_t i) { return sums[i * D_ + k] / children[i]; };
      compare(half(0, by_children, mean), half(1, by_children, mean));
    }
    return largest;
  }

  Communicator ranks_;
  PopulationSettings settings_;
  std::size_t D_;
  Shard shard_;
  ReferenceLaw reference_;
  std::uint64_t first_stage_;
  TemperedMoves moves_;
  std::vector<double> mean_, metric_;  ///< of the population [D], a factor of its covariance [D][D]
  double growth_ = 0;                  ///< the largest deviation of the population, in the broad law's
  std::vector<double> hot_;
  Population result_;
  std::int64_t rounds_ = 0;
};

}  // namespace

Population run_population(const Communicator& ranks, const Energy& target, const PopulationSettings& settings) {
  const Phase phase("exploring the target");
  const double begin = steady_seconds();
  const auto late = [&] { return settings.max_seconds > 0 && ranks.any(steady_seconds() - begin > settings.max_seconds); };
  Exploration exploration(ranks, target, {settings.box, settings.seed, settings.widening, settings.starts});
  std::optional<ReferenceLaw> broad;  // of a population, in place of the descents'
  const auto reference = [&] {
    auto law = exploration.law();
    if (!broad) return law;
    if (law.weight.size() == 1) return *broad;  // the only mode's parabola is not all there is
    law.mean = broad->mean;
    law.factor = broad->factor;
    return law;
  };
  std::int64_t evaluations = 0;
  std::vector<double> log_z;
  double error = 0;  // of the run before
  int run = 0;

  auto few = settings;
  few.particles = std::min(settings.particles, std::max(fewest_particles, settings.particles / small_share));
  few.island = (few.particles + small_islands - 1) / small_islands;
  bool knew = true;
  for (; run < small_runs && run + 1 < settings.runs && !late(); ++run) {
    const auto law = reference();
    PopulationRun small(ranks, target, few, run == 0 ? law.broad() : law, run);
    const Population population = small.run(begin, !law.weight.empty());
    evaluations += population.evaluations;
    log_z.push_back(population.log_z);
    error = population.log_z_stderr;
    knew = law.weight.empty() || run > 0;
    if (!small.hot_particles().empty() && exploration.descend_from(small.hot_particles())) knew = false;
    if (small.growth() < too_wide) {
      ++run;
      break;
    }
    broad = small.next_reference();
  }

  for (;; ++run) {
    PopulationRun now(ranks, target, settings, reference(), run);
    Population population = now.run(begin);
    evaluations += population.evaluations;
    log_z.push_back(population.log_z);
    const double rise = log_z.size() < 2 ? 0 : log_z[log_z.size() - 1] - log_z[log_z.size() - 2];
    const double doubt = 3 * std::hypot(error, population.log_z_stderr);
    const bool agrees = now.growth() < too_wide && !(rise < -doubt) && !(knew && rise > doubt);
    error = population.log_z_stderr;
    knew = true;
    if (run + 1 >= settings.runs || agrees || late()) {
      population.evaluations = evaluations + exploration.law().evaluations;
      population.run_log_z = std::move(log_z);
      population.seconds = steady_seconds() - begin;
      return population;
    }
    if (now.growth() >= too_wide) broad = now.next_reference();
  }
}

void move_population(const Communicator& ranks, const Energy& target, Population& population, int rounds, std::uint64_t seed,
                     std::uint64_t stage) {
  auto moved = moved_at_target(ranks, target, population.position, 0, population.metric, population.step, population.leaps, rounds, seed,
                               later_moves + stage * moves_of_stage);
  population.position = std::move(moved.position);
  population.gradient = std::move(moved.gradient);
  population.energy = std::move(moved.energy);
  population.evaluations += moved.evaluations;
}

}  // namespace boltzcurve
