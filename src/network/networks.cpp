#include "network/networks.hpp"

#include <algorithm>

namespace boltzcurve {

const NetworkShape* CurveNetworks::find(std::string_view name) const {
  const auto found = std::find_if(list.begin(), list.end(), [&](const CurveNetwork& network) { return network.name == name; });
  return found == list.end() ? nullptr : &found->shape;
}

std::vector<ParameterTensor> CurveNetworks::tensors() const {
  std::vector<ParameterTensor> all;
  std::int64_t offset = 0;
  for (const auto& [name, shape] : list) {
    for (auto tensor : parameter_tensors(shape)) {
      tensor.name = name + "/" + tensor.name;
      tensor.offset += offset;
      all.push_back(tensor);
    }
    offset += boltzcurve::parameter_count(shape);
  }
  return all;
}

std::int64_t CurveNetworks::parameter_count() const {
  std::int64_t count = 0;
  for (const auto& network : list) count += boltzcurve::parameter_count(network.shape);
  return count;
}

std::span<const double> CurveNetworks::part_of(std::string_view name, std::span<const double> parameters) const {
  std::size_t begin = 0;
  auto network = list.begin();
  for (; network->name != name; ++network) begin += static_cast<std::size_t>(boltzcurve::parameter_count(network->shape));
  return parameters.subspan(begin, static_cast<std::size_t>(boltzcurve::parameter_count(network->shape)));
}

std::vector<double> CurveNetworks::initial_parameters(std::uint64_t seed) const {
  std::vector<double> parameters;
  for (std::size_t k = 0; k < list.size(); ++k) {
    const auto one = boltzcurve::initial_parameters(list[k].shape, seed, k, first_layer);
    parameters.insert(parameters.end(), one.begin(), one.end());
  }
  return parameters;
}

}  // namespace boltzcurve
