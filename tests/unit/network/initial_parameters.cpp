#include "network/network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace boltzcurve {
namespace {

using ::testing::Each;

/// A network's start, tensor by tensor.
class Start {
 public:
  Start(const NetworkShape& shape, FirstLayer first_layer, std::uint64_t seed = 1)
      : tensors_(parameter_tensors(shape)), parameters_(initial_parameters(shape, seed, 0, first_layer)) {}

  std::span<const double> of(const std::string& name) const {
    for (const auto& tensor : tensors_)
      if (tensor.name == name)
        return std::span(parameters_).subspan(static_cast<std::size_t>(tensor.offset), static_cast<std::size_t>(tensor.size()));
    ADD_FAILURE() << "no tensor " << name;
    return {};
  }
  const std::vector<double>& all() const { return parameters_; }

 private:
  std::vector<ParameterTensor> tensors_;
  std::vector<double> parameters_;
};

/// Mean and mean square of independent draws within `sigmas` standard errors of those of N(0, deviation^2). At 5 a false alarm of either
/// has a probability below 1e-5; seeds are fixed.
void expect_normal(const std::vector<double>& draws, double deviation, double sigmas = 5) {
  const double n = static_cast<double>(draws.size());
  double sum = 0, squares = 0;
  for (const double draw : draws) {
    sum += draw / deviation;
    squares += draw * draw / (deviation * deviation);
  }
  ASSERT_GT(n, 100);
  EXPECT_LT(std::fabs(sum / n), sigmas / std::sqrt(n));
  EXPECT_LT(std::fabs(squares / n - 1), sigmas * std::sqrt(2 / n));
}

std::vector<double> vector_of(std::span<const double> values) { return {values.begin(), values.end()}; }

TEST(InitialParameters, OfAllCoordinatesAreNormalWithoutBiasesAndTheOutputIsZero) {
  const Start start({9, 64, 2, 3}, FirstLayer::all);
  expect_normal(vector_of(start.of("layer0/weight")), 1 / 3.0);
  expect_normal(vector_of(start.of("layer1/weight")), 1 / 8.0);
  for (const std::string zero : {"layer0/bias", "layer1/bias", "layer2/weight", "layer2/bias"})
    EXPECT_THAT(start.of(zero), Each(0)) << zero;
}

TEST(InitialParameters, OfSingleCoordinatesLetHalfOfTheNeuronsSeeOneAndTheClock) {
  constexpr int dimension = 5, inputs = dimension + 1, width = 400;
  const Start start({inputs, width, 2, 1}, FirstLayer::single), dense({inputs, width, 2, 1}, FirstLayer::all);
  std::vector<double> of_coordinates, of_clock, biases;
  std::vector<int> neurons_of(dimension, 0);
  for (std::size_t neuron = 0; neuron < width; ++neuron) {
    const auto row = start.of("layer0/weight").subspan(neuron * inputs, inputs);
    if (neuron < width / 2) {
      EXPECT_EQ(vector_of(row), vector_of(dense.of("layer0/weight").subspan(neuron * inputs, inputs))) << "neuron " << neuron;
      EXPECT_EQ(start.of("layer0/bias")[neuron], 0) << "neuron " << neuron;
      continue;
    }
    int seen = 0;
    for (std::size_t k = 0; k < dimension; ++k) {
      if (row[k] == 0) continue;
      ++seen;
      ++neurons_of[k];
      of_coordinates.push_back(row[k]);
    }
    EXPECT_EQ(seen, 1) << "neuron " << neuron;
    of_clock.push_back(row[dimension]);
    biases.push_back(start.of("layer0/bias")[neuron]);
  }
  EXPECT_THAT(neurons_of, Each(width / 2 / dimension));
  expect_normal(of_coordinates, 1);
  expect_normal(of_clock, 1);
  expect_normal(biases, 1);
  for (const std::string same : {"layer1/weight", "layer1/bias", "layer2/weight", "layer2/bias"})
    EXPECT_EQ(vector_of(start.of(same)), vector_of(dense.of(same))) << same;
}

TEST(InitialParameters, AreOfSingleCoordinatesByThemselvesInMoreThanTenDimensions) {
  for (const int dimension : {2, 10, 11, 32}) {
    const NetworkShape shape{dimension + 1, 64, 2, 1};
    const auto expected = dimension > 10 ? FirstLayer::single : FirstLayer::all;
    EXPECT_EQ(Start(shape, FirstLayer::automatic).all(), Start(shape, expected).all()) << dimension << " dimensions";
    EXPECT_NE(Start(shape, FirstLayer::single).all(), Start(shape, FirstLayer::all).all()) << dimension << " dimensions";
  }
}

// The normalizer sees the clock alone; on the line every neuron sees the one coordinate anyway.
TEST(InitialParameters, OfOneCoordinateAtMostKnowNoDifference) {
  for (const int inputs : {1, 2})
    EXPECT_EQ(Start({inputs, 16, 2, 1}, FirstLayer::single).all(), Start({inputs, 16, 2, 1}, FirstLayer::all).all()) << inputs << " inputs";
}

TEST(InitialParameters, OfAnAdditiveNetworkAreThoseOfItsCoreAndOfHeadsThatGiveZero) {
  constexpr int dimension = 3, head_width = 50;
  const NetworkShape core{dimension + 1, 16, 2, 1}, whole{dimension + 1, 16, 2, 1, NetworkKind::additive, head_width};
  const Start start(whole, FirstLayer::all), alone(core, FirstLayer::all);
  EXPECT_EQ(std::vector<double>(start.all().begin(), start.all().begin() + static_cast<std::ptrdiff_t>(alone.all().size())), alone.all());
  std::vector<double> weights, biases;
  for (int i = 0; i < dimension; ++i) {
    const std::string head = "head" + std::to_string(i);
    for (const double weight : start.of(head + "/layer0/weight")) weights.push_back(weight);
    for (const double bias : start.of(head + "/layer0/bias")) biases.push_back(bias);
    EXPECT_THAT(start.of(head + "/layer1/weight"), Each(0));
    EXPECT_THAT(start.of(head + "/layer1/bias"), Each(0));
  }
  EXPECT_EQ(start.all().size(), alone.all().size() + dimension * (4 * head_width + 1));
  expect_normal(weights, 1);
  expect_normal(biases, 1);
}

TEST(InitialParameters, ChangeWithTheSeed) {
  EXPECT_NE(Start({12, 16, 2, 1}, FirstLayer::single, 1).all(), Start({12, 16, 2, 1}, FirstLayer::single, 2).all());
}

}  // namespace
}  // namespace boltzcurve
