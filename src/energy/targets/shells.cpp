#include <boltzcurve/registry.hpp>
#include "energy/uniform_prior.hpp"

namespace boltzcurve {
namespace {

/// Two thin spherical shells side by side on [-6, 6]^D (Feroz, Hobson, Bridges, MNRAS 398, 2009): with c = (+-3.5, 0, ..., 0),
///
///     L(x) = sum over both c of N(|x - c|; r, w^2),     r = 2, w = 0.1.
struct Shells {
  static constexpr double radius = 2, width = 0.1, center = 3.5, sharpness = 1 / (width * width);

  int size;

  KOKKOS_FUNCTION int dimension() const { return size; }

  template <class Scalar, class Box, class Sink>
  KOKKOS_FUNCTION void derivatives(const Box& x, Sink& sink) const {
    const Scalar first = x(0);
    Scalar rest(1e-20);  // keeps the distance from 0, where it has no direction and no mass is
    for (int d = 1; d < size; ++d) rest += x(d) * x(d);
    // of both shells: distance from its center, energy E, dE/d distance
    const Scalar left = first + center, right = first - center;
    const Scalar far_left = sqrt(left * left + rest), far_right = sqrt(right * right + rest);
    const Scalar off_left = far_left - radius, off_right = far_right - radius;
    const Scalar e_left = off_left * off_left * (0.5 * sharpness), e_right = off_right * off_right * (0.5 * sharpness);
    const Scalar slope_left = off_left * sharpness, slope_right = off_right * sharpness;
    const Scalar top = fmin(e_left, e_right), of_left = exp(top - e_left), of_right = exp(top - e_right), sum = of_left + of_right;
    const Scalar p = of_left / sum, q = of_right / sum;
    for (int d = 0; d < size; ++d) {
      // cosines between coordinate d and the rays from both centers
      const Scalar offset = d == 0 ? Scalar(0) : x(d), a = (d == 0 ? left : offset) / far_left, b = (d == 0 ? right : offset) / far_right;
      const Scalar bend_left = a * a * sharpness + slope_left * (1 - a * a) / far_left;
      const Scalar bend_right = b * b * sharpness + slope_right * (1 - b * b) / far_right;
      const Scalar along_left = slope_left * a, along_right = slope_right * b, gap = along_left - along_right;
      sink.coordinate(d, p * along_left + q * along_right, p * bend_left + q * bend_right - p * q * gap * gap);
    }
    sink.value(top - log(sum) + std::log(width * std::sqrt(2 * std::numbers::pi)));
  }
};

/// log Z = log(2 S) + log of the integral of r^(D-1) N(r; 2, w^2) - D log 12, S the area of the unit sphere. The 1e-8 of the mass that the
/// box cuts off is left out.
EnergyFacts facts(int dimension, const PriorBox& box) {
  const TableLaw radius(std::max(1e-9, Shells::radius - 15 * Shells::width), Shells::radius + 40 * Shells::width, 1 << 14, [&](double r) {
    const double u = (r - Shells::radius) / Shells::width;
    return (dimension - 1) * std::log(r) - u * u / 2 - std::log(Shells::width * std::sqrt(2 * std::numbers::pi));
  });
  EnergyFacts known;
  known.log_z = radius.log_z() + std::log(4.0) + 0.5 * dimension * std::log(std::numbers::pi) - std::lgamma(0.5 * dimension) -
                dimension * std::log(box.side());
  for (const double sign : {-1.0, 1.0}) {
    known.modes.push_back({0.5, std::vector<double>(static_cast<std::size_t>(dimension), 0.0)});
    known.modes.back().center[0] = box.coordinate(sign * Shells::center);
  }
  known.sample = [radius, dimension, box](CounterRng& rng, double* z) {
    for (bool inside = false; !inside;) {
      double square = 0;
      for (int d = 0; d < dimension; ++d) {
        z[d] = rng.normal();
        square += z[d] * z[d];
      }
      const double stretch = radius.draw(rng) / std::sqrt(square), center = rng.uniform() < 0.5 ? -Shells::center : Shells::center;
      inside = true;
      for (int d = 0; d < dimension; ++d) {
        z[d] = z[d] * stretch + (d == 0 ? center : 0);
        inside = inside && z[d] > box.lower && z[d] < box.upper;
      }
    }
    for (int d = 0; d < dimension; ++d) z[d] = box.coordinate(z[d]);
  };
  return known;
}

}  // namespace

TargetEntry shells_target() {
  return {"shells",
          "two thin spherical shells on [-6, 6]^D, in coordinates of a normal prior",
          {{"dimension", ParameterSpec::Kind::integer, "2", "number of coordinates", 1, 200}},
          [](const Parameters& parameters) {
            const int dimension = static_cast<int>(parameters.integer("dimension"));
            const PriorBox box{-6, 6};
            return make_on_uniform_prior(Shells{dimension}, box, facts(dimension, box));
          },
          nullptr};
}

}  // namespace boltzcurve
