#include <boltzcurve/error.hpp>
#include "training/optimizer.hpp"

#include <gtest/gtest.h>

#include "unit/training/random_matrix.hpp"

namespace boltzcurve {
namespace {

using testing::largest_difference;
using testing::random_matrix;

std::vector<ParameterTensor> one_matrix(std::size_t rows, std::size_t columns) {
  return {{"w", static_cast<int>(rows), static_cast<int>(columns), 0, false}};
}

OptimizerState::Array& array(OptimizerState& state, const std::string& name) {
  for (auto& found : state.arrays)
    if (found.name == name) return found;
  throw Error(ExitCode::internal_error, "the state has no " + name);
}

Matrix matrix(OptimizerState& state, const std::string& name) {
  const auto& found = array(state, name);
  Matrix copy(static_cast<std::size_t>(found.rows), static_cast<std::size_t>(found.columns));
  copy.values = found.values;
  return copy;
}

Matrix diagonal(const std::vector<double>& entries) {
  Matrix d(entries.size(), entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) d(i, i) = entries[i];
  return d;
}

constexpr std::int64_t never = 1000000000;

std::unique_ptr<Optimizer> made(OptimizerName name, OptimizerSettings settings, const std::vector<ParameterTensor>& tensors) {
  settings.name = name;
  return make_optimizer(settings, tensors);
}

/// A state in which a first gradient has been seen and the bases are these.
OptimizerState started(const Optimizer& soap, const Matrix& left, const Matrix& right) {
  OptimizerState state = soap.initial_state();
  array(state, "left_factor/w").values = identity_matrix(left.rows).values;
  array(state, "right_factor/w").values = identity_matrix(right.rows).values;
  array(state, "left_basis/w").values = left.values;
  array(state, "right_basis/w").values = right.values;
  return state;
}

TEST(Soap, IsAdamToTheBitWhereBasesAreTheIdentity) {
  const OptimizerSettings settings{.gradient_clip = 5, .precondition_every = never};
  const auto tensors = one_matrix(9, 17);
  const auto soap = made(OptimizerName::soap, settings, tensors), adam = made(OptimizerName::adam, settings, tensors);
  auto soap_state = started(*soap, identity_matrix(9), identity_matrix(17)), adam_state = adam->initial_state();
  Matrix x = random_matrix(9, 17, 1), y = x;
  for (std::uint64_t n = 0; n < 30; ++n) {
    const Matrix gradient = random_matrix(9, 17, 2 + n);
    EXPECT_EQ(soap->update(soap_state, x.values, gradient.values, 1e-2), adam->update(adam_state, y.values, gradient.values, 1e-2));
    EXPECT_EQ(x.values, y.values);
  }
}

TEST(Soap, IsAdamForBiasesAndSidesOfOneOrOfMoreThanTheLimit) {
  const std::vector<ParameterTensor> tensors = {{"bias", 5, 1, 0, true}, {"number", 1, 1, 5, false}, {"long", 1, 2049, 6, false}};
  const auto soap = made(OptimizerName::soap, {}, tensors), adam = made(OptimizerName::adam, {}, tensors);
  auto soap_state = soap->initial_state(), adam_state = adam->initial_state();
  EXPECT_EQ(soap_state, adam_state);
  Matrix x(1, 2055), y(1, 2055);
  for (std::uint64_t n = 0; n < 3; ++n) {
    const Matrix gradient = random_matrix(1, 2055, n);
    soap->update(soap_state, x.values, gradient.values, 1e-2);
    adam->update(adam_state, y.values, gradient.values, 1e-2);
  }
  EXPECT_EQ(x.values, y.values);
}

// With Q_L and Q_R fixed, W' = Q_L^T W Q_R moves as Adam moves it along Q_L^T G Q_R.
TEST(Soap, IsAdamInTheCoordinatesOfItsBases) {
  const OptimizerSettings settings{.precondition_every = never};
  const auto tensors = one_matrix(7, 3);
  const auto soap = made(OptimizerName::soap, settings, tensors), adam = made(OptimizerName::adam, settings, tensors);
  const Matrix left = orthogonal_factor(random_matrix(7, 7, 1)), right = orthogonal_factor(random_matrix(3, 3, 2));
  auto soap_state = started(*soap, left, right), adam_state = adam->initial_state();
  Matrix x = random_matrix(7, 3, 3), turned = product(product(left.transposed(), x), right);
  for (std::uint64_t n = 0; n < 20; ++n) {
    const Matrix gradient = random_matrix(7, 3, 4 + n);
    soap->update(soap_state, x.values, gradient.values, 1e-2);
    adam->update(adam_state, turned.values, product(product(left.transposed(), gradient), right).values, 1e-2);
  }
  EXPECT_LT(largest_difference(product(product(left.transposed(), x), right), turned), 1e-13);
}

// Singular values 8, 4, 2, 1 of the gradient are eigenvalues 64, 16, 4, 1 of its factors, which a round of iteration tells apart by a
// factor of four: ten rounds leave 4^-10 times 8 of the gradient off the diagonal.
TEST(Soap, FirstGradientThatIsNotZeroChoosesBasesOnly) {
  const auto soap = made(OptimizerName::soap, {}, one_matrix(4, 4));
  auto state = soap->initial_state();
  const Matrix u = orthogonal_factor(random_matrix(4, 4, 1)), v = orthogonal_factor(random_matrix(4, 4, 2)), zero(4, 4);
  const Matrix gradient = product(product(u, diagonal({8, 4, 2, 1})), v.transposed()), start = random_matrix(4, 4, 3);
  Matrix x = start;
  soap->update(state, x.values, zero.values, 0.1);
  EXPECT_EQ(matrix(state, "left_basis/w").values, identity_matrix(4).values);
  soap->update(state, x.values, gradient.values, 0.1);
  EXPECT_EQ(x.values, start.values);

  const Matrix turned = product(product(matrix(state, "left_basis/w").transposed(), gradient), matrix(state, "right_basis/w"));
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j) EXPECT_NEAR(i == j ? 0 : turned(i, j), 0, 1e-4) << i << " " << j;
  soap->update(state, x.values, gradient.values, 0.1);
  EXPECT_NE(x.values, start.values);
}

// Gradients U diag(3, 2, 1, .5) V^T of random sign and order of magnitude 1: the factors' eigenvectors are the columns of U and V.
TEST(Soap, BasesBecomeEigenvectorsOfTheFactorsLargestFirst) {
  const auto soap = made(OptimizerName::soap, {.precondition_every = 2}, one_matrix(4, 4));
  auto state = soap->initial_state();
  const Matrix u = orthogonal_factor(random_matrix(4, 4, 1)), v = orthogonal_factor(random_matrix(4, 4, 2));
  const Matrix singular = product(product(u, diagonal({1, 3, 0.5, 2})), v.transposed());
  Matrix x(4, 4);
  for (std::uint64_t n = 0; n < 60; ++n) {
    Matrix gradient = singular;
    const double scale = 1 + 0.5 * std::sin(static_cast<double>(n));
    for (double& entry : gradient.values) entry *= scale;
    soap->update(state, x.values, gradient.values, 1e-3);
  }
  for (const std::string side : {"left", "right"}) {
    const Matrix q = matrix(state, side + "_basis/w");
    EXPECT_LT(largest_difference(product(q.transposed(), q), identity_matrix(4)), 1e-14);
    const Matrix eigenvalues = product(product(q.transposed(), matrix(state, side + "_factor/w")), q);
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 4; ++j) EXPECT_NEAR(i == j ? 0 : eigenvalues(i, j), 0, 1e-10) << side;
    for (std::size_t i = 1; i < 4; ++i) EXPECT_GT(eigenvalues(i - 1, i - 1), 2 * eigenvalues(i, i)) << side;
  }
}

