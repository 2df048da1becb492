#include "network/mlp.hpp"
#include <boltzcurve/counter_rng.hpp>

#include <cmath>

namespace boltzcurve {

std::vector<ParameterTensor> parameter_tensors(const MlpShape& shape) {
  std::vector<ParameterTensor> tensors;
  std::int64_t offset = 0;
  const auto add = [&](const std::string& name, int rows, int columns, bool is_bias) {
    tensors.push_back({name, rows, columns, offset, is_bias});
    offset += tensors.back().size();
  };
  for (int layer = 0; layer <= shape.hidden_layers; ++layer) {
    const int in = layer == 0 ? shape.inputs : shape.width;
    const int out = layer == shape.hidden_layers ? shape.outputs : shape.width;
    const std::string prefix = "layer" + std::to_string(layer);
    add(prefix + "/weight", out, in, false);
    add(prefix + "/bias", out, 1, true);
  }
  return tensors;
}

std::int64_t parameter_count(const MlpShape& shape) {
  const auto tensors = parameter_tensors(shape);
  return tensors.back().offset + tensors.back().size();
}

double useful_flops_per_point(const MlpShape& shape, int channels) {
  return 6.0 * shape.width * shape.width * channels * (shape.hidden_layers - 1);
}

std::vector<double> initial_parameters(const MlpShape& shape, std::uint64_t seed, std::uint64_t network, FirstLayer first_layer) {
  std::vector<double> parameters(static_cast<std::size_t>(parameter_count(shape)), 0.0);
  const auto tensors = parameter_tensors(shape);
  const auto normal = [&](std::int64_t i) {
    return CounterRng(seed, RandomStream::initial_parameters, network, static_cast<std::uint64_t>(i)).normal();
  };
  for (std::size_t k = 0; k + 2 < tensors.size(); ++k) {  // all but the output layer
    const auto& tensor = tensors[k];
    if (tensor.is_bias) continue;
    const double deviation = 1.0 / std::sqrt(static_cast<double>(tensor.columns));
    for (std::int64_t i = tensor.offset; i < tensor.offset + tensor.size(); ++i)
      parameters[static_cast<std::size_t>(i)] = deviation * normal(i);
  }

  const int dimension = shape.inputs - 1;
  if (first_layer == FirstLayer::automatic) first_layer = dimension > max_coordinates_of_all ? FirstLayer::single : FirstLayer::all;
  if (first_layer == FirstLayer::all || dimension < 2) return parameters;
  const auto &weight = tensors[0], &bias = tensors[1];
  for (int neuron = shape.width / 2; neuron < shape.width; ++neuron) {
    const std::int64_t row = weight.offset + std::int64_t{neuron} * shape.inputs;
    for (int input = 0; input < shape.inputs; ++input) {
      const bool seen = input == neuron % dimension || input == dimension;
      parameters[static_cast<std::size_t>(row + input)] = seen ? normal(row + input) : 0;
    }
    parameters[static_cast<std::size_t>(bias.offset + neuron)] = normal(bias.offset + neuron);
  }
  return parameters;
}

double network_value(const MlpShape& shape, std::span<const double> parameters, double input) {
  const auto tensors = parameter_tensors(shape);
  std::vector<double> below = {input};
  for (std::size_t layer = 0; 2 * layer < tensors.size(); ++layer) {
    const auto &weight = tensors[2 * layer], &bias = tensors[2 * layer + 1];
    std::vector<double> above;
    for (int row = 0; row < weight.rows; ++row) {
      double z = parameters[static_cast<std::size_t>(bias.offset + row)];
      for (int column = 0; column < weight.columns; ++column)
        z += parameters[static_cast<std::size_t>(weight.offset + std::int64_t{row} * weight.columns + column)] *
             below[static_cast<std::size_t>(column)];
      above.push_back(2 * layer + 2 == tensors.size() ? z : z / (1 + std::exp(-z)));
    }
    below = std::move(above);
  }
  return below.front();
}

}  // namespace boltzcurve
