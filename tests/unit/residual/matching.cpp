// The kernel of matching against its definition with the reference network, against the residual's kernel and against central differences.
#include "residual/matching.hpp"

#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/error.hpp>
#include "curve/curve.hpp"
#include "curve/gradient_flow.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "support/reference_network.hpp"
#include "support/residual_batch.hpp"

namespace boltzcurve {
namespace {

using test::random_parameters;

constexpr double horizon = 3.0;
constexpr MatchingShape huber{LossKind::pseudo_huber, 4.0}, squared{LossKind::squared, 1.0};  // the first of the order of the errors below

/// Shapes of networks: dimension, width, hidden layers, kind, and whether a normalizer is there.
using Shape = std::tuple<int, int, int, NetworkKind, bool>;

CurveNetworks networks(const Shape& shape) {
  const auto [dimension, width, layers, kind, with_normalizer] = shape;
  std::vector<CurveNetwork> list = {{"psi", {dimension + 1, width, layers, 1, kind, 11}}};
  if (with_normalizer) list.push_back({"normalizer", {1, 5, 2}});
  return test::networks_of(dimension, list);
}

GradientFlow curve_of(int dimension) {
  GradientFlow curve;
  curve.dimension = dimension;
  curve.horizon = horizon;
  curve.form = CurveForm::anchored;
  curve.schedule = Schedule::linear;
  return curve;
}

template <class Real>
MatchingBatch<Real> random_batch(std::int64_t points, int dimension) {
  MatchingBatch<Real> batch(points, dimension);
  const auto t = Kokkos::create_mirror_view(batch.t), spread = Kokkos::create_mirror_view(batch.spread);
  const auto x = Kokkos::create_mirror_view(batch.x), base = Kokkos::create_mirror_view(batch.base),
             goal = Kokkos::create_mirror_view(batch.goal);
  for (std::size_t i = 0; i < static_cast<std::size_t>(points); ++i) {
    CounterRng rng(13, RandomStream::test, 0, i);
    t(i) = static_cast<Real>(horizon * rng.uniform());
    spread(i) = static_cast<Real>(0.2 + rng.uniform());
    for (const auto& rows : {x, base, goal})
      for (std::size_t k = 0; k < rows.extent(1); ++k) rows(i, k) = static_cast<Real>(rng.normal());
  }
  Kokkos::deep_copy(batch.t, t);
  Kokkos::deep_copy(batch.spread, spread);
  Kokkos::deep_copy(batch.x, x);
  Kokkos::deep_copy(batch.base, base);
  Kokkos::deep_copy(batch.goal, goal);
  return batch;
}

/// Points [begin, end) of a batch.
template <class Real>
MatchingBatch<Real> part_of(const MatchingBatch<Real>& batch, std::size_t begin, std::size_t end) {
  const auto points = std::make_pair(begin, end);
  MatchingBatch<Real> part;
  part.t = Kokkos::subview(batch.t, points);
  part.x = Kokkos::subview(batch.x, points, Kokkos::ALL);
  part.base = Kokkos::subview(batch.base, points, Kokkos::ALL);
  part.goal = Kokkos::subview(batch.goal, points, Kokkos::ALL);
  part.spread = Kokkos::subview(batch.spread, points);
  return part;
}

template <class Real = double>
std::unique_ptr<MatchingKernel<Real>> kernel_of(const CurveNetworks& nets, const MatchingShape& shape = huber) {
  return make_matching_kernel<GradientFlow, Real>(curve_of(static_cast<int>(nets.input_scale.size()) - 1), nets, shape);
}

template <class Real>
struct Found {
  double loss;
  std::vector<double> gradient;
  std::vector<Real> misfit;
};

/// Mean loss, gradient and misfits, the batch handed over in parts that begin at the given points.
template <class Real>
Found<Real> loss_and_gradient(MatchingKernel<Real>& kernel, const MatchingBatch<Real>& batch, const std::vector<double>& parameters,
                              Reduction reduction = Reduction::fast, const std::vector<std::size_t>& begins = {0}) {
  kernel.set_parameters(parameters);
  const auto n = static_cast<std::size_t>(batch.size());
  ReproducibleSum sum(kernel.sum_borders(), partial_sums_of(batch.size()), reduction);
  const PointScalars<Real> misfit("test::misfit", n);
  std::vector<double> total;
  Found<Real> found;
  for (int round = 0; round < 3; ++round) {
    const auto sums = sum.begin();
    for (std::size_t i = 0; i < begins.size(); ++i) {
      const std::size_t begin = begins[i], end = i + 1 < begins.size() ? begins[i + 1] : n;
      kernel.add_loss_and_gradient(part_of(batch, begin, end), static_cast<std::int64_t>(end - begin), static_cast<double>(n), sums,
                                   Kokkos::subview(misfit, std::make_pair(begin, end)));
    }
    if (sum.finish(Communicator(MPI_COMM_SELF), total) == ReproducibleSum::Outcome::ok) break;
  }
  found.loss = kernel.unpack(total, found.gradient);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), misfit);
  found.misfit.assign(host.data(), host.data() + n);
  return found;
}

