// A target that the program does not ship: an energy that is no number at some places, as one's own may be by mistake.
#include <boltzcurve/energy_of.hpp>
#include <boltzcurve/registry.hpp>

namespace boltzcurve {
namespace {

/// A standard normal in the plane; in the disc of that radius about (1, 0), NaN.
struct HoledNormal {
  double radius;

  KOKKOS_FUNCTION int dimension() const { return 2; }

  template <class Scalar, class Point>
  KOKKOS_FUNCTION Scalar value(const Point& x) const {
    const Scalar from_middle = x(0) - 1.0;
    const Scalar outside = from_middle * from_middle + x(1) * x(1) - radius * radius;
    return (x(0) * x(0) + x(1) * x(1)) * 0.5 + sqrt(outside) * 0.0;
  }
};

/// Before main, which is the program's own.
const bool registered = [] {
  register_target({"holed-normal",
                   "a normal density whose energy is NaN in a disc",
                   {{"radius", ParameterSpec::Kind::real, "0.3", "of the disc", 0, 100}},
                   [](const Parameters& parameters) {
                     EnergyFacts known;
                     known.domain = cube(2, 8);
                     return make_energy(HoledNormal{parameters.real("radius")}, known);
                   },
                   nullptr});
  return true;
}();

}  // namespace
}  // namespace boltzcurve
