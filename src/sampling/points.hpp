#pragma once

#include <boltzcurve/particles.hpp>
#include <boltzcurve/views.hpp>

#include <cstddef>
#include <span>
#include <vector>

// Rows of particles between host and device.
namespace boltzcurve {

/// The points [count][D] from row `first` on, on the device.
inline Points<double> to_points(std::span<const double> rows, std::size_t first, std::size_t count, std::size_t dimension) {
  using ConstHostRows = Kokkos::View<const double**, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  Points<double> points("boltzcurve::points", count, dimension);
  const auto host = Kokkos::create_mirror_view(points);
  if (count > 0) Kokkos::deep_copy(host, ConstHostRows(&rows[first * dimension], count, dimension));
  Kokkos::deep_copy(points, host);
  return points;
}

/// Rows of columns on the device to their places, from row `first` on, in those of a table on the host. Columns that the device does not
/// have stay as they are.
struct TakeRows {
  std::size_t first;

  template <class From>
  void operator()(const From& from, std::vector<double>& to) const {
    using HostRows = Kokkos::View<double**, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
    const std::size_t n = from.extent(0), D = from.extent(1);
    if (n > 0) Kokkos::deep_copy(HostRows(&to[first * D], n, D), Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), from));
  }
  void operator()(const ParticleColumn& /*column*/, const Points<double>& from, std::vector<double>& to) const { (*this)(from, to); }
  template <class T>
  void operator()(const ParticleColumn& /*column*/, const Kokkos::View<T*>& from, std::vector<T>& to) const {
    using HostColumn = Kokkos::View<T*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
    if (const std::size_t n = from.extent(0); n > 0) Kokkos::deep_copy(HostColumn(&to[first], n), from);
  }
};

}  // namespace boltzcurve
