#pragma once

#include <Kokkos_Core.hpp>

#include <utility>

namespace boltzcurve {

/// A batch of points or of per-point results, indexed (point, component). The point index has unit stride, so that lanes of a vector
/// unit, or neighboring threads of a GPU, read neighboring words.
template <class Scalar>
using Points = Kokkos::View<Scalar**, Kokkos::LayoutLeft>;

/// One number per point.
template <class Scalar>
using PointScalars = Kokkos::View<Scalar*>;

/// Where the host reads what is on the device: the view itself if it can.
template <class View>
using MirrorOf = decltype(Kokkos::create_mirror_view(std::declval<View>()));

/// The same on the host.
template <class Scalar>
using HostPoints = Kokkos::View<Scalar**, Kokkos::LayoutLeft, Kokkos::HostSpace>;
template <class Scalar>
using HostScalars = Kokkos::View<Scalar*, Kokkos::HostSpace>;

}  // namespace boltzcurve
