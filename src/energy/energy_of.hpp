#pragma once

#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/energy.hpp>
#include "energy/dual.hpp"
#include "energy/rescaled.hpp"

#include <array>
#include <concepts>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace boltzcurve {

/// One vector register's worth of points: x(d) is coordinate d of all of them, lane = point.
template <class Real>
struct LanePoint {
  using Scalar = Pack<Real>;  ///< what coordinates and energies are made of here

  const Real* first;    ///< coordinate 0 of lane 0
  std::int64_t stride;  ///< from one coordinate of a point to the next

  KOKKOS_FORCEINLINE_FUNCTION Scalar operator()(int d) const { return Scalar::load(first + d * stride); }
};

/// Where the results of a LanePoint go: component 0 the value, 1 + d the derivative along d, D + 1 the Laplacian. What was stored can be
/// read back, so it serves for sums over components in any dimension.
template <class Real>
struct LaneOutput {
  Real* first;
  std::int64_t stride;

  KOKKOS_FORCEINLINE_FUNCTION void store(int component, Pack<Real> result) const { result.store(first + component * stride); }
  KOKKOS_FORCEINLINE_FUNCTION Pack<Real> load(int component) const { return Pack<Real>::load(first + component * stride); }
};

/// A point whose coordinate `direction` moves with unit speed while the others rest.
template <class Point>
struct MovingPoint {
  using Scalar = Dual<typename Point::Scalar>;

  const Point& point;
  int direction;

  KOKKOS_FORCEINLINE_FUNCTION Scalar operator()(int d) const { return {point(d), d == direction ? 1 : 0, 0}; }
};

/// What a law's energy must offer to become an Energy: its dimension and one function for every scalar type,
///
///     int dimension() const;
///     template <class Scalar, class Point> Scalar value(const Point& x) const;     // f at x(0) ... x(D-1)
///
/// both KOKKOS_FUNCTION, without branches on x (use select, fmin, fmax), copyable to the device. exp, log, sqrt, fabs are called by their
/// bare names; constants are plain numbers. Gradient and Laplacian then come from D passes with Dual numbers, D+1 times the cost of f at
/// the least. Or it may offer all of them in closed form (then `value` is not needed):
///
///     template <class Point, class Output> void derivatives(const Point& x, const Output& out) const;   // see LanePoint, LaneOutput
template <class Function>
concept ClosedFormEnergy = requires(const Function& function, const LanePoint<double>& x, const LaneOutput<double>& out) {
  { function.dimension() } -> std::convertible_to<int>;
  function.derivatives(x, out);
};
template <class Function>
concept DifferentiableEnergy = requires(const Function& function, const MovingPoint<LanePoint<double>>& x) {
  { function.dimension() } -> std::convertible_to<int>;
  { function.template value<Dual<Pack<double>>>(x) } -> std::same_as<Dual<Pack<double>>>;
};

/// Value, gradient and Laplacian of `function` at x into out, by its closed form if it has one, else by one Dual pass per coordinate.
template <class Function, class Point, class Output>
requires(ClosedFormEnergy<Function> || DifferentiableEnergy<Function>) KOKKOS_FUNCTION
    void store_derivatives(const Function& function, const Point& x, const Output& out) {
  if constexpr (ClosedFormEnergy<Function>) {
    function.derivatives(x, out);
  } else {
    using Moving = MovingPoint<Point>;
    const int dimension = function.dimension();
    typename Point::Scalar laplacian(0);
    for (int d = 0; d < dimension; ++d) {
      const auto f = function.template value<typename Moving::Scalar>(Moving{x, d});
      if (d == 0) out.store(0, f.value);
      out.store(1 + d, f.first);
      laplacian += f.second;
    }
    out.store(1 + dimension, laplacian);
  }
}

/// What is known about a law besides its energy. Unknown: nullopt, empty, or no function.
struct EnergyFacts {
  Domain domain;
  std::optional<double> log_z{}, entropy{};
  std::vector<Mode> modes{};
  std::optional<Moments> moments{};
  std::function<void(CounterRng& rng, double* x)> sample{};  ///< one exact, independent sample into x [D]
  RandomStream stream = RandomStream::exact_samples;         ///< what `sample` draws from
};

/// The same law's facts in the coordinates of `map`. Its entropy is another there, and is not known.
EnergyFacts rescaled(EnergyFacts facts, const ScaleMap& map);

namespace detail {
/// Throws Error: points and results [rows, columns] do not fit the dimension.
[[noreturn]] void refuse_shapes(std::array<std::size_t, 2> points, std::array<std::size_t, 2> results, std::size_t dimension);
}  // namespace detail

/// An Energy made of a function (see ClosedFormEnergy and DifferentiableEnergy) and of facts. One kernel launch per batch, one register
/// full of points per iteration. A point's result is the same, to the bit, in every lane, at every place and in a batch of any size.
template <class Function>
class EnergyOf final : public Energy {
 public:
  EnergyOf(Function function, EnergyFacts facts) : function_(std::move(function)), facts_(std::move(facts)) {}

