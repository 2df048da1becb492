#pragma once

#include "network/network.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace boltzcurve {

/// One of a curve's networks: what it is called in checkpoints, and its shape. A network of D + 1 inputs sees coordinates and clock, one
/// of a single input the clock alone.
struct CurveNetwork {
  std::string name;
  NetworkShape shape;

  bool operator==(const CurveNetwork&) const = default;
};

/// The networks of a curve and how a point enters them: they see ((x - shift) scale, (s - shift) scale) with the curve's clock s in [0, 1].
struct CurveNetworks {
  std::vector<CurveNetwork> list;
  std::vector<double> input_shift, input_scale;  ///< [D + 1]
  FirstLayer first_layer = FirstLayer::all;

  /// The shape of the network of that name, or null.
  const NetworkShape* find(std::string_view name) const;

  /// The part of an array like the flat one below that belongs to the network of that name; the network must be there.
  std::span<const double> part_of(std::string_view name, std::span<const double> parameters) const;

  /// The parameters of all networks as one flat array, one network after the other, names prefixed "psi/", "normalizer/" and so on.
  std::vector<ParameterTensor> tensors() const;
  std::int64_t parameter_count() const;

  /// A random start [parameter_count] in which every network is the zero function; see the function of the same name for one network.
  std::vector<double> initial_parameters(std::uint64_t seed) const;
};

}  // namespace boltzcurve
