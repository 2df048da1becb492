#include "energy/gaussian_mixture.hpp"

namespace boltzcurve {

/// (1/3) N((4, ..., 4), I) + (2/3) N((-m, ..., -m), I), in the plane by default: the further m, the harder to move mass between the modes
/// in the right share.
TargetEntry asymmetric_two_target() {
  return {"asymmetric-two",
          "a light mode at (4, 4) and one twice as heavy at (-m, -m)",
          {{"distance", ParameterSpec::Kind::real, "8", "m: the heavy mode is at (-m, -m)", 0, 1000},
           {"dimension", ParameterSpec::Kind::integer, "2", "number of coordinates", 1, 1000}},
          [](const Parameters& parameters) {
            const double m = parameters.real("distance");
            const auto D = static_cast<std::size_t>(parameters.integer("dimension"));
            return make_gaussian_mixture({{1, std::vector<double>(D, 4), {1}}, {2, std::vector<double>(D, -m), {1}}});
          },
          nullptr};
}

}  // namespace boltzcurve
