#pragma once

#include <boltzcurve/dual.hpp>
#include <boltzcurve/scale_map.hpp>

#include <Kokkos_Core.hpp>

#include <string>
#include <utility>
#include <vector>

// Part of energy_of.hpp; nobody else needs it.
namespace boltzcurve::detail {

/// A ScaleMap where kernels can read it: the drivers of all driven coordinates, and what belongs to them.
struct DeviceScaleMap {
  Kokkos::View<const int*> driven, drivers;            ///< [driven], [drivers] numbers of coordinates
  Kokkos::View<const int*> place;                      ///< [D] of a coordinate in `driven`, or -1
  Kokkos::View<const double*> center, offset, slopes;  ///< [D], [driven], [driven][drivers]

  explicit DeviceScaleMap(const ScaleMap& map);

  /// s of the driven coordinate number `n` among them.
  template <class Scalar, class Point>
  KOKKOS_FORCEINLINE_FUNCTION Scalar log_scale(int n, const Point& z) const {
    const int count = static_cast<int>(drivers.extent(0));
    Scalar s(offset(n));
    for (int i = 0; i < count; ++i) {
      const int j = drivers(i);
      s += (z(j) - Scalar(center(j))) * Scalar(slopes(n * count + i));
    }
    return s;
  }
};

/// An energy in the coordinates z of a ScaleMap: f(x(z)) - log |dx/dz|, whose exp(-f) integrates to the same Z. Made of the energy's
/// templated `value` alone (see energy_of.hpp), so that its derivatives come from dual numbers.
template <class Function>
struct Rescaled {
  Function function;
  DeviceScaleMap map;

  KOKKOS_FUNCTION int dimension() const { return function.dimension(); }

  /// x(z), coordinate by coordinate.
  template <class Scalar, class Point>
  struct MappedPoint {
    const Point& z;
    const DeviceScaleMap& map;

    KOKKOS_FORCEINLINE_FUNCTION Scalar operator()(int k) const {
      const int n = map.place(k);
      if (n < 0) return z(k);
      return Scalar(map.center(k)) + z(k) * exp(map.log_scale<Scalar>(n, z));
    }
  };

  template <class Scalar, class Point>
  KOKKOS_FUNCTION Scalar value(const Point& z) const {
    Scalar f = function.template value<Scalar>(MappedPoint<Scalar, Point>{z, map});
    for (int n = 0; n < static_cast<int>(map.driven.extent(0)); ++n) f -= map.log_scale<Scalar>(n, z);
    return f;
  }
};

template <class Function>
inline constexpr bool is_rescaled = false;
template <class Function>
inline constexpr bool is_rescaled<Rescaled<Function>> = true;

}  // namespace boltzcurve::detail
