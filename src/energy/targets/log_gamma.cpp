#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "energy/uniform_prior.hpp"

namespace boltzcurve {
namespace {

/// The test density of Beaujean and Caldwell (arXiv 1304.7808) on [0, 1]^D, all of scale s = 1/30. Kinds of coordinates:
///
///     0: x_1, half LG(1/3), half LG(2/3);   1: x_2, half N(1/3, s^2), half N(2/3, s^2);   2: x_3 to x_{(D+2)/2}, LG(2/3);   3: the others,
///     N(2/3, s^2),
///
/// where LG(m) is the density exp(y - e^y)/s of y = (x - m)/s, the logarithm of an exponential variable.
struct LogGamma {
  static constexpr double scale = 1.0 / 30, low = 1.0 / 3, high = 2.0 / 3;

  KOKKOS_FUNCTION int kind(int d, int dimension) const { return d < 2 ? d : d < (dimension + 2) / 2 ? 2 : 3; }

  /// -log density of LG(center) or N(center, s^2), in y.
  template <class Scalar>
  KOKKOS_FUNCTION detail::CoordinateEnergy<Scalar> one(bool log_gamma, const Scalar& y) const {
    if (!log_gamma) return {y * y * 0.5 + (0.5 * std::log(2 * std::numbers::pi) + std::log(scale)), y, Scalar(1)};
    const Scalar e = exp(y);
    return {e - y + std::log(scale), e - 1, e};
  }

  template <class Scalar>
  KOKKOS_FUNCTION detail::CoordinateEnergy<Scalar> operator()(int kind, const Scalar& x) const {
    constexpr double sharpness = 1 / scale;
    const auto right = one((kind & 1) == 0, Scalar((x - high) * sharpness));
    if (kind >= 2) return {right.value, right.slope * sharpness, right.curvature * (sharpness * sharpness)};
    const auto left = one((kind & 1) == 0, Scalar((x - low) * sharpness));
    const Scalar top = fmin(left.value, right.value), of_left = exp(top - left.value), of_right = exp(top - right.value);
    const Scalar sum = of_left + of_right, p = of_left / sum, q = of_right / sum, gap = left.slope - right.slope;
    return {top - log(sum * 0.5), (p * left.slope + q * right.slope) * sharpness,
            (p * left.curvature + q * right.curvature - p * q * gap * gap) * (sharpness * sharpness)};
  }
};

std::unique_ptr<Energy> make(const Parameters& parameters) {
  const int dimension = static_cast<int>(parameters.integer("dimension"));
  if (dimension % 2 != 0) throw SettingError({"dimension", " = " + std::to_string(dimension) + ": must be even for log-gamma"});
  const PriorBox box{0, 1};
  EnergyFacts facts;
  for (const double first : {LogGamma::low, LogGamma::high})
    for (const double second : {LogGamma::low, LogGamma::high}) {
      Mode mode{0.25, std::vector<double>(static_cast<std::size_t>(dimension), box.coordinate(LogGamma::high))};
      mode.center[0] = box.coordinate(first);
      mode.center[1] = box.coordinate(second);
      facts.modes.push_back(mode);
    }
  return make_separable_on_uniform_prior(LogGamma{}, dimension, 4, box, std::move(facts));
}

}  // namespace

TargetEntry log_gamma_target() {
  return {"log-gamma",
          "product of log-gamma and normal densities with four modes on [0, 1]^D, in coordinates of a normal prior",
          {{"dimension", ParameterSpec::Kind::integer, "2", "number of coordinates, even", 2, 1024}},
          make,
          nullptr};
}

}  // namespace boltzcurve
