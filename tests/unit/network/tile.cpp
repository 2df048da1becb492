// A network's tile on its own: what matching of grad psi asks of it, against the reference network and central differences.
#include <boltzcurve/counter_rng.hpp>
#include "network/network_models.hpp"
#include "simd/pack.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <tuple>
#include <vector>

#include "support/reference_network.hpp"

namespace boltzcurve {
namespace {

constexpr int points = lanes_abreast<double>;

double draw(std::uint64_t what, std::size_t i) { return CounterRng(17, RandomStream::test, what, i).normal(); }

/// One tile of points and a network, and what the network's tile makes of them.
class Tile {
 public:
  explicit Tile(const NetworkShape& shape)
      : shape_(shape),
        inputs_(static_cast<std::size_t>(shape.inputs)),
        parameters_(static_cast<std::size_t>(parameter_count(shape))),
        at_(inputs_ * points),
        along_(inputs_ * points) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i] = 0.4 * draw(0, i);
    for (std::size_t i = 0; i < at_.size(); ++i) at_[i] = draw(1, i), along_[i] = draw(2, i);
  }

  const std::vector<double>& parameters() const { return parameters_; }
  /// Input k of a point, and component k of the vector along which the tangent is taken.
  double input(std::size_t k, std::size_t point) const { return at_[k * points + point]; }
  double direction(std::size_t k, std::size_t point) const { return along_[k * points + point]; }

  enum class Ask { value, slopes, parameter_gradient_of_tangent };

  /// psi [points]; d psi/d inputs [inputs][points]; the gradient of the sum over points of sum_k e_k d psi/d input_k [parameter_count].
  std::vector<double> operator()(Ask ask, const std::vector<double>& parameters) const {
    return with_network(shape_.kind, [&](auto model) { return run<decltype(model)>(ask, parameters); });
  }

  using Numbers = Kokkos::View<double*>;
  static Numbers device(const std::vector<double>& values) {
    Numbers view("test::numbers", values.size());
    Kokkos::deep_copy(view, Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
    return view;
  }

  template <class Model>
  std::vector<double> run(Ask ask, const std::vector<double>& parameters) const {
    using GradientTile = typename Model::template GradientTile<double, 1>;
    const typename Model::Layout layout(shape_);
    const Numbers packed("test::packed", static_cast<std::size_t>(layout.weights_size()));
    Model::pack(shape_, Kokkos::View<const double*>(device(parameters)), packed);
    const Numbers memory("test::memory", static_cast<std::size_t>(GradientTile::memory_size(shape_, 1)));
    const Numbers gradient("test::gradient", static_cast<std::size_t>(layout.gradient_size()));
    const Numbers value("test::value", points), slopes("test::slopes", inputs_ * points);
    const Numbers at = device(at_), along = device(along_);
    const GradientTileArguments<double> arguments{shape_, packed.data(), at.data(), along.data(), memory.data()};
    Kokkos::parallel_for(
        "test::tile", Kokkos::TeamPolicy<>(1, 1, threads_abreast), KOKKOS_LAMBDA(const TeamMember& member) {
          const GradientTile tile(arguments);
          tile.value_and_slopes(member, value.data(), slopes.data());
          if (ask == Ask::parameter_gradient_of_tangent) tile.tangent_gradient(member, gradient.data());
        });
    const auto host = [](const Numbers& view) {
      const auto copy = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
      return std::vector<double>(copy.data(), copy.data() + copy.size());
    };
    if (ask == Ask::value) return host(value);
    if (ask == Ask::slopes) return host(slopes);
    const auto sums = host(gradient);
    std::vector<double> unpacked;
    const auto tensors = Model::tensors(shape_);
    for (std::size_t k = 0; k < tensors.size(); ++k)
      for (int row = 0; row < tensors[k].rows; ++row)
        for (int column = 0; column < tensors[k].columns; ++column)
          unpacked.push_back(sums[static_cast<std::size_t>(layout.gradient_index(static_cast<int>(k), row, column))]);
    return unpacked;
  }

 private:
  NetworkShape shape_;
  std::size_t inputs_;
  std::vector<double> parameters_, at_, along_;
};

class NetworkTile : public testing::TestWithParam<NetworkShape> {};
std::string name_of_shape(const testing::TestParamInfo<NetworkShape>& info) {
  return std::string(name_of(info.param.kind)) + "_of_" + std::to_string(info.param.inputs) + "_inputs_" +
         std::to_string(info.param.hidden_layers) + "_layers";
}
std::vector<NetworkShape> shapes() {
  std::vector<NetworkShape> all;
  for (const auto& kind : choices<NetworkKind>)
    for (const auto& [inputs, width, layers] : {std::tuple(2, 16, 1), std::tuple(4, 20, 3), std::tuple(9, 33, 2)})
      all.push_back({inputs, width, layers, 1, kind.value, 13});
  return all;
}
INSTANTIATE_TEST_SUITE_P(Kinds, NetworkTile, testing::ValuesIn(shapes()), name_of_shape);

// Sums of some hundred products, rounded in another order.
TEST_P(NetworkTile, ValueAndGradientAreThoseOfTheReferenceNetwork) {
  const Tile tile(GetParam());
  const auto D = static_cast<std::size_t>(GetParam().inputs) - 1;
  const auto value = tile(Tile::Ask::value, tile.parameters()), gradient = tile(Tile::Ask::slopes, tile.parameters());
  const std::vector<double> shift(D + 1, 0.0), scale(D + 1, 1.0);
  for (std::size_t i = 0; i < points; ++i) {
    std::vector<double> point;
    for (std::size_t k = 0; k <= D; ++k) point.push_back(tile.input(k, i));
    const auto psi = reference::psi_channels(GetParam(), tile.parameters(), shift, scale, point);
    EXPECT_NEAR(value[i], psi[0], 1e-12) << "point " << i;
    for (std::size_t k = 0; k <= D; ++k) EXPECT_NEAR(gradient[k * points + i], psi[1 + k], 1e-12) << "point " << i << ", input " << k;
  }
}

// Central differences along a random direction of all parameters, h = 1e-5: errors of h^2 and 1e-16/h, both below 1e-9 of the gradient.
TEST_P(NetworkTile, ReverseSweepOfTheTangentEqualsCentralDifferences) {
  const Tile tile(GetParam());
  const auto gradient = tile(Tile::Ask::parameter_gradient_of_tangent, tile.parameters());
  ASSERT_EQ(gradient.size(), tile.parameters().size());
  constexpr double h = 1e-5;
  auto ahead = tile.parameters(), behind = tile.parameters();
  double along = 0, norm = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double direction = draw(3, i) / std::sqrt(static_cast<double>(gradient.size()));
    ahead[i] += h * direction;
    behind[i] -= h * direction;
    along += direction * gradient[i];
    norm += gradient[i] * gradient[i];
  }
  const auto sum = [&](const std::vector<double>& at) {
    const auto slopes = tile(Tile::Ask::slopes, at);
    double tangents = 0;
    for (std::size_t k = 0; k < static_cast<std::size_t>(GetParam().inputs); ++k)
      for (std::size_t i = 0; i < points; ++i) tangents += tile.direction(k, i) * slopes[k * points + i];
    return tangents;
  };
  EXPECT_NEAR(along, (sum(ahead) - sum(behind)) / (2 * h), 1e-8 * std::sqrt(norm));
  EXPECT_GT(norm, 0);
}

}  // namespace
}  // namespace boltzcurve
