#include <boltzcurve/energy_of.hpp>
#include <boltzcurve/error.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace boltzcurve {

double Domain::longest_side() const {
  double side = 0;
  for (std::size_t k = 0; k < lower.size(); ++k) side = std::max(side, upper[k] - lower[k]);
  return side;
}

constexpr double wherever = 1e9;

Domain united(Domain a, const Domain& b) {
  for (std::size_t k = 0; k < a.lower.size(); ++k) {
    a.lower[k] = std::min(a.lower[k], b.lower[k]);
    a.upper[k] = std::max(a.upper[k], b.upper[k]);
  }
  return a;
}

Domain mapped(Domain domain, const ScaleMap& map) {
  if (map.moves_places()) {  // where z is when x is in the box depends on everything: anywhere
    domain.lower.assign(domain.lower.size(), -wherever);
    domain.upper.assign(domain.upper.size(), wherever);
    return domain;
  }
  for (std::size_t k = 0; k < map.center.size(); ++k) {
    if (!map.is_driven(k)) continue;
    for (auto* bound : {&domain.lower[k], &domain.upper[k]}) *bound = (*bound - map.center[k]) * std::exp(-map.offset[k]);
  }
  // Of the box L y + m, row by row of the inverse of L: the smallest box that holds it.
  const std::size_t D = map.shift.size();
  for (std::size_t k = 0; k < D; ++k) {
    double low = domain.lower[k] - map.shift[k], high = domain.upper[k] - map.shift[k];
    for (std::size_t j = 0; j < k; ++j) {
      const double l = map.factor[k * D + j];
      if (l == 0) continue;  // also of a coordinate without bounds
      low -= std::max(l * domain.lower[j], l * domain.upper[j]);
      high -= std::min(l * domain.lower[j], l * domain.upper[j]);
    }
    domain.lower[k] = low / map.factor[k * D + k];
    domain.upper[k] = high / map.factor[k * D + k];
  }
  return domain;
}

EnergyFacts rescaled(EnergyFacts facts, const ScaleMap& map) {
  facts.domain = mapped(std::move(facts.domain), map);
  facts.entropy.reset();
  for (auto& mode : facts.modes) map.to_z(mode.center.data());
  if (facts.sample)
    facts.sample = [map, sample = std::move(facts.sample)](CounterRng& rng, double* x) {
      sample(rng, x);
      map.to_z(x);
    };
  return facts;
}

void detail::require_shapes(std::array<std::size_t, 2> points, std::array<std::size_t, 2> results, std::size_t dimension, Wanted wanted) {
  const std::size_t columns = result_columns(wanted, dimension);
  if (points[1] == dimension && results[0] == points[0] && results[1] >= columns && results[1] <= dimension + 2) return;
  throw Error(ExitCode::internal_error,
              fmt::format("Energy::evaluate: points [{}][{}] and results [{}][{}] do not fit dimension {} and {} wanted column(s)",
                          points[0], points[1], results[0], results[1], dimension, columns));
}

}  // namespace boltzcurve