/// tau, psi and grad psi at a point, with the reference network.
struct Reference {
  double tau;
  std::vector<double> psi;  // value, then gradient

  Reference(const CurveNetworks& nets, const std::vector<double>& parameters, const MatchingBatch<double>& batch, std::size_t i) {
    const std::size_t D = nets.input_scale.size() - 1;
    const auto curve = curve_of(static_cast<int>(D));
    const double t = batch.t(i);
    tau = t;  // of the anchored form
    std::vector<double> point;
    for (std::size_t k = 0; k < D; ++k) point.push_back(batch.x(i, k));
    point.push_back(curve.clock_at(t).clock);
    psi = reference::psi_channels(*nets.find("psi"), nets.part_of("psi", parameters), nets.input_shift, nets.input_scale, point);
    psi.resize(D + 1);
  }
};

double loss_of(double q, const MatchingShape& shape) {
  const double w2 = shape.width * shape.width;
  return shape.kind == LossKind::squared ? q : 2 * w2 * (std::sqrt(1 + q / w2) - 1);
}

class Matching : public testing::TestWithParam<Shape> {};

INSTANTIATE_TEST_SUITE_P(Shapes, Matching,
                         testing::Values(Shape(1, 16, 2, NetworkKind::mlp, false), Shape(2, 13, 1, NetworkKind::mlp, true),
                                         Shape(5, 40, 3, NetworkKind::mlp, false), Shape(33, 20, 4, NetworkKind::mlp, true),
                                         Shape(5, 128, 2, NetworkKind::mlp, false), Shape(1, 16, 2, NetworkKind::additive, true),
                                         Shape(2, 24, 1, NetworkKind::additive, false), Shape(5, 13, 3, NetworkKind::additive, true),
                                         Shape(33, 33, 2, NetworkKind::additive, false)));

// 200 points fill one chunk and part of a second, in whose last tile points are missing. Sums of some thousand rounded products.
TEST_P(Matching, EqualsItsDefinitionWithTheReferenceNetworkInDouble) {
  const auto nets = networks(GetParam());
  const auto parameters = random_parameters(nets);
  const auto batch = random_batch<double>(203, std::get<0>(GetParam()));
  for (const auto& shape : {huber, squared}) {
    const auto kernel = kernel_of(nets, shape);
    const auto found = loss_and_gradient(*kernel, batch, parameters);
    double losses = 0;
    for (std::size_t i = 0; i < 203; ++i) {
      const Reference at(nets, parameters, batch, i);
      double square = 0;
      for (std::size_t k = 0; k < batch.x.extent(1); ++k)
        square += std::pow(batch.base(i, k) + at.tau * at.psi[k + 1] - batch.goal(i, k), 2);
      const double q = batch.spread(i) * square;
      EXPECT_NEAR(found.misfit[i], q, 1e-11 * (1 + q)) << "point " << i;
      losses += loss_of(q, shape);
    }
    EXPECT_NEAR(found.loss, losses / 203, 1e-12 * losses);
    const PointScalars<double> alone("test::misfit", 203);
    kernel->misfit(batch, 203, alone);
    for (std::size_t i = 0; i < 203; ++i) EXPECT_NEAR(alone(i), found.misfit[i], 1e-11 * (1 + alone(i))) << "point " << i;
  }
}

