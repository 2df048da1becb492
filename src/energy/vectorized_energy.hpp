#pragma once

#include <boltzcurve/energy_of.hpp>
#include "simd/pack_math.hpp"

#include <memory>
#include <utility>

// Energies of the library itself: a vector register full of points at once.
namespace boltzcurve {

namespace detail {

template <class Real_>
struct PackOfPoints {
  using Real = Real_;
  using Numbers = Pack<Real_>;
  static constexpr int count = Numbers::lanes;
  /// Dual numbers of the second order whatever is wanted, from the same instructions: compiled once more without the second derivative,
  /// they are contracted otherwise and round otherwise. The value alone still costs one pass, not D.
  static constexpr bool one_pass_for_all = true;

  KOKKOS_FORCEINLINE_FUNCTION static Numbers load(const Real* from) { return Numbers::load(from); }
  KOKKOS_FORCEINLINE_FUNCTION static void store(Real* to, Numbers numbers) { numbers.store(to); }
};

}  // namespace detail

/// polygamma() of dual.hpp, lane by lane.
template <int order, class Real, int Lanes>
KOKKOS_FUNCTION Pack<Real, Lanes> polygamma(Pack<Real, Lanes> x) {
  Pack<Real, Lanes> result;
  for (int i = 0; i < Lanes; ++i) result.set(i, polygamma<order>(x[i]));
  return result;
}

/// The Energy of `function` (see ClosedFormEnergy and DifferentiableEnergy), whose scalars here are packs.
template <class Function>
std::unique_ptr<Energy> make_vectorized_energy(Function function, EnergyFacts facts) {
  return std::make_unique<EnergyOf<Function, detail::PackOfPoints>>(std::move(function), std::move(facts));
}

}  // namespace boltzcurve
