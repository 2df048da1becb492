#include "sampling/curve_velocity.hpp"
#include "core/heartbeat.hpp"

namespace boltzcurve {
namespace {

template <class Real>
class CurveVelocity final : public VelocityField {
 public:
  CurveVelocity(const Curve& curve, std::span<const double> parameters, const Energy& target, const Energy& latent)
      : dimension_(curve.dimension()), kernel_(curve.kernel<Real>()), energies_(curve.energies<Real>(target, latent)) {
    kernel_->set_parameters(parameters);
  }

  int dimension() const override { return dimension_; }

  void evaluate(PointScalars<const double> t, Points<const double> x, Points<double> velocity,
                PointScalars<double> divergence) const override {
    const std::size_t n = t.extent(0);
    if (n == 0) return;
    heartbeat();
    reserve(n);
    const auto rows = std::make_pair(std::size_t{0}, n);
    const PointScalars<Real> time = Kokkos::subview(time_, rows), div = Kokkos::subview(divergence_, rows);
    const Points<Real> position = Kokkos::subview(position_, rows, Kokkos::ALL), v = Kokkos::subview(velocity_, rows, Kokkos::ALL);
    const Points<Real> known = Kokkos::subview(known_, rows, Kokkos::ALL);
    const int D = dimension_;
    Kokkos::parallel_for(
        "boltzcurve::velocity_inputs", n, KOKKOS_LAMBDA(const std::size_t i) {
          time(i) = static_cast<Real>(t(i));
          for (int k = 0; k < D; ++k) position(i, k) = static_cast<Real>(x(i, k));
        });
    if (kernel_->velocity_needs_energies()) energies_->evaluate(time, position, known);
    kernel_->velocity(static_cast<std::int64_t>(n), time, position, known, v, div);
    Kokkos::parallel_for(
        "boltzcurve::velocity_outputs", n, KOKKOS_LAMBDA(const std::size_t i) {
          divergence(i) = static_cast<double>(div(i));
          for (int k = 0; k < D; ++k) velocity(i, k) = static_cast<double>(v(i, k));
        });
  }

 private:
  /// Working memory grows to the largest batch seen and is then used again: integrators call this thousands of times.
  void reserve(std::size_t n) const {
    if (time_.extent(0) >= n) return;
    const auto D = static_cast<std::size_t>(dimension_);
    time_ = PointScalars<Real>("boltzcurve::field_time", n);
    divergence_ = PointScalars<Real>("boltzcurve::field_divergence", n);
    position_ = Points<Real>("boltzcurve::field_position", n, D);
    velocity_ = Points<Real>("boltzcurve::field_velocity", n, D);
    known_ = Points<Real>("boltzcurve::field_known", n, static_cast<std::size_t>(energies_->rows()));
  }

  int dimension_;
  std::unique_ptr<ResidualKernel<Real>> kernel_;
  std::unique_ptr<CurveEnergies<Real>> energies_;
  mutable PointScalars<Real> time_, divergence_;
  mutable Points<Real> position_, velocity_, known_;
};

}  // namespace

std::unique_ptr<VelocityField> make_velocity_field(Precision precision, const Curve& curve, std::span<const double> parameters,
                                                   const Energy& target, const Energy& latent) {
  if (precision == Precision::single_precision) return std::make_unique<CurveVelocity<float>>(curve, parameters, target, latent);
  return std::make_unique<CurveVelocity<double>>(curve, parameters, target, latent);
}

}  // namespace boltzcurve
