#include "pilot/curve_population.hpp"

#include <algorithm>

namespace boltzcurve {
namespace {

constexpr auto position_name = "population/position", gradient_name = "population/gradient";

}  // namespace

std::vector<NamedArray> CurvePopulation::state() const {
  return {{position_name, count(), dimension, position}, {gradient_name, count(), dimension, gradient}};
}

void CurvePopulation::restore(std::span<const NamedArray> state) {
  const auto found = std::find_if(state.begin(), state.end(), [](const NamedArray& array) { return array.name == position_name; });
  const std::int64_t rows = found == state.end() ? 0 : found->rows;
  position = find_array(state, position_name, rows, dimension).values;
  gradient = find_array(state, gradient_name, rows, dimension).values;
}

}  // namespace boltzcurve
