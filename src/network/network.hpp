#pragma once

#include <boltzcurve/network_settings.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// Kind and sizes of a network from R^inputs to R^outputs. The core of every kind is a multilayer perceptron with `hidden_layers` layers of
/// `width` swish neurons (h = z sigmoid(z)) and `outputs` linear combinations of the last of them.
struct NetworkShape {
  int inputs = 1;
  int width = 64;
  int hidden_layers = 3;
  int outputs = 1;
  NetworkKind kind = NetworkKind::mlp;
  int head_width = 16;  ///< of the kind `additive`: neurons of each head

  bool operator==(const NetworkShape&) const = default;
};

/// One named matrix or vector among the parameters, which are one flat array: entry (row, column) at offset + row * columns + column.
struct ParameterTensor {
  std::string name;  ///< "layer0/weight" [out][in], "layer0/bias" [out], ..., the last layer is the output layer
  int rows, columns;
  std::int64_t offset;
  bool is_bias;

  std::int64_t size() const { return std::int64_t{rows} * columns; }
};

/// The parameters of a network in the order of the flat array, layer by layer, weight before bias.
std::vector<ParameterTensor> parameter_tensors(const NetworkShape& shape);

std::int64_t parameter_count(const NetworkShape& shape);

/// Multiplications and additions, counted as two, that residual and parameter gradient of one point need in the hidden-to-hidden layers
/// with `channels` numbers carried per neuron: 6 width^2 channels per such layer. Defines the useful flop rate of every benchmark.
double useful_flops_per_point(const NetworkShape& shape, int channels);

inline constexpr int max_coordinates_of_all = 10;  ///< what FirstLayer::automatic goes by

/// Random start [parameter_count]: weights N(0, 1/inputs of the layer), biases zero in hidden layers, output layers all zero, so that the
/// network starts as the zero function. A function of seed, `network` (which of several networks) and the entry's index only.
///
/// FirstLayer::single: neuron j of the second half of the first layer sees coordinate j mod D and the clock (the last input) alone, both
/// with weights N(0, 1), and has a bias N(0, 1). Among all D a coordinate has a share of 1/D in a neuron's z, which is as good as linear in
/// it, and a feature of one coordinate has to grow out of that first. Without effect on networks of one or two inputs.
std::vector<double> initial_parameters(const NetworkShape& shape, std::uint64_t seed, std::uint64_t network,
                                       FirstLayer first_layer = FirstLayer::all);

/// The output of a multilayer perceptron of one input and one output, on the host.
double network_value(const NetworkShape& shape, std::span<const double> parameters, double input);

}  // namespace boltzcurve
