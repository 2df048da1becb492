#include "network/network.hpp"

#include "network/network_models.hpp"

#include <cmath>

namespace boltzcurve {

std::vector<ParameterTensor> parameter_tensors(const NetworkShape& shape) {
  return with_network(shape.kind, [&](auto model) { return model.tensors(shape); });
}

std::int64_t parameter_count(const NetworkShape& shape) {
  const auto tensors = parameter_tensors(shape);
  return tensors.back().offset + tensors.back().size();
}

double useful_flops_per_point(const NetworkShape& shape, int channels) {
  return 6.0 * shape.width * shape.width * channels * (shape.hidden_layers - 1);
}

std::vector<double> initial_parameters(const NetworkShape& shape, std::uint64_t seed, std::uint64_t network, FirstLayer first_layer) {
  return with_network(shape.kind, [&](auto model) { return model.initial_parameters(shape, seed, network, first_layer); });
}

double network_value(const NetworkShape& shape, std::span<const double> parameters, double input) {
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
