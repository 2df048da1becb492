#include "support/residual_batch.hpp"

#include <boltzcurve/counter_rng.hpp>

#include <gtest/gtest.h>

#include <cmath>

namespace boltzcurve::test {
namespace {

double draw(std::uint64_t what, std::size_t index) { return CounterRng(11, RandomStream::test, what, index).normal(); }

const Communicator& self() {
  static const Communicator communicator(MPI_COMM_SELF);
  return communicator;
}

}  // namespace

CurveNetworks networks_of(int dimension, std::vector<CurveNetwork> list) {
  CurveNetworks networks;
  networks.list = std::move(list);
  for (int k = 0; k <= dimension; ++k) {
    networks.input_shift.push_back(0.1 * k - 0.2);
    networks.input_scale.push_back(0.5 + 0.1 * (k % 4));
  }
  return networks;
}

std::vector<double> random_parameters(const CurveNetworks& networks) {
  std::vector<double> parameters(static_cast<std::size_t>(networks.parameter_count()));
  for (const auto& tensor : networks.tensors())
    for (auto i = static_cast<std::size_t>(tensor.offset); i < static_cast<std::size_t>(tensor.offset + tensor.size()); ++i)
      parameters[i] = draw(1, i) / (tensor.is_bias ? 2.0 : std::sqrt(tensor.columns));
  return parameters;
}

template <class Real>
CollocationBatch<Real> random_batch(std::int64_t points, int dimension, int known_rows, double latest) {
  CollocationBatch<Real> batch(points, dimension, known_rows);
  const auto t = Kokkos::create_mirror_view(batch.t);
  const auto x = Kokkos::create_mirror_view(batch.x), known = Kokkos::create_mirror_view(batch.known);
  for (std::size_t i = 0; i < static_cast<std::size_t>(points); ++i) {
    CounterRng rng(12, RandomStream::test, 2, i);
    t(i) = static_cast<Real>(latest * rng.uniform());
    for (std::size_t k = 0; k < x.extent(1); ++k) x(i, k) = static_cast<Real>(rng.normal());
    for (std::size_t k = 0; k < known.extent(1); ++k) known(i, k) = static_cast<Real>(rng.normal());
  }
  Kokkos::deep_copy(batch.t, t);
  Kokkos::deep_copy(batch.x, x);
  Kokkos::deep_copy(batch.known, known);
  return batch;
}

template <class Real>
LossAndGradient<Real> loss_and_gradient(ResidualKernel<Real>& kernel, const CollocationBatch<Real>& batch,
                                        const std::vector<double>& parameters, Reduction reduction) {
  kernel.set_parameters(parameters);
  const std::int64_t n = batch.size();
  ReproducibleSum sum(kernel.sum_borders(), partial_sums_of(n), reduction);
  PointScalars<Real> residual("test::residual", static_cast<std::size_t>(n));
  std::vector<double> total;
  LossAndGradient<Real> result;
  for (int round = 0; round < 3; ++round) {
    kernel.add_loss_and_gradient(batch, n, static_cast<double>(n), sum.begin(), residual);
    if (sum.finish(self(), total) == ReproducibleSum::Outcome::ok) break;
  }
  result.loss = kernel.unpack(total, result.gradient);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), residual);
  result.residual.assign(host.data(), host.data() + n);
  return result;
}

void expect_gradient_of_differences(ResidualKernel<double>& kernel, const CollocationBatch<double>& batch,
                                    const std::vector<double>& parameters) {
  const auto found = loss_and_gradient(kernel, batch, parameters);
  ASSERT_EQ(found.gradient.size(), parameters.size());
  for (const auto& tensor : kernel.networks().tensors()) {
    const auto begin = static_cast<std::size_t>(tensor.offset), end = begin + static_cast<std::size_t>(tensor.size());
    std::vector<double> forward = parameters, backward = parameters;
    double length = 0, along = 0, norm = 0;
    for (std::size_t i = begin; i < end; ++i) length += draw(5, i) * draw(5, i);
    constexpr double h = 1e-5;
    for (std::size_t i = begin; i < end; ++i) {
      const double direction = draw(5, i) / std::sqrt(length);
      forward[i] += h * direction;
      backward[i] -= h * direction;
      along += direction * found.gradient[i];
      norm += found.gradient[i] * found.gradient[i];
    }
    const auto loss = [&](const std::vector<double>& at) { return loss_and_gradient(kernel, batch, at, Reduction::fast).loss; };
    const double slope = (loss(forward) - loss(backward)) / (2 * h);
    EXPECT_NEAR(slope, along, 1e-6 * std::sqrt(norm)) << tensor.name;
    EXPECT_GT(norm, 0) << tensor.name;
  }
}

void expect_float_near_double(ResidualKernel<float>& in_float, const CollocationBatch<float>& points_in_float,
                              ResidualKernel<double>& in_double, const CollocationBatch<double>& points_in_double,
                              const std::vector<double>& parameters) {
  const auto expected = loss_and_gradient(in_double, points_in_double, parameters);
  const auto found = loss_and_gradient(in_float, points_in_float, parameters);
  EXPECT_NEAR(found.loss, expected.loss, 1e-5 * expected.loss);
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    difference += std::pow(found.gradient[i] - expected.gradient[i], 2);
    norm += std::pow(expected.gradient[i], 2);
  }
  EXPECT_LT(std::sqrt(difference / norm), 1e-5);
}

template CollocationBatch<float> random_batch<float>(std::int64_t, int, int, double);
template CollocationBatch<double> random_batch<double>(std::int64_t, int, int, double);
template LossAndGradient<float> loss_and_gradient(ResidualKernel<float>&, const CollocationBatch<float>&, const std::vector<double>&,
                                                  Reduction);
template LossAndGradient<double> loss_and_gradient(ResidualKernel<double>&, const CollocationBatch<double>&, const std::vector<double>&,
                                                   Reduction);

}  // namespace boltzcurve::test