  int dimension() const override { return function_.dimension(); }
  Domain domain() const override { return facts_.domain; }
  std::optional<double> log_z() const override { return facts_.log_z; }
  std::optional<double> entropy() const override { return facts_.entropy; }
  std::vector<Mode> modes() const override { return facts_.modes; }
  std::optional<Moments> moments() const override { return facts_.moments; }

  void evaluate(Points<const float> x, Points<float> out) const override { launch<float>(x, out); }
  void evaluate(Points<const double> x, Points<double> out) const override { launch<double>(x, out); }

  std::unique_ptr<Energy> in_coordinates(const ScaleMap& map) const override {
    if constexpr (DifferentiableEnergy<Function> && !is_rescaled<Function>)
      return std::make_unique<EnergyOf<Rescaled<Function>>>(Rescaled<Function>{function_, DeviceScaleMap(map)}, rescaled(facts_, map));
    else
      return nullptr;
  }

  bool draw(std::uint64_t seed, std::int64_t first, HostPoints<double> out) const override {
    if (!facts_.sample) return false;
    std::vector<double> x(static_cast<std::size_t>(dimension()));
    for (std::size_t i = 0; i < out.extent(0); ++i) {
      CounterRng rng(seed, facts_.stream, 0, static_cast<std::uint64_t>(first) + i);
      facts_.sample(rng, x.data());
      for (std::size_t d = 0; d < x.size(); ++d) out(i, d) = x[d];
    }
    return true;
  }

  /// The kernel, public because nvcc asks it of what runs on a GPU: one block of points per iteration. The last, incomplete one is worked
  /// on in a copy that repeats its last point, so that the same instructions serve all blocks: compiled a second time, for part of a
  /// register, they may be contracted otherwise and round otherwise.
  template <class Real>
  struct Blocks {
    static constexpr std::int64_t lanes = Pack<Real>::lanes;

    Function function;
    Points<const Real> x;
    Points<Real> out;
    Points<Real> last_x, last_out;  ///< [lanes][D], [lanes][D+2]; empty if no block is incomplete

    KOKKOS_FUNCTION void operator()(std::int64_t block) const {
      const std::int64_t begin = block * lanes, left = static_cast<std::int64_t>(x.extent(0)) - begin;
      const bool incomplete = left < lanes;
      LanePoint<Real> point{x.data() + begin, static_cast<std::int64_t>(x.stride(1))};
      LaneOutput<Real> output{out.data() + begin, static_cast<std::int64_t>(out.stride(1))};
      if (incomplete) {
        for (std::size_t d = 0; d < x.extent(1); ++d) {
          for (std::int64_t i = 0; i < lanes; ++i) last_x(i, d) = x(begin + (i < left ? i : left - 1), d);
        }
        point = {last_x.data(), static_cast<std::int64_t>(last_x.stride(1))};
        output = {last_out.data(), static_cast<std::int64_t>(last_out.stride(1))};
      }
      store_derivatives(function, point, output);
      if (incomplete) {
        for (std::size_t c = 0; c < out.extent(1); ++c) {
          for (std::int64_t i = 0; i < left; ++i) out(begin + i, c) = last_out(i, c);
        }
      }
    }
  };

 private:
  template <class Real>
  void launch(const Points<const Real>& x, const Points<Real>& out) const {
    const auto columns = static_cast<std::size_t>(dimension());
    if (x.extent(1) != columns || out.extent(0) != x.extent(0) || out.extent(1) != columns + 2)
      detail::refuse_shapes({x.extent(0), x.extent(1)}, {out.extent(0), out.extent(1)}, columns);
    constexpr std::size_t lanes = Pack<Real>::lanes;
    const std::size_t blocks = (x.extent(0) + lanes - 1) / lanes;
    Blocks<Real> kernel{function_, x, out, {}, {}};
    if (x.extent(0) % lanes != 0) {
      kernel.last_x = Points<Real>(Kokkos::view_alloc("boltzcurve::energy::last_x", Kokkos::WithoutInitializing), lanes, columns);
      kernel.last_out = Points<Real>(Kokkos::view_alloc("boltzcurve::energy::last_out", Kokkos::WithoutInitializing), lanes, columns + 2);
    }
    Kokkos::parallel_for("boltzcurve::energy::evaluate",
                         Kokkos::RangePolicy<Kokkos::IndexType<std::int64_t>>(0, static_cast<std::int64_t>(blocks)), kernel);
  }

  Function function_;
  EnergyFacts facts_;
};

/// EnergyOf with the type of the function deduced.
template <class Function>
std::unique_ptr<Energy> make_energy(Function function, EnergyFacts facts) {
  return std::make_unique<EnergyOf<Function>>(std::move(function), std::move(facts));
}

/// The box [-half, half]^D.
inline Domain cube(int dimension, double half) {
  const auto size = static_cast<std::size_t>(dimension);
  return {std::vector<double>(size, -half), std::vector<double>(size, half)};
}

}  // namespace boltzcurve