TEST_P(Matching, PsiAndItsGradientAreThoseOfTheReferenceNetwork) {
  const auto nets = networks(GetParam());
  const auto parameters = random_parameters(nets);
  const auto batch = random_batch<double>(45, std::get<0>(GetParam()));
  const auto kernel = kernel_of(nets);
  kernel->set_parameters(parameters);
  const PointScalars<double> psi("test::psi", 45);
  const Points<double> gradient("test::gradient", 45, batch.x.extent(1));
  kernel->psi_and_gradient(45, batch.t, batch.x, psi, gradient);
  for (std::size_t i = 0; i < 45; ++i) {
    const Reference at(nets, parameters, batch, i);
    EXPECT_NEAR(psi(i), at.tau * at.psi[0], 1e-12) << "point " << i;
    for (std::size_t k = 0; k < gradient.extent(1); ++k) EXPECT_NEAR(gradient(i, k), at.tau * at.psi[k + 1], 1e-12) << "point " << i;
  }
}

// The residual's kernel makes grad f_t - grad f_Z by tangents forward, here with f_Z = 0.
TEST_P(Matching, MeasuresTheVelocityOfTheResidualsKernel) {
  const int D = std::get<0>(GetParam());
  const auto nets = networks(GetParam());
  const auto parameters = random_parameters(nets);
  const auto batch = random_batch<double>(150, D);
  const Points<double> known("test::known", 150, static_cast<std::size_t>(2 * (D + 2))),
      velocity("test::velocity", 150, static_cast<std::size_t>(D));
  const PointScalars<double> divergence("test::divergence", 150);
  for (std::size_t i = 0; i < 150; ++i)
    for (std::size_t k = 0; k < velocity.extent(1); ++k) known(i, k + 1) = batch.base(i, k);
  const auto residual = make_residual_kernel<GradientFlow, double>(curve_of(D), nets);
  residual->set_parameters(parameters);
  residual->velocity(150, batch.t, batch.x, known, velocity, divergence);
  const auto found = loss_and_gradient(*kernel_of(nets), batch, parameters);
  for (std::size_t i = 0; i < 150; ++i) {
    double square = 0;
    for (std::size_t k = 0; k < velocity.extent(1); ++k) square += std::pow(velocity(i, k) - batch.goal(i, k), 2);
    EXPECT_NEAR(found.misfit[i], batch.spread(i) * square, 1e-11 * (1 + found.misfit[i])) << "point " << i;
  }
}

// Along a random direction within each tensor; at h = 1e-5 truncation ~ h^2 and rounding ~ 1e-16/h stay below 1e-9 of the gradient. A
// constant has no gradient: the last bias of psi, and of its heads, counts for nothing, as do other networks.
TEST_P(Matching, GradientOfEveryTensorEqualsCentralDifferences) {
  const auto nets = networks(GetParam());
  const auto parameters = random_parameters(nets);
  const auto batch = random_batch<double>(150, std::get<0>(GetParam()));
  constexpr double h = 1e-5;
  for (const auto& shape : {huber, squared}) {
    const auto kernel = kernel_of(nets, shape);
    const auto found = loss_and_gradient(*kernel, batch, parameters);
    ASSERT_EQ(found.gradient.size(), parameters.size());
    double largest = 0;
    for (const double slope : found.gradient) largest = std::max(largest, std::abs(slope));
    int without = 0;
    for (const auto& tensor : nets.tensors()) {
      const auto begin = static_cast<std::size_t>(tensor.offset), end = begin + static_cast<std::size_t>(tensor.size());
      auto ahead = parameters, behind = parameters;
      double along = 0, norm = 0;
      for (std::size_t i = begin; i < end; ++i) {
        const double direction = CounterRng(14, RandomStream::test, 0, i).normal() / std::sqrt(static_cast<double>(end - begin));
        ahead[i] += h * direction;
        behind[i] -= h * direction;
        along += direction * found.gradient[i];
        norm += found.gradient[i] * found.gradient[i];
      }
      const double slope = (loss_and_gradient(*kernel, batch, ahead).loss - loss_and_gradient(*kernel, batch, behind).loss) / (2 * h);
      EXPECT_NEAR(slope, along, 1e-6 * std::sqrt(norm) + 1e-8 * largest) << tensor.name;
      if (norm == 0) ++without;
    }
    const auto [dimension, width, layers, kind, with_normalizer] = GetParam();
    EXPECT_EQ(without, 1 + (kind == NetworkKind::additive ? dimension : 0) + (with_normalizer ? 6 : 0));
  }
}

