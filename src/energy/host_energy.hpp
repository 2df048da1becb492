#pragma once

#include <boltzcurve/energy.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// An energy that is evaluated on the host, outside of kernels: base of targets whose density is not compiled into the program. The class
/// derived from it evaluates batches of points that lie row by row in double precision; transposing, copying from and to the device,
/// batches of a fixed size, Laplacians and points of which the density cannot be said are taken care of here.
///
/// f = +inf is a density of zero. A value that is NaN or -inf, or a gradient that is not finite where the value is, says nothing of the
/// density: the point then counts as one of density zero, and is counted (unknown_values()). Gradients where the density is zero, and all
/// results at coordinates that are not finite, are NaN; nothing is asked there.
///
/// Laplacians are central second differences of the value along the coordinates, 2 D values a point, with an error of h^2/12 times fourth
/// derivatives; of a function in float central differences of its gradient. The step h is 0.005 standard deviations, as far as they are
/// known: a sixteenth of the domain's side, 1 without a domain.
/// Energies of the form `network` ask for none, and a MappedEnergy takes differences of gradients in its own coordinates.
class HostEnergy : public Energy {
 public:
  struct Facts {
    int dimension = 0;              ///< D
    std::int64_t batch = 1024;      ///< points of a call at most, at least 1
    bool exact_batches = false;     ///< every call has `batch` points: copies of the last one fill it up
    bool single_precision = false;  ///< the function computes in float, so that differences of values would be rounding
    Domain domain{};                ///< empty: no bounds
    std::vector<std::string> coordinate_names{};
    std::string digest{};  ///< of what the function comes from, see EnergyIdentity
  };

  int dimension() const final { return facts_.dimension; }
  Domain domain() const final { return facts_.domain; }
  void evaluate(Points<const float> x, Points<float> out, Wanted wanted) const final { evaluate_as<float>(x, out, wanted); }
  void evaluate(Points<const double> x, Points<double> out, Wanted wanted) const final { evaluate_as<double>(x, out, wanted); }
  UnknownValues unknown_values() const final { return unknown_; }
  std::optional<EnergyIdentity> identity() const final;
  std::vector<std::string> coordinate_names() const final { return facts_.coordinate_names; }
  /// What a user should know of how it is evaluated, in words, for the log; empty: nothing.
  virtual std::string remark() const { return {}; }

  // Public because they have kernels, for which nvcc asks it.
  template <class Real>
  void evaluate_as(Points<const Real> x, Points<Real> out, Wanted wanted) const;
  template <class Real>
  void evaluate_chunk(Points<const Real> x, Points<Real> out, std::size_t first, std::size_t n, Wanted wanted) const;

 protected:
  explicit HostEnergy(Facts facts);

 private:
  /// f [nats] at n points x [n][D], row by row, into `value` [n] and, unless it is empty, its gradient into `gradient` [n][D]. What a point
  /// gets must depend on neither n nor its place. Throws NumericalError to end the run.
  virtual void evaluate_rows(std::span<const double> x, std::span<double> value, std::span<double> gradient) const = 0;

  /// The same for any number of points, with what is unknown made zero density. One thread.
  void ask(std::span<const double> x, std::span<double> value, std::span<double> gradient) const;
  void call_in_batches(std::span<const double> x, std::span<double> value, std::span<double> gradient) const;
  void call(std::span<const double> x, std::span<double> value, std::span<double> gradient) const;
  void settle(std::span<const double> x, double& value, std::span<double> gradient) const;
  std::vector<double> laplacians(std::vector<double> x, std::span<const double> value) const;

  Facts facts_;
  std::vector<double> step_;             ///< [D] of differences
  mutable std::int64_t points_of_call_;  ///< grows while calls are short, so that heartbeats come in time
  mutable UnknownValues unknown_;
  mutable std::optional<EnergyIdentity> identity_;
};

}  // namespace boltzcurve
