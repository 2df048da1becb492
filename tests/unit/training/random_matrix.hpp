#pragma once

#include <boltzcurve/counter_rng.hpp>
#include "training/small_matrices.hpp"

#include <algorithm>
#include <cmath>

namespace boltzcurve::testing {

/// Independent standard normal entries; other draws for every `seed`.
inline Matrix random_matrix(std::size_t rows, std::size_t columns, std::uint64_t seed) {
  Matrix matrix(rows, columns);
  CounterRng rng(seed, RandomStream::test, rows, columns);
  for (double& entry : matrix.values) entry = rng.normal();
  return matrix;
}

inline double largest_difference(const MatrixView& a, const MatrixView& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < a.columns; ++j) largest = std::max(largest, std::fabs(a(i, j) - b(i, j)));
  return largest;
}

}  // namespace boltzcurve::testing
