#include "pilot/pilot_run.hpp"

#include <boltzcurve/error.hpp>
#include "core/heartbeat.hpp"
#include "energy/mapped_energy.hpp"
#include "pilot/mixture_fit.hpp"
#include "pilot/population.hpp"
#include "pilot/scale_fit.hpp"
#include "pilot/triangular_fit.hpp"
#include "pilot/whitening.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr int thermalization_moves = 300;  // of chains in other coordinates than before
constexpr double worth_driving = 0.02;     // nats a point that coordinates with drivers have to gain
constexpr int driven_rounds = 3;
constexpr double worth_a_product = 0.02;    // nats a point and coordinate that a product of laws has to gain
constexpr double negligible_weight = 0.02;  // of a component, whose width then does not count

std::shared_ptr<MalaChains> chains_at_start(const Communicator& ranks, const Energy& target, const PilotInput& input) {
  MalaChains::Settings start;
  start.box = input.box;
  start.points = input.points;
  start.hottest = input.hottest;
  start.seed = input.seed;
  return std::make_shared<MalaChains>(ranks, start, target);
}

/// Null where the target cannot be had in these coordinates with a Laplacian at the price of its own.
std::shared_ptr<const Energy> target_in(const std::shared_ptr<const Energy>& target, const ScaleMap& coordinates) {
  if (coordinates.is_identity()) return target;
  return target->in_coordinates(coordinates);
}

Pilot chains_pilot(const Communicator& ranks, const std::shared_ptr<const Energy>& target, const PilotInput& input) {
  Pilot pilot{target, target, chains_at_start(ranks, *target, input), nullptr, {}};
  auto& chains = *pilot.chains;
  chains.thermalize();
  // Twice: what the chains show of scales gets better where they move more freely.
  ScaleMap coordinates;
  for (int round = 0; round < 2 && input.finds_coordinates; ++round) {
    const auto found = fit_scale_map(ranks, chains.thermal_points(*target, coordinates));
    if (found.is_identity()) break;
    auto mapped = target_in(target, found);
    if (!mapped) break;
    chains.change_coordinates(coordinates, found, *mapped, thermalization_moves);
    pilot.curve_target = std::move(mapped);
    coordinates = found;
  }
  pilot.summary = chains.pilot_summary();
  pilot.summary.coordinates = coordinates;
  return pilot;
}

/// Values and gradients of the energy at points [N][D], on every rank; each evaluates its part.
void evaluate_population(const Communicator& ranks, const Energy& energy, CurvePopulation& population, std::vector<double>& value) {
  const auto D = static_cast<std::size_t>(population.dimension);
  const auto shard = shard_of(population.count(), 1, ranks.rank(), ranks.size());
  const auto n = static_cast<std::size_t>(shard.count), first = static_cast<std::size_t>(shard.first);
  const Points<double> x("boltzcurve::population", n, D), f("boltzcurve::population_energy", n, D + 1);
  const auto host = Kokkos::create_mirror_view(x);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < D; ++k) host(i, k) = population.position[(first + i) * D + k];
  Kokkos::deep_copy(x, host);
  energy.evaluate(x, f, Wanted::gradient);
  const auto found = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), f);
  std::vector<double> rows;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k <= D; ++k) rows.push_back(found(i, k));
  rows = ranks.all_gather(std::span<const double>(rows));
  value.clear();
  population.gradient.clear();
  for (std::size_t at = 0; at < rows.size(); ++at) (at % (D + 1) == 0 ? value : population.gradient).push_back(rows[at]);
}

/// Points whose gradient is not finite are left out: they have nothing to say of it.
void keep_finite(CurvePopulation& population) {
  const auto D = static_cast<std::size_t>(population.dimension);
  auto kept = population;
  kept.position.clear();
  kept.gradient.clear();
  kept.island.clear();
  for (std::size_t i = 0; i < static_cast<std::size_t>(population.count()); ++i) {
    const std::span<const double> x(&population.position[i * D], D), g(&population.gradient[i * D], D);
    if (!std::all_of(g.begin(), g.end(), [](double slope) { return std::isfinite(slope); })) continue;
    kept.position.insert(kept.position.end(), x.begin(), x.end());
    kept.gradient.insert(kept.gradient.end(), g.begin(), g.end());
    kept.island.push_back(population.island[i]);
  }
  population = std::move(kept);
}

