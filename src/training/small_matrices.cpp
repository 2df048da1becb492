#include "training/small_matrices.hpp"
#include "simd/pack.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace boltzcurve {
namespace {

// Products are made of tiles that stay in registers: tile_rows x tile_columns sums, with operands repacked so that each step of the sum
// reads contiguous numbers. 8 x 2 packs are 16 of the 32 registers of AVX-512, 4 x 2 are 8 of the 16 of AVX.
// On the host also where kernels run on a GPU, hence no Pack.
using Lanes __attribute__((vector_size(host_vector_bytes))) = double;
constexpr std::size_t lane_count = host_vector_bytes / sizeof(double);
constexpr std::size_t tile_rows = host_vector_bytes >= 64 ? 8 : 4;
constexpr std::size_t tile_columns = 2 * lane_count;

enum class Part { whole, upper_tiles };

std::size_t padded(std::size_t n, std::size_t granule) { return (n + granule - 1) / granule * granule; }

/// `a` in strips of `strip` rows, each column by column, filled up with zeros.
void pack(const MatrixView& a, std::size_t strip, std::vector<double>& strips) {
  strips.resize(padded(a.rows, strip) * a.columns);
  for (std::size_t i = 0; i < a.rows; i += strip) {
    const std::size_t height = std::min(strip, a.rows - i);
    double* const to = strips.data() + i * a.columns;
    if (height < strip) std::fill_n(to, strip * a.columns, 0.0);
    if (a.row_step == 1) {
      for (std::size_t k = 0; k < a.columns; ++k) std::copy_n(&a.data[i + k * a.column_step], height, to + k * strip);
    } else {
      for (std::size_t r = 0; r < height; ++r)
        for (std::size_t k = 0; k < a.columns; ++k) to[k * strip + r] = a(i + r, k);
    }
  }
}

/// tile [tile_rows][tile_columns] = sum over `terms` of a column of `left` times a row of `right`.
void multiply_tile(std::size_t terms, const double* left, const double* right, double* tile) {
  Lanes sums[tile_rows][2];
  BOLTZCURVE_UNROLL(8)
  for (std::size_t r = 0; r < tile_rows; ++r) sums[r][0] = sums[r][1] = Lanes{};
  for (std::size_t k = 0; k < terms; ++k) {
    Lanes b0, b1;
    std::memcpy(&b0, right + k * tile_columns, sizeof(Lanes));
    std::memcpy(&b1, right + k * tile_columns + lane_count, sizeof(Lanes));
    BOLTZCURVE_UNROLL(8)
    for (std::size_t r = 0; r < tile_rows; ++r) {
      const double a = left[k * tile_rows + r];
      sums[r][0] += a * b0;
      sums[r][1] += a * b1;
    }
  }
  BOLTZCURVE_UNROLL(8)
  for (std::size_t r = 0; r < tile_rows; ++r) {
    std::memcpy(tile + r * tile_columns, &sums[r][0], sizeof(Lanes));
    std::memcpy(tile + r * tile_columns + lane_count, &sums[r][1], sizeof(Lanes));
  }
}

Matrix multiply(const MatrixView& a, const MatrixView& b, Part part) {
  Matrix c(a.rows, b.columns);
  const std::size_t terms = a.columns;
  static thread_local std::vector<double> left, right;  // kept: fresh memory would cost as much as the products
  pack(a, tile_rows, left);
  pack(b.transposed(), tile_columns, right);
  double tile[tile_rows * tile_columns];
  for (std::size_t j = 0; j < c.columns; j += tile_columns) {
    const std::size_t width = std::min(tile_columns, c.columns - j);
    for (std::size_t i = 0; i < c.rows; i += tile_rows) {
      if (part == Part::upper_tiles && i >= j + width) break;
      multiply_tile(terms, left.data() + i * terms, right.data() + j * terms, tile);
      const std::size_t height = std::min(tile_rows, c.rows - i);
      for (std::size_t r = 0; r < height; ++r) std::copy_n(tile + r * tile_columns, width, &c(i + r, j));
    }
  }
  return c;
}

/// The reflection I - factor v v^T, v being `tail` [count] itself, that takes the given vector to (its norm, 0, ..., 0). Returns
/// `factor`, 0 if the vector is that already. `largest` of the vector is taken out first, so that nothing over- or underflows.
double reflection_of(double* tail, std::size_t count) {
  double largest = 0, rest = 0;
  for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs(tail[i]));
  if (largest == 0) return 0;
  for (std::size_t i = 0; i < count; ++i) tail[i] /= largest;
  for (std::size_t i = 1; i < count; ++i) rest += tail[i] * tail[i];
  if (rest == 0 && tail[0] > 0) return 0;
  const double norm = std::sqrt(tail[0] * tail[0] + rest);
  // tail[0] - norm, without cancellation where tail[0] is positive
  tail[0] = tail[0] > 0 ? -rest / (tail[0] + norm) : tail[0] - norm;
  return 2 / (tail[0] * tail[0] + rest);
}

/// Applies the reflection to rows [first, size) and columns [column, size) of `a`; v [size - first].
void reflect(Matrix& a, std::size_t first, std::size_t column, const double* v, double factor, std::vector<double>& projection) {
  const std::size_t count = a.columns - column;
  double* const sums = projection.data();
  std::fill_n(sums, count, 0.0);
  for (std::size_t i = first; i < a.rows; ++i) {
    const double* const row = &a(i, column);
    const double vi = v[i - first];
    for (std::size_t c = 0; c < count; ++c) sums[c] += vi * row[c];
  }
  for (std::size_t i = first; i < a.rows; ++i) {
    double* const row = &a(i, column);
    const double vi = factor * v[i - first];
    for (std::size_t c = 0; c < count; ++c) row[c] -= vi * sums[c];
  }
}

}  // namespace

Matrix identity_matrix(std::size_t size) {
  Matrix identity(size, size);
  for (std::size_t i = 0; i < size; ++i) identity(i, i) = 1;
  return identity;
}

Matrix product(const MatrixView& a, const MatrixView& b) { return multiply(a, b, Part::whole); }

Matrix gram(const MatrixView& a) {
  Matrix c = multiply(a, a.transposed(), Part::upper_tiles);
  for (std::size_t i = 1; i < c.rows; ++i)
    for (std::size_t j = 0; j < i; ++j) c(i, j) = c(j, i);
  return c;
}

Matrix orthogonal_factor(const MatrixView& square) {
  const std::size_t n = square.rows;
  Matrix a(n, n), reflections(n, n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) a(i, j) = square(i, j);
  std::vector<double> factors(n), projection(n);
  for (std::size_t k = 0; k < n; ++k) {  // reflection k takes column k to the diagonal
    double* const v = &reflections(k, k);
    for (std::size_t i = k; i < n; ++i) v[i - k] = a(i, k);
    factors[k] = reflection_of(v, n - k);
    if (factors[k] != 0) reflect(a, k, k + 1, v, factors[k], projection);
  }
  Matrix q = identity_matrix(n);
  for (std::size_t k = n; k-- > 0;)
    if (factors[k] != 0) reflect(q, k, k, &reflections(k, k), factors[k], projection);
  return q;
}

}  // namespace boltzcurve
