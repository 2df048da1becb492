#include "pilot/curve_population.hpp"
#include "pilot/tempered_moves.hpp"

#include <boltzcurve/error.hpp>

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr auto position_name = "population/position", gradient_name = "population/gradient", island_name = "population/island",
               moves_name = "population/moves";

constexpr std::int64_t move_every = 10, parts = 16;                // steps of training; of the population
constexpr std::uint64_t training_stages = std::uint64_t{1} << 44;  // random numbers of the pilot's moves count from 0

/// Null where there is none of that name.
const NamedArray* find(std::span<const NamedArray> state, std::string_view name) {
  const auto found = std::find_if(state.begin(), state.end(), [&](const NamedArray& array) { return array.name == name; });
  return found == state.end() ? nullptr : &*found;
}

const std::vector<double>& finite_array(std::span<const NamedArray> state, const char* name, std::int64_t rows, std::int64_t columns) {
  const auto& values = find_array(state, name, rows, columns).values;
  if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }))
    throw InputError(fmt::format("{} should hold finite numbers", name));
  return values;
}

}  // namespace

std::vector<NamedArray> CurvePopulation::state() const {
  std::vector<NamedArray> arrays = {{position_name, count(), dimension, position},
                                    {gradient_name, count(), dimension, gradient},
                                    {moves_name, 1, 2, {step, static_cast<double>(leaps)}}};
  if (!island.empty()) arrays.push_back({island_name, count(), 1, island});
  return arrays;
}

void CurvePopulation::restore(std::span<const NamedArray> state) {
  const auto* const found = find(state, position_name);
  const std::int64_t rows = !found ? 1 : std::max<std::int64_t>(1, found->rows);
  auto positions = finite_array(state, position_name, rows, dimension);
  auto islands = !find(state, island_name) ? std::vector<double>() : finite_array(state, island_name, rows, 1);
  auto gradients = finite_array(state, gradient_name, rows, dimension);
  const auto of_moves = finite_array(state, moves_name, 1, 2);
  position = std::move(positions);
  gradient = std::move(gradients);
  island = std::move(islands);
  step = of_moves[0];
  leaps = static_cast<int>(of_moves[1]);
}

void CurvePopulation::move(const Communicator& ranks, const Energy& target, std::uint64_t seed, std::int64_t training_step) {
  if (step == 0 || training_step == 0 || training_step % move_every != 0) return;
  const auto D = static_cast<std::size_t>(dimension);
  const std::int64_t part = training_step / move_every % parts, first = count() * part / parts, last = count() * (part + 1) / parts;
  std::vector<double> identity(D * D, 0.0);
  for (std::size_t k = 0; k < D; ++k) identity[k * D + k] = 1;
  const auto begin = static_cast<std::size_t>(first) * D, size = static_cast<std::size_t>(last - first) * D;
  const auto moved = moved_at_target(ranks, target, std::span(position).subspan(begin, size), first, identity, step, leaps, 1, seed,
                                     training_stages + static_cast<std::uint64_t>(training_step));
  std::copy(moved.position.begin(), moved.position.end(), position.begin() + static_cast<std::ptrdiff_t>(begin));
  std::copy(moved.gradient.begin(), moved.gradient.end(), gradient.begin() + static_cast<std::ptrdiff_t>(begin));
}

double CurvePopulation::evaluations_of_moves(std::int64_t steps) const {
  if (step == 0 || steps == 0) return 0;
  return static_cast<double>((steps - 1) / move_every) * static_cast<double>(count()) / parts * (1 + leaps);
}

bool CurvePopulation::is_in(std::span<const NamedArray> state) { return find(state, position_name) != nullptr; }

}  // namespace boltzcurve