/// Squared width of the narrowest mode that matters.
double narrowest_width(const NormalMixture& mixture) {
  const std::size_t D = mixture.dimension();
  double narrowest = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < mixture.components(); ++k) {
    double sharpness = 0;
    for (std::size_t j = 0; j < D; ++j) sharpness += 1 / mixture.variance[k * D + j];
    if (mixture.weight[k] > negligible_weight) narrowest = std::min(narrowest, static_cast<double>(D) / sharpness);
  }
  return narrowest;
}

/// A law of all coordinates.
std::vector<MixtureFactor> one_factor(const NormalMixture& law) {
  std::vector<double> all(law.dimension());
  std::iota(all.begin(), all.end(), 0.0);
  return {{std::move(all), law}};
}

/// Coordinates for points x [N][D], the points there, and how well normal laws fit them.
struct Candidate {
  ScaleMap coordinates;
  std::vector<double> position;
  MixtureFit fit;
  std::vector<MixtureFactor> factors;  ///< of the law that fits best
  double score = 0;                    ///< mean log likelihood in x [nats a point]

  /// Whitens the points in the coordinates that `drivers` begins with: all together or, where a product of laws then fits better, groups of
  /// coordinates for themselves.
  Candidate(const ScaleMap& drivers, const std::vector<double>& points, std::size_t D, std::uint64_t seed) {
    whiten(drivers, points, D, {});
    fit = fit_normal_mixture(position, D, seed);
    factors = one_factor(fit.mixture);
    score = fit.held_out - mean_volume(D);
    const auto groups = independent_groups(points, D, least_dependence);
    if (groups.size() == 1) return;
    auto product = *this;
    product.whiten(drivers, points, D, groups);
    product.factors.clear();
    product.score = -product.mean_volume(D);
    for (const auto& group : groups) {
      std::vector<double> part;
      for (std::size_t at = 0; at < product.position.size(); at += D)
        for (const std::size_t k : group) part.push_back(product.position[at + k]);
      auto of_group = fit_normal_mixture(part, group.size(), seed);
      product.score += of_group.held_out;
      product.factors.push_back({{group.begin(), group.end()}, std::move(of_group.mixture)});
    }
    if (product.score < score + worth_a_product * static_cast<double>(D)) return;
    product.fit = fit_normal_mixture(product.position, D, seed);
    *this = std::move(product);
  }

 private:
  void whiten(const ScaleMap& drivers, const std::vector<double>& points, std::size_t D,
              const std::vector<std::vector<std::size_t>>& groups) {
    const auto whitening = whitening_of(points, D, groups);
    coordinates = behind(whitening, drivers);
    position = points;
    whitening.to_z(std::span(position));
  }
  double mean_volume(std::size_t D) const {
    double volume = 0;
    for (std::size_t at = 0; at < position.size(); at += D) volume += coordinates.log_volume(&position[at]);
    return volume / (static_cast<double>(position.size()) / static_cast<double>(D));
  }
};

/// The box of what points [N][D] there are.
Domain box_of(const std::vector<double>& points, std::size_t D) {
  Domain box{std::vector<double>(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(D)), {}};
  box.upper = box.lower;
  for (std::size_t at = 0; at < points.size(); ++at) {
    box.lower[at % D] = std::min(box.lower[at % D], points[at]);
    box.upper[at % D] = std::max(box.upper[at % D], points[at]);
  }
  return box;
}