// Turned back, the first moment is the running mean of the gradients, however often the bases changed; factors are those of G G^T, G^T G.
TEST(Soap, FirstMomentTurnsWithTheBasesOfRunningMeans) {
  const auto soap = made(OptimizerName::soap, {.precondition_every = 1, .preconditioner_decay = 0.75}, one_matrix(6, 4));
  auto state = soap->initial_state();
  Matrix x(6, 4), mean(6, 4), left(6, 6), right(4, 4);
  const auto average = [](double keep, Matrix& running, const Matrix& latest) {
    for (std::size_t i = 0; i < running.values.size(); ++i) running.values[i] = keep * running.values[i] + (1 - keep) * latest.values[i];
  };
  for (std::uint64_t n = 0; n < 40; ++n) {
    const Matrix gradient = random_matrix(6, 4, n);
    soap->update(state, x.values, gradient.values, 1e-3);
    if (n > 0) average(0.9, mean, gradient);  // the first one chooses bases only
    average(0.75, left, gram(gradient));
    average(0.75, right, gram(gradient.transposed()));
  }
  const Matrix back =
      product(product(matrix(state, "left_basis/w"), matrix(state, "first_moment/w")), matrix(state, "right_basis/w").transposed());
  EXPECT_LT(largest_difference(back, mean), 1e-14);
  EXPECT_LT(largest_difference(matrix(state, "left_factor/w"), left), 1e-14);
  EXPECT_LT(largest_difference(matrix(state, "right_factor/w"), right), 1e-14);
}

