#include "training/small_matrices.hpp"

#include <gtest/gtest.h>

#include "unit/training/random_matrix.hpp"

namespace boltzcurve {
namespace {

using testing::largest_difference;
using testing::random_matrix;

Matrix plain_product(const MatrixView& a, const MatrixView& b) {
  Matrix c(a.rows, b.columns);
  for (std::size_t i = 0; i < c.rows; ++i)
    for (std::size_t j = 0; j < c.columns; ++j)
      for (std::size_t k = 0; k < a.columns; ++k) c(i, j) += a(i, k) * b(k, j);
  return c;
}

// Sides around the tiles' sizes. The same sum in the same order; one rounding of each term may be left out (fused multiply-add), so that
// the two differ by less than terms * 2^-53 * the largest term (16 here).
TEST(SmallMatrices, ProductIsTheSumOverTheInnerIndexForEverySizeAndTransposition) {
  for (const std::size_t rows : {1, 2, 7, 8, 9, 17, 64})
    for (const std::size_t columns : {1, 3, 15, 16, 17, 33, 64})
      for (const std::size_t terms : {1, 2, 5, 64}) {
        SCOPED_TRACE(::testing::Message() << rows << " x " << terms << " x " << columns);
        const Matrix a = random_matrix(rows, terms, 1), b = random_matrix(terms, columns, 2);
        const Matrix a_lying = random_matrix(terms, rows, 3), b_lying = random_matrix(columns, terms, 4);
        const double bound = static_cast<double>(terms) * 16 * 0x1p-53;
        EXPECT_LE(largest_difference(product(a, b), plain_product(a, b)), bound);
        EXPECT_LE(largest_difference(product(a_lying.transposed(), b), plain_product(a_lying.transposed(), b)), bound);
        EXPECT_LE(largest_difference(product(a, b_lying.transposed()), plain_product(a, b_lying.transposed())), bound);
      }
}

TEST(SmallMatrices, GramIsTheProductWithTheTransposeToTheBit) {
  for (const std::size_t size : {1, 5, 16, 17, 40}) {
    const Matrix a = random_matrix(size, 23, 1);
    EXPECT_EQ(gram(a).values, product(a, a.transposed()).values) << size;
    EXPECT_EQ(gram(a.transposed()).values, product(a.transposed(), a).values) << size;
  }
}

void expect_orthonormal(const Matrix& q) { EXPECT_LT(largest_difference(product(q.transposed(), q), identity_matrix(q.rows)), 1e-13); }

TEST(OrthogonalFactor, IsOrthonormalAndLeavesAnUpperTriangleWithPositiveDiagonal) {
  for (const std::size_t size : {1, 2, 3, 16, 31, 64, 130}) {
    SCOPED_TRACE(size);
    const Matrix a = random_matrix(size, size, 5), q = orthogonal_factor(a), r = product(q.transposed(), a);
    expect_orthonormal(q);
    for (std::size_t i = 0; i < size; ++i) {
      EXPECT_GT(r(i, i), 0);
      for (std::size_t j = 0; j < i; ++j) EXPECT_NEAR(r(i, j), 0, 1e-13 * static_cast<double>(size));
    }
  }
}

TEST(OrthogonalFactor, IsOrthonormalWhereColumnsDependOnEachOther) {
  const std::size_t size = 40;
  const Matrix few = random_matrix(size, 3, 6);
  const Matrix rank_three = product(few, few.transposed());
  const Matrix q = orthogonal_factor(rank_three);
  expect_orthonormal(q);
  // Its first three columns span what the matrix spans.
  const Matrix coordinates = product(q.transposed(), few);
  for (std::size_t i = 3; i < size; ++i)
    for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(coordinates(i, j), 0, 1e-12);

  EXPECT_EQ(orthogonal_factor(Matrix(size, size)).values, identity_matrix(size).values);
  EXPECT_EQ(orthogonal_factor(identity_matrix(size)).values, identity_matrix(size).values);
}

TEST(OrthogonalFactor, IsOrthonormalForTinyHugeAndVeryUnequalColumns) {
  const std::size_t size = 24;
  for (const double scale : {1e-310, 1e-200, 1e200, 1e307}) {
    Matrix a = random_matrix(size, size, 7), unequal = a;
    for (double& entry : a.values) entry *= scale;
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j) unequal(i, j) *= j % 2 == 0 ? 1 : scale;
    SCOPED_TRACE(scale);
    expect_orthonormal(orthogonal_factor(a));
    expect_orthonormal(orthogonal_factor(unequal));
  }
}

}  // namespace
}  // namespace boltzcurve
