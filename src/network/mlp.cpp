#include "network/models/mlp.hpp"

#include <boltzcurve/counter_rng.hpp>

#include <cmath>
#include <string>

namespace boltzcurve {

std::vector<ParameterTensor> NetworkOf<NetworkKind::mlp>::tensors(const NetworkShape& shape) {
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

std::vector<double> NetworkOf<NetworkKind::mlp>::initial_parameters(const NetworkShape& shape, std::uint64_t seed, std::uint64_t network,
                                                                    FirstLayer first_layer) {
  const auto tensors = NetworkOf::tensors(shape);
  std::vector<double> parameters(static_cast<std::size_t>(tensors.back().offset + tensors.back().size()), 0.0);
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

}  // namespace boltzcurve
