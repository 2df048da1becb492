#include "io/training_checkpoint.hpp"

#include <boltzcurve/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>

namespace boltzcurve {
namespace {

constexpr auto mixture_weight = "survey/mixture/weight", whitening_factor = "survey/coordinates/factor",
               driving_order = "survey/coordinates/order";
constexpr double any_number = -std::numeric_limits<double>::max(), none_below_zero = 0, all_above_zero = std::numeric_limits<double>::min();

/// The flat arrays of the state that are shaped like the parameters, by their name in the file.
template <class State, class Visit>
void for_each_array(State& state, const Visit& visit) {
  visit("parameters", state.parameters);
  visit("average", state.average);
}

/// Whether checkpoints of every version have it; where one has not, it begins at 0.
enum class Presence { always, since_later };

template <class State, class Visit>
void for_each_counter(State& state, const Visit& visit) {
  visit("step", state.step, Presence::always);
  visit("skipped_steps", state.skipped_steps, Presence::always);
  visit("skipped_in_a_row", state.skipped_in_a_row, Presence::always);
  visit("left_out_points", state.left_out_points, Presence::since_later);
  visit("checkpoints", state.checkpoints, Presence::always);
  visit("optimizer_updates", state.optimizer.updates, Presence::always);
  visit("window_losses", state.window.losses, Presence::always);
  visit("window_steps", state.window.steps, Presence::always);
}

template <class Summary, class Visit>
void for_each_pilot_real(Summary& pilot, const Visit& visit) {
  visit("survey_width", pilot.width);
  visit("survey_energy", pilot.energy);
}

/// What a population adds to them.
template <class Summary, class Visit>
void for_each_population_real(Summary& pilot, const Visit& visit) {
  visit("population_log_z", pilot.log_z);
  visit("population_log_z_stderr", pilot.log_z_stderr);
  visit("population_disagreement", pilot.disagreement);
  visit("population_evaluations", pilot.evaluations);
  visit("population_seconds", pilot.seconds);
}

/// An array of the coordinates or of the fitted normal laws. Those of a group are there together, or empty together; some may be empty.
template <class Values>
struct PilotArray {
  const char* name;
  Values& values;
  std::vector<std::int64_t> shape;
  double least = any_number;
  Presence presence = Presence::always;
};

template <class Summary, class Visit>
void for_each_group_of_pilot_arrays(Summary& pilot, std::int64_t D, std::int64_t components, const Visit& visit) {
  using Group = std::vector<PilotArray<std::remove_reference_t<decltype((pilot.mean))>>>;
  visit(Group{{"survey/coordinates/center", pilot.coordinates.center, {D}},
              {"survey/coordinates/offset", pilot.coordinates.offset, {D}},
              {"survey/coordinates/slope", pilot.coordinates.slope, {D, D}},
              {"survey/coordinates/linear", pilot.coordinates.linear, {D, D}, any_number, Presence::since_later},
              {"survey/coordinates/square", pilot.coordinates.square, {D, D}, any_number, Presence::since_later},
              {driving_order, pilot.coordinates.order, {D}, none_below_zero, Presence::since_later}});
  visit(Group{{"survey/coordinates/shift", pilot.coordinates.shift, {D}}, {whitening_factor, pilot.coordinates.factor, {D, D}}});
  visit(Group{{mixture_weight, pilot.mixture.weight, {components}, none_below_zero},
              {"survey/mixture/mean", pilot.mixture.mean, {components, D}},
              {"survey/mixture/axes", pilot.mixture.axes, {components * D, D}},
              {"survey/mixture/variance", pilot.mixture.variance, {components, D}, all_above_zero}});
}

std::string factor_name(std::size_t f, const std::string& array) { return "survey/factor" + std::to_string(f) + "/" + array; }

/// The arrays of a factor of the fitted law.
template <class Factor, class Visit>
void for_each_factor_array(Factor& factor, std::size_t f, std::int64_t D, std::int64_t components, const Visit& visit) {
  visit(factor_name(f, "coordinates"), factor.coordinates, {D});
  visit(factor_name(f, "weight"), factor.mixture.weight, {components});
  visit(factor_name(f, "mean"), factor.mixture.mean, {components, D});
  visit(factor_name(f, "axes"), factor.mixture.axes, {components * D, D});
  visit(factor_name(f, "variance"), factor.mixture.variance, {components, D});
}

template <class State, class Visit>
void for_each_real(State& state, const Visit& visit) {
  visit("window_loss_sum", state.window.loss_sum);
  visit("window_started", state.window.started);
  visit("gradient_norm", state.gradient_norm);
  visit("seconds", state.seconds);
}

/// The arrays of the time bins. A checkpoint of a version that did not have them begins with empty ones.
template <class Bins, class Visit>
void for_each_time_bin_array(Bins& bins, const Visit& visit) {
  visit("time_bins/size", bins.size);
  visit("time_bins/level", bins.level);
  visit("time_bins/seen", bins.seen);
}

constexpr std::string_view collocation_group = "collocation/";

void require_finite(const Checkpoint& checkpoint, const std::string& name, const std::vector<double>& values, double least) {
  if (std::all_of(values.begin(), values.end(), [&](double value) { return std::isfinite(value) && value >= least; })) return;
  throw InputError("dataset " + name + " in " + checkpoint.source.string() + " should hold finite numbers" +
                   (least == none_below_zero  ? ", none below 0"
                    : least == all_above_zero ? ", all above 0"
                                              : ""));
}

/// Tensors of the networks below `name`, one after another.
std::vector<double> flat_array(const Checkpoint& checkpoint, const std::string& name, const CurveNetworks& networks) {
  std::vector<double> values(static_cast<std::size_t>(networks.parameter_count()));
  for (const auto& tensor : networks.tensors()) {
    const auto& stored = checkpoint.values<double>(name + "/" + tensor.name, {tensor.rows, tensor.columns});
    std::copy(stored.begin(), stored.end(), values.begin() + tensor.offset);
  }
  return values;
}

void require_every_coordinate(const Checkpoint& checkpoint, const std::string& name, std::vector<double> numbers, std::int64_t D) {
  std::sort(numbers.begin(), numbers.end());
  bool whole = static_cast<std::int64_t>(numbers.size()) == D;
  for (std::size_t k = 0; k < numbers.size() && whole; ++k) whole = numbers[k] == static_cast<double>(k);
  if (!whole)
    throw InputError("dataset " + name + " in " + checkpoint.source.string() + " should hold the number of every coordinate once");
}

}  // namespace

Checkpoint to_checkpoint(const TrainingState& state, const CurveNetworks& networks, const Provenance& provenance) {
  Checkpoint checkpoint;
  checkpoint.provenance = provenance;
  for_each_array(state, [&](const std::string& name, const std::vector<double>& values) {
    for (const auto& tensor : networks.tensors()) {
      const auto begin = values.begin() + tensor.offset;
      checkpoint.datasets.push_back(
          {name + "/" + tensor.name, {tensor.rows, tensor.columns}, std::vector<double>(begin, begin + tensor.size())});
    }
  });
  for (const auto& array : state.optimizer.arrays)
    checkpoint.datasets.push_back({"optimizer/" + array.name, {array.rows, array.columns}, array.values});
  checkpoint.datasets.push_back(
      {"reduction/exponents", {static_cast<std::int64_t>(state.loss.sum_exponents.size())}, state.loss.sum_exponents});
  const auto dimension = static_cast<std::int64_t>(state.pilot.mean.size());
  checkpoint.datasets.push_back({"survey/mean", {dimension}, state.pilot.mean});
  checkpoint.datasets.push_back({"survey/deviation", {dimension}, state.pilot.deviation});
  for_each_group_of_pilot_arrays(state.pilot, dimension, static_cast<std::int64_t>(state.pilot.mixture.components()),
                                 [&](const auto& group) {
                                   for (const auto& array : group)
                                     if (!array.values.empty()) checkpoint.datasets.push_back({array.name, array.shape, array.values});
                                 });
  for (std::size_t f = 0; f < state.pilot.factors.size(); ++f)
    for_each_factor_array(state.pilot.factors[f], f, static_cast<std::int64_t>(state.pilot.factors[f].coordinates.size()),
                          static_cast<std::int64_t>(state.pilot.factors[f].mixture.components()),
                          [&](const std::string& name, const std::vector<double>& values, const std::vector<std::int64_t>& shape) {
                            checkpoint.datasets.push_back({name, shape, values});
                          });
  for_each_time_bin_array(state.loss.time_bins, [&](const std::string& name, const TimeBins::PerBin& values) {
    checkpoint.datasets.push_back({name, {TimeBins::count}, std::vector<double>(values.begin(), values.end())});
  });
  for (const auto& array : state.loss.collocation)
    checkpoint.datasets.push_back({std::string(collocation_group) + array.name, {array.rows, array.columns}, array.values});
  for_each_counter(state, [&](const std::string& name, std::int64_t value, Presence) { checkpoint.scalars[name] = value; });
  const auto put = [&](const std::string& name, double value) { checkpoint.scalars[name] = value; };
  for_each_pilot_real(state.pilot, put);
  if (state.pilot.has_population()) for_each_population_real(state.pilot, put);
  for_each_real(state, put);
  return checkpoint;
}

PilotSummary pilot_summary_of(const Checkpoint& checkpoint) {
  const auto* const mean = checkpoint.find("survey/mean");
  const std::int64_t D = mean && mean->shape.size() == 1 ? mean->shape[0] : 0;
  PilotSummary pilot;
  for_each_pilot_real(pilot, [&](const std::string& name, double& value) { value = checkpoint.scalar<double>(name); });
  pilot.mean = checkpoint.values<double>("survey/mean", {D});
  pilot.deviation = checkpoint.values<double>("survey/deviation", {D});
  const auto* const weight = checkpoint.find(mixture_weight);
  for_each_group_of_pilot_arrays(pilot, D, weight && !weight->shape.empty() ? weight->shape[0] : 0, [&](const auto& group) {
    if (std::none_of(group.begin(), group.end(), [&](const auto& array) { return checkpoint.find(array.name); })) return;
    for (const auto& array : group) {
      if (array.presence != Presence::always && !checkpoint.find(array.name)) continue;
      array.values = checkpoint.values<double>(array.name, array.shape);
      require_finite(checkpoint, array.name, array.values, array.least);
    }
  });
  if (!pilot.coordinates.order.empty()) require_every_coordinate(checkpoint, driving_order, pilot.coordinates.order, D);
  for (std::size_t at = 0; at < pilot.coordinates.factor.size(); at += static_cast<std::size_t>(D) + 1)
    if (!(pilot.coordinates.factor[at] > 0))
      throw InputError(std::string("dataset ") + whitening_factor + " in " + checkpoint.source.string() +
                       " should be positive on its diagonal");
  for (std::size_t f = 0;; ++f) {
    const auto* const coordinates = checkpoint.find(factor_name(f, "coordinates"));
    const auto* const of_factor = checkpoint.find(factor_name(f, "weight"));
    if (!coordinates || !of_factor) break;
    for_each_factor_array(pilot.factors.emplace_back(), f, coordinates->shape[0], of_factor->shape[0],
                          [&](const std::string& name, std::vector<double>& values, const std::vector<std::int64_t>& shape) {
                            values = checkpoint.values<double>(name, shape);
                            require_finite(checkpoint, name, values, name.ends_with("variance") ? all_above_zero : any_number);
                          });
  }
  std::vector<double> of_factors;
  for (const auto& factor : pilot.factors) of_factors.insert(of_factors.end(), factor.coordinates.begin(), factor.coordinates.end());
  if (!of_factors.empty()) require_every_coordinate(checkpoint, factor_name(0, "coordinates"), of_factors, D);
  for_each_population_real(pilot, [&](const std::string& name, double& value) {
    if (checkpoint.scalars.contains(name)) value = checkpoint.scalar<double>(name);
  });
  return pilot;
}

std::vector<double> averaged_parameters(const Checkpoint& checkpoint, const CurveNetworks& networks) {
  return flat_array(checkpoint, "average", networks);
}

TrainingState from_checkpoint(const Checkpoint& checkpoint, const CurveNetworks& networks, const Optimizer& optimizer) {
  TrainingState state;
  for_each_array(state, [&](const std::string& name, std::vector<double>& values) { values = flat_array(checkpoint, name, networks); });
  state.optimizer = optimizer.initial_state();
  for (auto& array : state.optimizer.arrays)
    array.values = checkpoint.values<double>("optimizer/" + array.name, {array.rows, array.columns});
  if (const auto* exponents = checkpoint.find("reduction/exponents"))
    state.loss.sum_exponents = checkpoint.values<std::int64_t>(exponents->name, exponents->shape);
  state.pilot = pilot_summary_of(checkpoint);
  for_each_time_bin_array(state.loss.time_bins, [&](const std::string& name, TimeBins::PerBin& values) {
    if (!checkpoint.find(name)) return;
    const auto& stored = checkpoint.values<double>(name, {TimeBins::count});
    require_finite(checkpoint, name, stored, &values == &state.loss.time_bins.level ? any_number : none_below_zero);
    std::copy(stored.begin(), stored.end(), values.begin());
  });
  for (const auto& dataset : checkpoint.datasets) {
    if (!dataset.name.starts_with(collocation_group)) continue;
    if (dataset.shape.size() != 2)
      throw InputError("dataset " + dataset.name + " in " + checkpoint.source.string() + " should have two dimensions");
    state.loss.collocation.push_back({dataset.name.substr(collocation_group.size()), dataset.shape[0], dataset.shape[1],
                                      checkpoint.values<double>(dataset.name, dataset.shape)});
  }
  for_each_counter(state, [&](const std::string& name, std::int64_t& value, Presence presence) {
    if (presence == Presence::always || checkpoint.scalars.contains(name)) value = checkpoint.scalar<std::int64_t>(name);
  });
  for_each_real(state, [&](const std::string& name, double& value) { value = checkpoint.scalar<double>(name); });
  return state;
}

}  // namespace boltzcurve
