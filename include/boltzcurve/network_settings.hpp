#pragma once

#include <boltzcurve/choice.hpp>
#include <boltzcurve/setting.hpp>

namespace boltzcurve {

/// What the neurons of the first layer start from, in a network of space and clock.
enum class FirstLayer { automatic, all, single };
template <>
inline constexpr auto choices<FirstLayer> = std::to_array<Choice<FirstLayer>>({
    {FirstLayer::automatic, "auto", "single in more than ten dimensions, else all"},
    {FirstLayer::all, "all", "every neuron starts from all coordinates"},
    {FirstLayer::single, "single",
     "half of the neurons start from one coordinate each: where the energy is a sum of terms of few coordinates"},
});

/// The networks of space and time: psi(x, t) and the velocity.
struct NetworkSettings {
  int width = 64;
  int hidden_layers = 3;
  double input_range = 0;  ///< 0: from a pilot run
  FirstLayer first_layer = FirstLayer::automatic;

  template <class Visit>
  static void describe(const Visit& setting) {
    using S = NetworkSettings;
    setting("width", &S::width, Range{1, 8192}, "units", "units of a hidden layer of psi(x, t)");
    setting("hidden-layers", &S::hidden_layers, Range{1, 64}, "layers", "hidden layers of psi(x, t)");
    setting("input-range", &S::input_range, Range{0, 1e6}, "",
            "standard deviations of the target, after scaling, in the network's inputs; 0: by its width");
    setting("first-layer", &S::first_layer, "what neurons of the first layer start from");
  }
  bool operator==(const NetworkSettings&) const = default;
};

}  // namespace boltzcurve
