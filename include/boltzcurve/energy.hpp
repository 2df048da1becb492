#pragma once

#include <boltzcurve/scale_map.hpp>
#include <boltzcurve/views.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace boltzcurve {

/// A rectangle that holds all of a law that matters; a particle outside has `escaped`. One interval per coordinate.
struct Domain {
  std::vector<double> lower, upper;  // [D] each

  double longest_side() const;
};

/// The smallest rectangle that holds both.
Domain united(Domain a, const Domain& b);

/// The rectangle in the coordinates z of `map`, as it is where all drivers are at their centers.
Domain mapped(Domain domain, const ScaleMap& map);

/// A component or well of a target: its share of the mass (summing to one) and its center [D].
struct Mode {
  double weight;
  std::vector<double> center;
};

/// Mean and standard deviation of every coordinate [D].
struct Moments {
  std::vector<double> mean, deviation;
};

/// A law rho = exp(-f)/Z on R^D, target or latent: what the rest of the program knows of it. Energies f are in nats.
/// Implementations are written as a small functor (see energy/energy_of.hpp), not by deriving from this class.
class Energy {
 public:
  virtual ~Energy() = default;

  virtual int dimension() const = 0;
  virtual Domain domain() const = 0;

  /// Value, gradient and Laplacian of f at every point x [N][D]: out [N][D+2] with out(n,0) = f, out(n,1+d) = df/dx_d, out(n,D+1) = Lap f.
  /// Runs on the device; returns after the kernel is launched.
  virtual void evaluate(Points<const float> x, Points<float> out) const = 0;
  virtual void evaluate(Points<const double> x, Points<double> out) const = 0;

  /// log of the integral of exp(-f) [nats] and entropy of rho [nats], where known.
  virtual std::optional<double> log_z() const { return std::nullopt; }
  virtual std::optional<double> entropy() const { return std::nullopt; }

  /// Of the coordinates, where known: always of a latent law.
  virtual std::optional<Moments> moments() const { return std::nullopt; }

  /// Modes of the law where known, else empty.
  virtual std::vector<Mode> modes() const { return {}; }

  /// The same law in the coordinates of `map`, or null where the energy is not made of a function of any scalar type (energy_of.hpp).
  virtual std::unique_ptr<Energy> in_coordinates(const ScaleMap& map) const {
    (void)map;
    return nullptr;
  }

  /// Exact, independent samples: row i of `out` [n][D] is the sample of global index first + i, a function of (seed, first + i) only.
  /// Returns false, leaving `out` alone, where no exact sampler is known.
  virtual bool draw(std::uint64_t seed, std::int64_t first, HostPoints<double> out) const {
    (void)seed, (void)first, (void)out;
    return false;
  }
};

}  // namespace boltzcurve
