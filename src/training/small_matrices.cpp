#include "training/small_matrices.hpp"
#include "simd/pack.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <Eigen/Core>
#include <Eigen/QR>

namespace boltzcurve {
namespace {

// Products are made here, not by Eigen, which takes 1.5 times as long at a side of 128 and 1.2 at 512 (AVX-512), and whose sums depend on
// the sizes of the caches that it finds. Products are made of tiles that stay in registers: tile_rows x tile_columns sums, with operands
// repacked so that each step of the sum reads contiguous numbers. 8 x 2 packs are 16 of the 32 registers of AVX-512, 4 x 2 are 8 of the 16
// of AVX. On the host also where kernels run on a GPU, hence no Pack.
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

Eigen::Index index(std::size_t n) { return static_cast<Eigen::Index>(n); }

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
  using Strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
  // How Eigen cuts its sums follows from the caches: from these on every machine, so that ranks on different ones get the same bits.
  [[maybe_unused]] static const bool caches_are_set = (Eigen::setCpuCacheSizes(32 << 10, 1 << 20, 16 << 20), true);
  const Eigen::Index n = index(square.rows);
  Eigen::MatrixXd scaled = Eigen::Map<const Eigen::MatrixXd, Eigen::Unaligned, Strides>(
      square.data, n, n, Strides(index(square.column_step), index(square.row_step)));
  // A column's length does not matter to Q: this one leaves nothing to over- or underflow.
  for (auto column : scaled.colwise())
    if (const double largest = column.cwiseAbs().maxCoeff(); largest > 0) column /= largest;
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(std::move(scaled));
  Eigen::MatrixXd q = qr.householderQ();
  for (Eigen::Index k = 0; k < n; ++k)
    if (qr.matrixQR()(k, k) < 0) q.col(k) *= -1;
  Matrix result(square.rows, square.rows);
  Eigen::Map<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(result.values.data(), n, n) = q;
  return result;
}

}  // namespace boltzcurve
