#pragma once

#include "network/network.hpp"

#include <cmath>
#include <span>
#include <vector>

namespace boltzcurve::reference {

/// A number with its first and second derivative along one line, in plain double: written apart from the program's own dual numbers, so
/// that the two can be held against each other.
struct Taylor {
  double value = 0, first = 0, second = 0;
};

inline Taylor operator+(const Taylor& a, const Taylor& b) { return {a.value + b.value, a.first + b.first, a.second + b.second}; }
inline Taylor operator*(double w, const Taylor& a) { return {w * a.value, w * a.first, w * a.second}; }

inline Taylor swish(const Taylor& z) {
  const double s = 1 / (1 + std::exp(-z.value)), s1 = s * (1 - s), s2 = s1 * (1 - 2 * s);
  const double h1 = s + z.value * s1, h2 = 2 * s1 + z.value * s2;
  return {z.value * s, h1 * z.first, h1 * z.second + h2 * z.first * z.first};
}

/// All outputs of the network at inputs that move along a line, straight from its definition: loops over neurons, weights row by row.
inline std::vector<Taylor> outputs(const NetworkShape& shape, std::span<const double> parameters, std::vector<Taylor> h) {
  if (shape.kind == NetworkKind::additive) {
    // The perceptron's parameters, then those of the heads, one for each coordinate: output i, or the only one, gets what head i gives.
    const NetworkShape core{shape.inputs, shape.width, shape.hidden_layers, shape.outputs}, head{2, shape.head_width, 1, 1};
    const auto of_core = static_cast<std::size_t>(parameter_count(core)), of_head = static_cast<std::size_t>(parameter_count(head));
    auto sum = outputs(core, parameters.first(of_core), h);
    for (std::size_t i = 0; i + 1 < h.size(); ++i) {
      auto& place = sum[sum.size() > 1 ? i : 0];
      place = place + outputs(head, parameters.subspan(of_core + i * of_head, of_head), {h[i], h.back()})[0];
    }
    return sum;
  }
  const auto tensors = parameter_tensors(shape);
  for (int layer = 0; layer <= shape.hidden_layers; ++layer) {
    const auto &weight = tensors[static_cast<std::size_t>(2 * layer)], &bias = tensors[static_cast<std::size_t>(2 * layer + 1)];
    std::vector<Taylor> z(static_cast<std::size_t>(weight.rows));
    for (int row = 0; row < weight.rows; ++row) {
      Taylor sum{parameters[static_cast<std::size_t>(bias.offset + row)], 0, 0};
      for (int column = 0; column < weight.columns; ++column)
        sum = sum + parameters[static_cast<std::size_t>(weight.offset + std::int64_t{row} * weight.columns + column)] *
                        h[static_cast<std::size_t>(column)];
      z[static_cast<std::size_t>(row)] = layer == shape.hidden_layers ? sum : swish(sum);
    }
    h = z;
  }
  return h;
}

/// The only output of a network that has one.
inline Taylor network(const NetworkShape& shape, std::span<const double> parameters, std::vector<Taylor> h) {
  return outputs(shape, parameters, std::move(h)).at(0);
}

/// Inputs (x - shift) scale, moving along coordinate `direction` with unit speed.
inline std::vector<Taylor> moving_inputs(std::span<const double> shift, std::span<const double> scale, std::span<const double> x_and_clock,
                                         std::size_t direction) {
  std::vector<Taylor> inputs;
  for (std::size_t i = 0; i < x_and_clock.size(); ++i)
    inputs.push_back({(x_and_clock[i] - shift[i]) * scale[i], i == direction ? scale[i] : 0.0, 0.0});
  return inputs;
}

/// A vector field of as many components as there are coordinates, and its divergence [D + 1].
inline std::vector<double> field_and_divergence(const NetworkShape& shape, std::span<const double> parameters,
                                                std::span<const double> shift, std::span<const double> scale,
                                                std::span<const double> x_and_clock) {
  const std::size_t D = x_and_clock.size() - 1;
  std::vector<double> field(D + 1, 0.0);
  for (std::size_t k = 0; k < D; ++k) {
    const auto component = outputs(shape, parameters, moving_inputs(shift, scale, x_and_clock, k)).at(k);
    field[k] = component.value;
    field[D] += component.first;
  }
  return field;
}

/// psi at a point whose inputs are (x - shift) scale, the last one the clock: [value, gradient (D), derivative by the clock, Laplacian].
inline std::vector<double> psi_channels(const NetworkShape& shape, std::span<const double> parameters, std::span<const double> shift,
                                        std::span<const double> scale, std::span<const double> x_and_clock) {
  const std::size_t D = x_and_clock.size() - 1;
  std::vector<double> channels(D + 3, 0.0);
  for (std::size_t k = 0; k <= D; ++k) {
    const Taylor psi = network(shape, parameters, moving_inputs(shift, scale, x_and_clock, k));
    channels[0] = psi.value;
    channels[1 + k] = psi.first;
    if (k < D) channels[D + 2] += psi.second;
  }
  return channels;
}

}  // namespace boltzcurve::reference