Pilot population_pilot(const Communicator& ranks, const std::shared_ptr<const Energy>& target, const PilotInput& input) {
  const auto D = static_cast<std::size_t>(target->dimension());
  PopulationSettings of_population;
  of_population.particles = input.settings.particles;
  of_population.seed = input.seed;
  of_population.box = input.box;
  auto found = run_population(ranks, *target, of_population);

  Pilot pilot{target, target, nullptr, std::make_shared<CurvePopulation>(), {}};
  auto& population = *pilot.population;
  auto& summary = pilot.summary;
  population.dimension = target->dimension();
  summary.evaluations = static_cast<double>(found.evaluations);
  summary.seconds = found.seconds;
  if (input.finds_coordinates) {
    Candidate best({}, found.position, D, input.seed);
    for (int round = 0; round < driven_rounds; ++round) {
      auto x = best.position;
      best.coordinates.to_x(std::span(x));
      const auto drivers = fit_triangular_map(x, D);
      if (drivers.is_identity()) break;
      drivers.to_z(std::span(x));
      Candidate driven(drivers, x, D, input.seed);
      if (driven.score < best.score + worth_driving) break;
      // Where places and scales no longer follow others, particles move freely: what they did not reach before, they reach now.
      of_population.box = box_of(driven.position, D);
      found = run_population(ranks, *in_coordinates(target, driven.coordinates), of_population);
      summary.evaluations += static_cast<double>(found.evaluations);
      summary.seconds += found.seconds;
      best = Candidate(driven.coordinates, found.position, D, input.seed);
    }
    summary.coordinates = best.coordinates;
    summary.mixture = best.fit.mixture;
    summary.factors = best.factors;
    population.position = std::move(best.position);
  } else {
    population.position = found.position;
    summary.mixture = fit_normal_mixture(population.position, D, input.seed).mixture;
    summary.factors = one_factor(summary.mixture);
  }
  population.island.assign(found.island.begin(), found.island.end());
  // In coordinates in which it is white its metric is the identity.
  population.step = input.finds_coordinates ? found.step : 0;
  population.leaps = found.leaps;
  pilot.curve_target = in_coordinates(target, summary.coordinates);
  std::vector<double> energy;
  evaluate_population(ranks, *pilot.curve_target, population, energy);
  keep_finite(population);
  if (population.count() == 0) throw InputError("the gradient of the target's energy is finite nowhere in the population");

  const auto middle = energy.begin() + static_cast<std::ptrdiff_t>(energy.size() / 2);
  std::nth_element(energy.begin(), middle, energy.end());
  summary.energy = *middle;
  summary.mean.assign(D, 0.0);
  summary.deviation.assign(D, 0.0);
  for (std::size_t at = 0; at < population.position.size(); ++at) {
    summary.mean[at % D] += population.position[at] / static_cast<double>(population.count());
    summary.deviation[at % D] += population.position[at] * population.position[at] / static_cast<double>(population.count());
  }
  for (std::size_t k = 0; k < D; ++k) summary.deviation[k] = std::sqrt(summary.deviation[k] - summary.mean[k] * summary.mean[k]);
  summary.width = std::numeric_limits<double>::infinity();
  for (const auto& factor : summary.factors) summary.width = std::min(summary.width, narrowest_width(factor.mixture));
  summary.log_z = found.log_z;
  summary.log_z_stderr = found.log_z_stderr;
  summary.disagreement = found.disagreement;
  summary.evaluations += static_cast<double>(energy.size());
  return pilot;
}

}  // namespace

Pilot run_pilot(const Communicator& ranks, const std::shared_ptr<const Energy>& target, const PilotInput& input) {
  const Phase phase("exploring the target");
  return input.settings.method == PilotMethod::smc ? population_pilot(ranks, target, input) : chains_pilot(ranks, target, input);
}

Pilot known_pilot(const Communicator& ranks, const std::shared_ptr<const Energy>& target, const PilotInput& input,
                  const PilotSummary& summary) {
  if (static_cast<int>(summary.mean.size()) != target->dimension())
    throw InputError(
        fmt::format("the checkpoint is of a target in {} dimensions, this one has {}", summary.mean.size(), target->dimension()));
  const auto before = summary.has_population() ? PilotMethod::smc : PilotMethod::chains;
  if (input.settings.method != before)
    throw InputError(
        fmt::format("the checkpoint's pilot run was by {}, this one is by {}", name_of(before), name_of(input.settings.method)));
  if (input.settings.method == PilotMethod::smc) {
    auto population = std::make_shared<CurvePopulation>();
    population->dimension = target->dimension();
    return {target, in_coordinates(target, summary.coordinates), nullptr, std::move(population), summary};
  }
  auto curve_target = target_in(target, summary.coordinates);
  if (!curve_target)
    throw InputError("the checkpoint was made in coordinates that this target does not know: it belongs to another version of the program");
  Pilot pilot{target, std::move(curve_target), chains_at_start(ranks, *target, input), nullptr, summary};
  pilot.chains->change_coordinates({}, summary.coordinates, *pilot.curve_target, 0);
  return pilot;
}

void thermalize_chains(const Pilot& pilot) {
  if (!pilot.chains) return;
  pilot.chains->change_coordinates({}, {}, *pilot.target, 0);
  pilot.chains->thermalize();
  if (!pilot.summary.coordinates.is_identity())
    pilot.chains->change_coordinates({}, pilot.summary.coordinates, *pilot.curve_target, thermalization_moves);
}

}  // namespace boltzcurve
