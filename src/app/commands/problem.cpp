#include "app/commands/problem.hpp"
#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr int thermalization_moves = 300;  // of chains in other coordinates than before

CurveInput curve_input(const Options& options, const Energy& latent) {
  const auto [mean, deviation] = latent.moments().value();
  CurveInput input{options.curve, options.network, options.normalizer, {latent.dimension(), options.latent.name, mean, deviation, {}}};
  input.ends.pilot.mean = mean;
  input.ends.pilot.deviation = deviation;
  return input;
}

Domain make_box(const Options& options, const Energy& target) {
  Domain box = target.domain();
  if (const auto& given = options.collocation.box) {
    box.lower.assign(box.lower.size(), given->lower);
    box.upper.assign(box.upper.size(), given->upper);
  }
  return box;
}

/// False, and nothing done, where the target cannot be had in other coordinates.
bool change_coordinates(Problem& problem, const ScaleMap& to) {
  auto target = to.is_identity() ? nullptr : problem.target->in_coordinates(to);
  if (!target && !to.is_identity()) return false;
  problem.region.box = mapped(problem.box, to);
  problem.mapped_target = std::move(target);
  problem.coordinates = to;
  problem.region.domain = united(problem.curve_target().domain(), problem.latent->domain());
  return true;
}

}  // namespace

Problem make_problem(const Options& options) {
  Problem problem;
  const auto& target = find_target(options.target.name);
  problem.target = target.make(Parameters("target", target.name, target.parameters, options.target.values));
  const auto& latent = find_latent(options.latent.name);
  problem.latent = latent.make(Parameters("latent", latent.name, latent.parameters, options.latent.values), problem.target->dimension());
  problem.curve_name = options.curve.name;
  problem.curve_input = curve_input(options, *problem.latent);
  problem.curve = make_curve(problem.curve_input);
  problem.box = make_box(options, *problem.target);
  change_coordinates(problem, {});
  problem.optimizer = make_optimizer(options.optimizer, problem.networks().tensors());
  problem.precision = options.run.precision;
  return problem;
}

void adapt(Problem& problem, const PilotSummary& pilot) {
  if (pilot.coordinates != problem.coordinates && !change_coordinates(problem, pilot.coordinates))
    throw InputError("the checkpoint was made in coordinates that this target does not know: it belongs to another version of the program");
  problem.curve_input.ends.pilot = pilot;
  problem.curve = make_curve(problem.curve_input);
}

std::shared_ptr<MalaChains> make_chains(const Communicator& ranks, const Options& options, const Problem& problem) {
  MalaChains::Settings settings;
  settings.box = problem.box;
  settings.points = options.collocation.points;
  settings.hottest = options.collocation.hottest;
  settings.seed = options.run.seed;
  return std::make_shared<MalaChains>(ranks, settings, *problem.target);
}

void thermalize(MalaChains& chains, const Problem& problem) {
  chains.change_coordinates({}, {}, *problem.target, 0);
  chains.thermalize();
  if (!problem.coordinates.is_identity()) chains.change_coordinates({}, problem.coordinates, problem.curve_target(), thermalization_moves);
}

Pilot run_pilot(const Communicator& ranks, const Options& options, Problem& problem) {
  auto chains = make_chains(ranks, options, problem);
  chains->thermalize();
  // Twice: what the chains show of scales gets better where they move more freely.
  for (int round = 0; round < 2 && options.curve.coordinates == Coordinates::automatic; ++round) {
    const ScaleMap before = problem.coordinates;
    const auto found = fit_scale_map(ranks, chains->thermal_points(*problem.target, before));
    if (found.is_identity()) break;
    // The chains' energy may go with the coordinates, which is why they keep it until they have another.
    const auto kept = std::move(problem.mapped_target);
    if (!change_coordinates(problem, found)) break;
    chains->change_coordinates(before, found, problem.curve_target(), thermalization_moves);
  }
  PilotSummary pilot = chains->pilot_summary();
  pilot.coordinates = problem.coordinates;
  adapt(problem, pilot);
  return {std::move(chains), std::move(pilot)};
}

}  // namespace boltzcurve
