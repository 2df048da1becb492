#pragma once

#include <Kokkos_Core.hpp>

#include <string>
#include <vector>

namespace boltzcurve::detail {

/// Numbers of the host, as `Real`, where kernels can read them.
template <class Real, class Number>
Kokkos::View<Real*> to_device(const std::string& label, const std::vector<Number>& values) {
  const Kokkos::View<Real*> view(label, values.size());
  const auto host = Kokkos::create_mirror_view(view);
  for (std::size_t k = 0; k < values.size(); ++k) host(k) = static_cast<Real>(values[k]);
  Kokkos::deep_copy(view, host);
  return view;
}

}  // namespace boltzcurve::detail
