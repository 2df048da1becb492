#include "metrics/energy_distance.hpp"
#include "core/heartbeat.hpp"
#include "parallel/ordered_sum.hpp"
#include "simd/pack_math.hpp"

#include <algorithm>
#include <limits>

namespace boltzcurve {
namespace {

using P = Pack<double>;
// Part of the result's definition: a block of rows is summed by itself, tile by tile of columns. A tile of 32-dimensional points fits in
// the second-level cache, where the rows of a block find it again.
constexpr std::int64_t rows_per_block = 64, columns_per_tile = 512;
constexpr std::int64_t blocks_at_once = 256;  // between signs of life

// Sum over j in [begin, end) of |x_i - y_j|. A lane is a j.
double row_sum(const HostPoints<const double>& x, std::int64_t i, const HostPoints<const double>& y, std::int64_t begin, std::int64_t end) {
  const int dimension = static_cast<int>(x.extent(1));
  P sums = 0;
  std::int64_t j = begin;
  for (; j + P::lanes <= end; j += P::lanes) {
    P square = 0;
    for (int d = 0; d < dimension; ++d) {
      const P difference = P(x(i, d)) - P::load(&y(j, d));
      square += difference * difference;
    }
    sums += sqrt(square);
  }
  double sum = 0;
  for (int lane = 0; lane < P::lanes; ++lane) sum += sums[lane];
  for (; j < end; ++j) {
    double square = 0;
    for (int d = 0; d < dimension; ++d) square += (x(i, d) - y(j, d)) * (x(i, d) - y(j, d));
    sum += std::sqrt(square);
  }
  return sum;
}

// Adds part(i, begin, end), the share of row i in those columns, over all rows and columns: in order within a block of rows, then block by
// block, whichever rank did them.
template <class Part>
double sum_of_rows(const Communicator& ranks, std::int64_t rows, std::int64_t columns, const Part& part) {
  const auto mine = shard_of(rows, rows_per_block, ranks.rank(), ranks.size());
  const auto blocks = (mine.count + rows_per_block - 1) / rows_per_block;
  std::vector<double> sums(static_cast<std::size_t>(blocks));
  double* const block_sums = sums.data();
  for (std::int64_t begun = 0; begun < blocks; begun += blocks_at_once) {
    Kokkos::parallel_for("boltzcurve::metrics::sum_of_distances",
                         Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(begun, std::min(begun + blocks_at_once, blocks)),
                         [=](const std::int64_t block) {
                           const auto first = mine.first + block * rows_per_block;
                           const auto last = std::min(first + rows_per_block, mine.first + mine.count);
                           double sum = 0;
                           for (std::int64_t begin = 0; begin < columns; begin += columns_per_tile)
                             for (auto i = first; i < last; ++i) sum += part(i, begin, std::min(begin + columns_per_tile, columns));
                           block_sums[block] = sum;
                         });
    Kokkos::fence();
    heartbeat();
  }
  return sum_of_blocks(ranks, sums, 1).front();
}

std::int64_t rows_of(const HostPoints<const double>& points) { return static_cast<std::int64_t>(points.extent(0)); }

}  // namespace

double sum_of_distances(const Communicator& ranks, HostPoints<const double> x, HostPoints<const double> y) {
  return sum_of_rows(ranks, rows_of(x), rows_of(y),
                     [=](std::int64_t i, std::int64_t begin, std::int64_t end) { return row_sum(x, i, y, begin, end); });
}

// Row i takes the next (N-1)/2 points, going round at the end, so that all rows are equally long; for even N the opposite point is left
// over, and the first half of the rows take it.
double sum_of_distances(const Communicator& ranks, HostPoints<const double> x) {
  const auto n = rows_of(x), half = (n - 1) / 2;
  return sum_of_rows(ranks, n, n, [=](std::int64_t i, std::int64_t begin, std::int64_t end) {
    const auto stop = i + 1 + half + (n % 2 == 0 && i < n / 2 ? 1 : 0);
    return row_sum(x, i, x, begin, std::min(end, stop - n)) + row_sum(x, i, x, std::max(begin, i + 1), std::min(end, stop));
  });
}

EnergyDistance energy_distance(const Communicator& ranks, HostPoints<const double> x, HostPoints<const double> y) {
  const auto n = static_cast<double>(x.extent(0)), m = static_cast<double>(y.extent(0));
  const double between = sum_of_distances(ranks, x, y) / (n * m), within_x = sum_of_distances(ranks, x),
               within_y = sum_of_distances(ranks, y);
  // Sums within a set are over half of the ordered pairs: the 2 cancels the convention's 1/2.
  EnergyDistance result{between - within_x / (n * n) - within_y / (m * m), std::numeric_limits<double>::quiet_NaN()};
  if (n > 1 && m > 1) result.u_statistic = between - within_x / (n * (n - 1)) - within_y / (m * (m - 1));
  return result;
}

std::vector<Measured> measure_energy_distance(const MetricInput& input) {
  const auto first_points = [&](const HostPoints<const double>& points) {
    return gather_points(input.ranks, points, input.distance_points);
  };
  const auto finished = first_points(finished_positions(input)), exact = first_points(input.exact),
             exact_again = first_points(input.exact_again);
  const auto n = rows_of(finished), m = rows_of(exact), again = rows_of(exact_again);
  std::vector<Measured> measured = {
      {"energy_distance", std::nullopt, n}, {"energy_distance_unbiased", std::nullopt, n}, {"energy_distance_floor", std::nullopt, again}};
  if (n > 0 && m > 0) {
    const auto distance = energy_distance(input.ranks, finished, exact);
    measured[0].value = distance.v_statistic;
    measured[1].value = distance.u_statistic;
  }
  if (again > 0 && m > 0) measured[2].value = energy_distance(input.ranks, exact_again, exact).v_statistic;
  return measured;
}

}  // namespace boltzcurve