TEST_P(Matching, FloatAgreesWithDoubleToItsPrecision) {
  const int D = std::get<0>(GetParam());
  const auto nets = networks(GetParam());
  const auto parameters = random_parameters(nets);
  const auto expected = loss_and_gradient(*kernel_of<double>(nets), random_batch<double>(300, D), parameters);
  const auto found = loss_and_gradient(*kernel_of<float>(nets), random_batch<float>(300, D), parameters);
  EXPECT_NEAR(found.loss, expected.loss, 1e-5 * expected.loss);
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    difference += std::pow(found.gradient[i] - expected.gradient[i], 2);
    norm += std::pow(expected.gradient[i], 2);
  }
  EXPECT_LT(std::sqrt(difference / norm), 1e-5);
}

// Parts begin at multiples of a chunk, as ranks and blocks of points do.
TEST_P(Matching, SumsDoNotDependOnHowPointsAreShared) {
  const auto nets = networks(GetParam());
  const auto parameters = random_parameters(nets);
  const auto batch = random_batch<float>(700, std::get<0>(GetParam()));
  const auto kernel = kernel_of<float>(nets);
  const auto whole = loss_and_gradient(*kernel, batch, parameters, Reduction::reproducible);
  for (const std::vector<std::size_t>& begins : {std::vector<std::size_t>{0, 128, 256, 384, 512, 640}, {0, 384}, {0, 640}}) {
    const auto parts = loss_and_gradient(*kernel, batch, parameters, Reduction::reproducible, begins);
    EXPECT_EQ(parts.loss, whole.loss);
    EXPECT_EQ(parts.gradient, whole.gradient);
    EXPECT_EQ(parts.misfit, whole.misfit);
  }
}

TEST(MatchingKernel, OfAPointDoesNotDependOnItsPlaceInTheBatch) {
  const auto nets = networks({3, 24, 2, NetworkKind::mlp, false});
  const auto kernel = kernel_of<float>(nets);
  kernel->set_parameters(random_parameters(nets));
  const auto batch = random_batch<float>(333, 3);
  const PointScalars<float> together("test::misfit", 333), alone("test::misfit", 1);
  kernel->misfit(batch, 333, together);
  for (const std::size_t i : {0, 1, 31, 32, 127, 128, 200, 332}) {
    kernel->misfit(part_of(batch, i, i + 1), 1, alone);
    EXPECT_EQ(alone(0), together(i)) << "point " << i;
  }
}

TEST(MatchingKernel, ReportsANonFiniteGoalAndGivesNoSum) {
  const auto nets = networks({2, 16, 2, NetworkKind::mlp, false});
  const auto batch = random_batch<float>(300, 2);
  batch.goal(177, 1) = std::numeric_limits<float>::quiet_NaN();
  const auto kernel = kernel_of<float>(nets);
  kernel->set_parameters(random_parameters(nets));
  ReproducibleSum sum(kernel->sum_borders(), 3, Reduction::reproducible);
  const PointScalars<float> misfit("test::misfit", 300);
  std::vector<double> total;
  kernel->add_loss_and_gradient(batch, 300, 300, sum.begin(), misfit);
  EXPECT_EQ(sum.finish(Communicator(MPI_COMM_SELF), total), ReproducibleSum::Outcome::nonfinite);
  for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(std::isnan(misfit(i)), i == 177) << "point " << i;
}

TEST(MatchingKernel, KnowsTwoLossesOnly) {
  EXPECT_THROW(kernel_of(networks({2, 16, 2, NetworkKind::mlp, false}), {LossKind::absolute_and_squared, 1}), Error);
}

TEST(MatchingKernel, IsOfferedByTheGradientFlowWithAGivenSchedule) {
  CurveInput input;
  input.ends = {2, "gaussian", {0, 0}, {1, 1}, {1, 0, {0, 0}, {1, 1}, {}}};
  for (const auto& curve : choices<CurveName>)
    for (const auto& schedule : choices<Schedule>) {
      input.curve.name = curve.value;
      input.curve.schedule = schedule.value;
      const auto made = make_curve(input);
      const bool offered = curve.value == CurveName::gradient_flow && schedule.value != Schedule::learned;
      EXPECT_EQ(made->matching_kernel<float>() != nullptr, offered) << curve.name << ", " << schedule.name;
      EXPECT_EQ(made->matching_kernel<double>() != nullptr, offered) << curve.name << ", " << schedule.name;
    }
}

}  // namespace
}  // namespace boltzcurve
