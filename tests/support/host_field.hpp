#pragma once

#include <boltzcurve/views.hpp>
#include "ode/velocity_field.hpp"

#include <functional>
#include <vector>

namespace boltzcurve::test {

/// Calls `field(t, x [D], v [D])`, which fills v and returns its divergence, for every point, on the host.
template <class Field>
void on_host(PointScalars<const double> t, Points<const double> x, Points<double> velocity, PointScalars<double> divergence,
             const Field& field) {
  const auto count = x.extent(0), dimension = x.extent(1);
  const Points<double> packed("test::packed", count, dimension);  // a part of a larger View cannot travel between memories as it is
  Kokkos::deep_copy(packed, x);
  const auto host_t = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), t);
  const auto host_x = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), packed);
  const auto host_divergence = Kokkos::create_mirror_view(divergence);
  Kokkos::fence();
  std::vector<double> point(dimension), v(dimension);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t d = 0; d < dimension; ++d) point[d] = host_x(i, d);
    host_divergence(i) = field(host_t(i), point.data(), v.data());
    for (std::size_t d = 0; d < dimension; ++d) host_x(i, d) = v[d];
  }
  Kokkos::deep_copy(packed, host_x);
  Kokkos::deep_copy(velocity, packed);
  Kokkos::deep_copy(divergence, host_divergence);
}

/// A velocity field from a function of one point: fills v [D] at (t, x [D]) and returns its divergence.
class HostField : public VelocityField {
 public:
  using Function = std::function<double(double t, const double* x, double* v)>;
  HostField(int dimension, Function function) : dimension_(dimension), function_(std::move(function)) {}
  int dimension() const override { return dimension_; }
  void evaluate(PointScalars<const double> t, Points<const double> x, Points<double> velocity,
                PointScalars<double> divergence) const override {
    on_host(t, x, velocity, divergence, function_);
  }

 private:
  int dimension_;
  Function function_;
};

}  // namespace boltzcurve::test
