#include <boltzcurve/energy/gaussian_mixture.hpp>

namespace boltzcurve {

/// (1/3) N((4, 4), I) + (2/3) N((-m, -m), I) in the plane: the further m, the harder to move mass between the modes in the right share.
TargetEntry asymmetric_two_target() {
  return {"asymmetric-two",
          "a light mode at (4, 4) and one twice as heavy at (-m, -m)",
          {{"distance", ParameterSpec::Kind::real, "8", "m: the heavy mode is at (-m, -m)", 0, 1000}},
          [](const Parameters& parameters) {
            const double m = parameters.real("distance");
            return make_gaussian_mixture({{1, {4, 4}, {1}}, {2, {-m, -m}, {1}}}, "asymmetric-two mode");
          },
          nullptr};
}

}  // namespace boltzcurve
