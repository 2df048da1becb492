#pragma once

#include <boltzcurve/scale_map.hpp>
#include <boltzcurve/views.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace boltzcurve {

/// A box that holds all of a density that matters; a particle outside has `escaped`. One interval per coordinate.
struct Domain {
  std::vector<double> lower, upper;  // [D] each

  double longest_side() const;
};

/// The smallest box that holds both.
Domain united(Domain a, const Domain& b);

/// The box in the coordinates z of `map`, as it is where all drivers are at their centers.
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

/// Where an energy that is not the library's own did not say what the density is, so far and on this rank: it was taken for zero there.
struct UnknownValues {
  std::int64_t count = 0;
  std::string first;  ///< what came in place of a number, where, and what was done: "f = nan at x = (1, 2) while training"
};

/// What an energy that is not the library's own is told from others by, when work on it goes on: its value at a few fixed points [nats],
/// NaN where it is unknown, and what tells the file that it comes from from others.
struct EnergyIdentity {
  std::vector<double> values;
  std::string digest;
};

/// How much of an energy evaluate() is asked for: each asks for what those before it ask for, too, and costs more.
enum class Wanted { value, gradient, laplacian };

/// Columns that the results of so much take in D dimensions: 1, D + 1 or D + 2.
constexpr std::size_t result_columns(Wanted wanted, std::size_t dimension) {
  return wanted == Wanted::value ? 1 : dimension + (wanted == Wanted::gradient ? 1 : 2);
}

/// An unnormalized density rho = exp(-f)/Z on R^D with its energy f [nats], target or latent: what the rest of the library knows of it.
/// Implementations are written as a small functor (see energy_of.hpp), not by deriving from this class.
class Energy {
 public:
  virtual ~Energy() = default;

  virtual int dimension() const = 0;
  virtual Domain domain() const = 0;

  /// Energy f, gradient and Laplacian at every point x [N][D], as far as they are wanted: out(n, 0) = f, out(n, 1+d) = df/dx_d,
  /// out(n, D+1) = Lap f. `out` has N rows and at least the columns of what is wanted; further ones, up to D+2 in all, are left alone.
  /// Numbers do not depend on the place of a point in its batch, nor, of the library's own densities, on what else is wanted. Throws Error
  /// where shapes do not fit. Runs on the device and returns after the kernel is launched; not collective.
  virtual void evaluate(Points<const float> x, Points<float> out, Wanted wanted = Wanted::laplacian) const = 0;
  virtual void evaluate(Points<const double> x, Points<double> out, Wanted wanted = Wanted::laplacian) const = 0;

  /// log of the integral of exp(-f) [nats] and entropy of rho [nats], where known.
  virtual std::optional<double> log_z() const { return std::nullopt; }
  virtual std::optional<double> entropy() const { return std::nullopt; }

  /// Of the coordinates, where known: always of a latent density.
  virtual std::optional<Moments> moments() const { return std::nullopt; }

  /// Modes where known, else empty.
  virtual std::vector<Mode> modes() const { return {}; }

  virtual UnknownValues unknown_values() const { return {}; }

  /// Nothing of the library's own energies, which their settings tell apart.
  virtual std::optional<EnergyIdentity> identity() const { return std::nullopt; }

  /// Names of the coordinates [D], or empty where they have none.
  virtual std::vector<std::string> coordinate_names() const { return {}; }

  /// The same distribution in the coordinates of `map`, or null where the energy is not a function of any scalar type (energy_of.hpp) or
  /// the map does more than scale.
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
