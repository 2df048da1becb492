#include "metrics/sliced_wasserstein.hpp"
#include <boltzcurve/counter_rng.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace boltzcurve {
namespace {

std::vector<double> direction(std::uint64_t seed, std::uint64_t projection, std::size_t dimension) {
  CounterRng random(seed, RandomStream::projections, 0, projection);
  std::vector<double> along(dimension);
  double square = 0;
  for (auto& entry : along) {
    entry = random.normal();
    square += entry * entry;
  }
  for (auto& entry : along) entry /= std::sqrt(square);
  return along;
}

/// All ranks' points along one direction, on rank `root`.
std::vector<double> projection(const Communicator& ranks, int root, const HostPoints<const double>& points,
                               const std::vector<double>& along) {
  std::vector<double> projected(points.extent(0), 0);
  for (std::size_t d = 0; d < along.size(); ++d)
    for (std::size_t i = 0; i < projected.size(); ++i) projected[i] += along[d] * points(i, d);
  return ranks.gather(projected, root);
}

}  // namespace

double squared_wasserstein(const std::vector<double>& sorted_a, const std::vector<double>& sorted_b) {
  // In units of 1/(N M), quantile i of a lies between i M and (i+1) M, quantile j of b between j N and (j+1) N: whole numbers.
  const auto n = sorted_a.size(), m = sorted_b.size();
  double sum = 0;
  std::size_t i = 0, j = 0, done = 0;
  while (i < n && j < m) {
    const std::size_t end_a = (i + 1) * m, end_b = (j + 1) * n, end = std::min(end_a, end_b);
    const double difference = sorted_a[i] - sorted_b[j];
    sum += static_cast<double>(end - done) * difference * difference;
    if (end == end_a) ++i;
    if (end == end_b) ++j;
    done = end;
  }
  return sum / (static_cast<double>(n) * static_cast<double>(m));
}

double sliced_wasserstein(const Communicator& ranks, HostPoints<const double> x, HostPoints<const double> y, std::uint64_t seed,
                          int projections) {
  // Gather one direction for every rank, then let each sort and compare its own: no rank ever holds more than one projection of all points.
  std::vector<double> squares(static_cast<std::size_t>(projections), 0.0);
  for (int first = 0; first < projections; first += ranks.size()) {
    std::vector<double> mine_x, mine_y;
    const int last = std::min(first + ranks.size(), projections);
    for (int p = first; p < last; ++p) {
      const auto along = direction(seed, static_cast<std::uint64_t>(p), x.extent(1));
      auto of_x = projection(ranks, p - first, x, along), of_y = projection(ranks, p - first, y, along);
      if (ranks.rank() != p - first) continue;
      mine_x = std::move(of_x);
      mine_y = std::move(of_y);
    }
    const int mine = first + ranks.rank();
    if (mine >= last) continue;
    std::sort(mine_x.begin(), mine_x.end());
    std::sort(mine_y.begin(), mine_y.end());
    squares[static_cast<std::size_t>(mine)] = squared_wasserstein(mine_x, mine_y);
  }
  // Each entry is zero on all ranks but one, so the sum over ranks has no rounding.
  ranks.sum(squares);
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0) / projections);
}

std::vector<Measured> measure_sliced_wasserstein(const MetricInput& input) {
  const auto finished = finished_positions(input);
  const auto n = total_count(input.ranks, finished.extent(0));
  if (n == 0 || total_count(input.ranks, input.exact.extent(0)) == 0) return {{"sliced_w2", std::nullopt, n}};
  return {{"sliced_w2", sliced_wasserstein(input.ranks, finished, input.exact, input.seed), n}};
}

}  // namespace boltzcurve
