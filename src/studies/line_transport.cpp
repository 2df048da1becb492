#include "studies/line_law.hpp"

namespace boltzcurve {
namespace {

constexpr int first_cells = 64, max_cells = 1 << 14;

LineEnergy on_both_lines(LineEnergy law, const LineEnergy& other) {
  law.lower = std::min(law.lower, other.lower);
  law.upper = std::max(law.upper, other.upper);
  law.corners.insert(law.corners.end(), other.corners.begin(), other.corners.end());
  std::sort(law.corners.begin(), law.corners.end());
  law.corners.erase(std::unique(law.corners.begin(), law.corners.end()), law.corners.end());
  return law;
}

}  // namespace

double kullback_leibler(const LineEnergy& law, const LineEnergy& other) {
  const auto here = on_both_lines(law, other), there = on_both_lines(other, law);
  int cells = first_cells;
  const auto on = [&](int count) {
    const detail::LineLaw p(here, count), q(there, count);
    double sum = 0;
    for (std::size_t i = 0; i < p.cells().nodes.size(); ++i)
      sum += p.cells().weight(i) * std::exp(p.log_density(i)) * (p.log_density(i) - q.log_density(i));
    return sum;
  };
  return detail::on_ever_finer_cells(
      cells, max_cells, on, [](double a, double b) { return detail::nearly_equal(a, b, 1e-10, 1e-13); }, "Kullback-Leibler divergence");
}

double squared_wasserstein_distance(const LineEnergy& from, const LineEnergy& to) {
  // Cells fine enough for both masses: with twice as many, log Z is the same.
  const auto law_of = [](const LineEnergy& energy) {
    int cells = first_cells;
    detail::on_ever_finer_cells(
        cells, max_cells, [&](int count) { return detail::LineLaw(energy, count).log_z(); },
        [](double a, double b) { return detail::nearly_equal(a, b, 1e-12, 1e-12); }, "law on the line");
    return detail::LineLaw(energy, 2 * cells);
  };
  const auto source = law_of(from), goal = law_of(to);
  const auto integrand = [&](double x) {
    const double density = source.density(x);
    if (density == 0) return 0.0;
    const double way = x - goal.quantile(source.below(x), source.above(x));
    return density * way * way;
  };
  // Cell by cell, so that no narrow mode falls between the first nodes.
  const auto& edges = source.cells().edges;
  const double length = std::max(from.upper, to.upper) - std::min(from.lower, to.lower);
  const IntegralTolerance tolerance{1e-8, 1e-9 * length * length / static_cast<double>(source.cells().count()) * 1e-3};
  double sum = 0;
  for (std::size_t c = 0; c + 1 < edges.size(); ++c)
    sum += integrate_adaptively(integrand, edges[c], edges[c + 1], tolerance, "Wasserstein distance");
  return sum;
}

}  // namespace boltzcurve
