#pragma once

#include <boltzcurve/choice_list.hpp>
#include <boltzcurve/setting.hpp>

namespace boltzcurve {

/// The network models, a line each: identifier, name and meaning. Each has its own file in src/network/models.
#define BOLTZCURVE_NETWORKS(ENTRY)                                                \
  ENTRY(mlp, "mlp", "a multilayer perceptron, fully connected, of swish neurons") \
  ENTRY(additive, "additive",                                                     \
        "sum_i a_i(x_i, t) + mlp(x, t), a head a_i of one hidden layer for each coordinate: for energies that are nearly sums over them")
BOLTZCURVE_CHOICES(NetworkKind, BOLTZCURVE_NETWORKS)

/// What the neurons of the first layer start from, in a network of space and clock.
#define BOLTZCURVE_FIRST_LAYERS(ENTRY)                                     \
  ENTRY(automatic, "auto", "single in more than ten dimensions, else all") \
  ENTRY(all, "all", "every neuron starts from all coordinates")            \
  ENTRY(single, "single", "half of the neurons start from one coordinate each: where the energy is a sum of terms of few coordinates")
BOLTZCURVE_CHOICES(FirstLayer, BOLTZCURVE_FIRST_LAYERS)

/// The networks of space and time: psi(x, t) and the velocity.
struct NetworkSettings {
  int width = 64;
  int hidden_layers = 3;
  double input_range = 0;  ///< 0: from a pilot run
  FirstLayer first_layer = FirstLayer::automatic;
  NetworkKind kind = NetworkKind::mlp;
  int head_width = 16;

  template <class Visit>
  static void describe(const Visit& setting) {
    using S = NetworkSettings;
    setting("width", &S::width, Range{1, 8192}, "units", "units of a hidden layer of psi(x, t)");
    setting("hidden-layers", &S::hidden_layers, Range{1, 64}, "layers", "hidden layers of psi(x, t)");
    setting("input-range", &S::input_range, Range{0, 1e6}, "",
            "standard deviations of the target, after scaling, in the network's inputs; 0: by its width");
    setting("first-layer", &S::first_layer, "what neurons of the first layer start from");
    setting("kind", &S::kind, "what psi(x, t) is made of");
    setting("head-width", &S::head_width, Range{1, 8192}, "units", "units of the hidden layer of each head (additive)");
  }
  bool operator==(const NetworkSettings&) const = default;
};

}  // namespace boltzcurve
