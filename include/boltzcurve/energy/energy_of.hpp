#pragma once

#include <boltzcurve/core/dual.hpp>
#include <boltzcurve/core/error.hpp>
#include <boltzcurve/energy/energy.hpp>
#include <boltzcurve/random/counter_rng.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace boltzcurve {

/// One vector register's worth of points in a batch: x(d) is coordinate d of all of them, lane = point. The lanes beyond the last point
/// of the batch repeat it, so they are as valid as the others.
template <class Real>
struct LanePoint {
  using Scalar = Pack<Real>;  ///< what coordinates and energies are made of here

  const Real* first;    ///< coordinate 0 of lane 0
  std::int64_t stride;  ///< from one coordinate of a point to the next
  int count;            ///< lanes that are points of the batch

  KOKKOS_FORCEINLINE_FUNCTION Scalar operator()(int d) const {
    const Real* coordinate = first + d * stride;
    if (count == Scalar::lanes) return Scalar::load(coordinate);
    Scalar x(coordinate[0]);
    for (int lane = 1; lane < Scalar::lanes; ++lane) x.set(lane, coordinate[lane < count ? lane : count - 1]);
    return x;
  }
};

/// Where the results of a LanePoint go: component 0 the value, 1 + d the derivative along d, D + 1 the Laplacian. Lanes beyond the batch
/// are dropped; they read as 0. What was stored can be read back, so it serves for sums over components of any dimension.
template <class Real>
struct LaneOutput {
  Real* first;
  std::int64_t stride;
  int count;

  KOKKOS_FORCEINLINE_FUNCTION void store(int component, Pack<Real> result) const {
    Real* out = first + component * stride;
    if (count == Pack<Real>::lanes) return result.store(out);
    for (int lane = 0; lane < count; ++lane) out[lane] = result[lane];
  }
  KOKKOS_FORCEINLINE_FUNCTION Pack<Real> load(int component) const {
    const Real* out = first + component * stride;
    if (count == Pack<Real>::lanes) return Pack<Real>::load(out);
    Pack<Real> result(0);
    for (int lane = 0; lane < count; ++lane) result.set(lane, out[lane]);
    return result;
  }
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
  std::function<void(CounterRng& rng, double* x)> sample{};  ///< one exact, independent sample into x [D]
  RandomStream stream = RandomStream::exact_samples;         ///< what `sample` draws from
};

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

  void evaluate(Points<const float> x, Points<float> out) const override { launch<float>(x, out); }
  void evaluate(Points<const double> x, Points<double> out) const override { launch<double>(x, out); }

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

 private:
  template <class Real>
  struct Blocks {
    Function function;
    Points<const Real> x;
    Points<Real> out;

    KOKKOS_FUNCTION void operator()(std::int64_t block) const {
      constexpr int lanes = Pack<Real>::lanes;
      const std::int64_t begin = block * lanes, left = static_cast<std::int64_t>(x.extent(0)) - begin;
      const int count = left < lanes ? static_cast<int>(left) : lanes;
      store_derivatives(function, LanePoint<Real>{x.data() + begin, static_cast<std::int64_t>(x.stride(1)), count},
                        LaneOutput<Real>{out.data() + begin, static_cast<std::int64_t>(out.stride(1)), count});
    }
  };

  template <class Real>
  void launch(const Points<const Real>& x, const Points<Real>& out) const {
    const auto columns = static_cast<std::size_t>(dimension());
    if (x.extent(1) != columns || out.extent(0) != x.extent(0) || out.extent(1) != columns + 2) {
      throw Error(ExitCode::internal_error, "Energy::evaluate: points " + shape(x) + " and results " + shape(out) +
                                                " do not fit dimension " + std::to_string(columns));
    }
    constexpr std::int64_t lanes = Pack<Real>::lanes;
    const std::int64_t blocks = (static_cast<std::int64_t>(x.extent(0)) + lanes - 1) / lanes;
    Kokkos::parallel_for("boltzcurve::energy::evaluate", Kokkos::RangePolicy<Kokkos::IndexType<std::int64_t>>(0, blocks),
                         Blocks<Real>{function_, x, out});
  }

  template <class View>
  static std::string shape(const View& view) {
    return "[" + std::to_string(view.extent(0)) + "][" + std::to_string(view.extent(1)) + "]";
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
