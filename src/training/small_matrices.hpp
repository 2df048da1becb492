#pragma once

#include <cstddef>
#include <vector>

namespace boltzcurve {

/// A dense matrix, read only, wherever it is: entry (i, j) at data[i * row_step + j * column_step].
struct MatrixView {
  const double* data;
  std::size_t rows, columns, row_step, column_step;

  double operator()(std::size_t i, std::size_t j) const { return data[i * row_step + j * column_step]; }
  MatrixView transposed() const { return {data, columns, rows, column_step, row_step}; }
};

/// A dense matrix, row by row.
struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<double> values;

  Matrix() = default;
  Matrix(std::size_t height, std::size_t width) : rows(height), columns(width), values(height * width, 0.0) {}
  double& operator()(std::size_t i, std::size_t j) { return values[i * columns + j]; }
  double operator()(std::size_t i, std::size_t j) const { return values[i * columns + j]; }
  operator MatrixView() const { return {values.data(), rows, columns, columns, 1}; }
  MatrixView transposed() const { return MatrixView(*this).transposed(); }
};

Matrix identity_matrix(std::size_t size);

// Products for a side of up to some thousand, on one thread. Every entry is a sum from the first term to the last, so the bits depend
// on nothing but the operands and the compiler's flags.

/// a b.
Matrix product(const MatrixView& a, const MatrixView& b);

/// a a^T, symmetric to the bit.
Matrix gram(const MatrixView& a);

/// The orthogonal factor Q of a square matrix = Q R with R upper triangular, its diagonal not negative, by Householder reflections (Eigen):
/// orthonormal to rounding for every finite matrix, of whatever rank; where a column adds no direction, some direction that is left.
Matrix orthogonal_factor(const MatrixView& square);

}  // namespace boltzcurve