// Factors diag(1, 4) make the basis' two vectors change places, and with them rows and columns of the second moment.
TEST(Soap, SecondMomentFollowsTheOrderOfTheBases) {
  const auto soap = made(OptimizerName::soap, {.beta2 = 0.5, .precondition_every = 1}, one_matrix(2, 2));
  auto state = started(*soap, identity_matrix(2), identity_matrix(2));
  array(state, "left_factor/w").values = array(state, "right_factor/w").values = diagonal({1, 4}).values;
  array(state, "second_moment/w").values = {1, 2, 3, 4};
  Matrix x(2, 2);
  soap->update(state, x.values, diagonal({1, 2}).values, 1e-3);
  EXPECT_EQ(array(state, "left_basis/w").values, (std::vector<double>{0, 1, 1, 0}));
  EXPECT_EQ(array(state, "right_basis/w").values, (std::vector<double>{0, 1, 1, 0}));
  EXPECT_EQ(array(state, "second_moment/w").values, (std::vector<double>{(4 + 4) / 2.0, 3 / 2.0, 2 / 2.0, (1 + 1) / 2.0}));
}

/// <W - W*, A (W - W*) B> / 2 after `steps` of a cosine from `rate` to 0, A and B of condition 100 each with random eigenvectors.
double loss_on_a_quadratic(OptimizerName name, double rate) {
  constexpr std::size_t rows = 12, columns = 10;
  const auto positive = [](std::size_t size, std::uint64_t seed) {
    std::vector<double> eigenvalues(size);
    for (std::size_t i = 0; i < size; ++i) eigenvalues[i] = std::pow(100.0, -static_cast<double>(i) / static_cast<double>(size - 1));
    const Matrix q = orthogonal_factor(random_matrix(size, size, seed));
    return product(product(q, diagonal(eigenvalues)), q.transposed());
  };
  const Matrix a = positive(rows, 1), b = positive(columns, 2), minimum = random_matrix(rows, columns, 3);
  const auto optimizer = made(name, {.beta2 = 0.999}, one_matrix(rows, columns));
  auto state = optimizer->initial_state();
  Matrix w(rows, columns);
  double loss = 0;
  const LearningRate schedule{{.learning_rate = rate, .final_learning_rate = 0, .warm_up_steps = 0}, 1000};
  for (std::int64_t step = 0; step <= schedule.planned_steps; ++step) {
    Matrix away = w;
    for (std::size_t i = 0; i < w.values.size(); ++i) away.values[i] -= minimum.values[i];
    const Matrix gradient = product(product(a, away), b);
    loss = 0;
    for (std::size_t i = 0; i < w.values.size(); ++i) loss += away.values[i] * gradient.values[i] / 2;
    optimizer->update(state, w.values, gradient.values, schedule.at(step));
  }
  return loss;
}

TEST(Soap, ReachesAFarSmallerLossThanAdamOnATurnedQuadraticOfCondition10000) {
  for (const double rate : {3e-2, 1e-1, 3e-1}) {
    const double adam = loss_on_a_quadratic(OptimizerName::adam, rate), soap = loss_on_a_quadratic(OptimizerName::soap, rate);
    EXPECT_LT(soap, 1e-3 * adam) << "rate " << rate << ": Adam " << adam << ", SOAP " << soap;
  }
}

}  // namespace
}  // namespace boltzcurve
