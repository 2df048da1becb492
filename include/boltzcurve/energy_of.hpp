#pragma once

#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/dual.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/rescaled.hpp>

#include <array>
#include <concepts>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace boltzcurve {

namespace detail {

/// How many points a kernel works on at once, and how their numbers are read and written: here one. The library's own energies take as many
/// as a vector register holds (src/energy/vectorized_energy.hpp); nothing in an installed header may depend on how many that are.
template <class Real_>
struct OnePoint {
  using Real = Real_;
  using Numbers = Real_;
  static constexpr int count = 1;
  static constexpr bool one_pass_for_all = false;  ///< dual numbers are of the order that is needed

  KOKKOS_FORCEINLINE_FUNCTION static Numbers load(const Real* from) { return *from; }
  KOKKOS_FORCEINLINE_FUNCTION static void store(Real* to, Numbers numbers) { *to = numbers; }
};

/// A point, or several at once: x(d) is coordinate d.
template <class Lanes>
struct LanePoint {
  using Scalar = typename Lanes::Numbers;  ///< what coordinates and energies are made of here

  const typename Lanes::Real* first;  ///< coordinate 0
  std::int64_t stride;                ///< from one coordinate of a point to the next

  KOKKOS_FORCEINLINE_FUNCTION Scalar operator()(int d) const { return Lanes::load(first + d * stride); }
};

/// Where the results of a LanePoint go. What is not wanted is not stored. A gradient that was stored can be read back, so it serves for
/// sums in any dimension.
template <class Lanes, Wanted most>
struct LaneOutput {
  using Real = typename Lanes::Real;
  using Scalar = typename Lanes::Numbers;
  static constexpr Wanted wanted = most;

  Real *of_value, *of_gradient, *of_laplacian;
  std::int64_t stride;  ///< from one component of a gradient to the next

  KOKKOS_FORCEINLINE_FUNCTION void value(Scalar f) const { Lanes::store(of_value, f); }
  KOKKOS_FORCEINLINE_FUNCTION void gradient(int d, Scalar slope) const {
    if constexpr (wanted >= Wanted::gradient) Lanes::store(of_gradient + d * stride, slope);
  }
  KOKKOS_FORCEINLINE_FUNCTION Scalar stored_gradient(int d) const { return Lanes::load(of_gradient + d * stride); }
  KOKKOS_FORCEINLINE_FUNCTION void laplacian(Scalar sum) const {
    if constexpr (wanted == Wanted::laplacian) Lanes::store(of_laplacian, sum);
  }
};

/// A point whose coordinate `direction` moves with unit speed while the others rest.
template <class Point, int order>
struct MovingPoint {
  using Scalar = Dual<typename Point::Scalar, order>;

  const Point& point;
  int direction;

  KOKKOS_FORCEINLINE_FUNCTION Scalar operator()(int d) const {
    return {point(d), typename Scalar::First(d == direction ? 1 : 0), typename Scalar::Second(0)};
  }
};

}  // namespace detail

/// What a function must offer to become an Energy: its dimension and the energy for every scalar type,
///
///     int dimension() const;
///     template <class Scalar, class Point> Scalar value(const Point& x) const;     // f at x(0) ... x(D-1)
///
/// both KOKKOS_FUNCTION, without branches on x (use select, fmin, fmax), copyable to the device. Scalar is a Dual number; exp, log, sqrt
/// and what else dual.hpp has are called by their bare names, constants are plain numbers. Derivatives then come from D passes, of order 1
/// for the gradient, of order 2 for the Laplacian; the value alone from one of order 0. Or it may offer all of them in closed form (then
/// `value` is not needed):
///
///     template <class Point, class Output> void derivatives(const Point& x, const Output& out) const;   // calls out.value(f),
///                                                    // out.gradient(d, df/dx_d), out.laplacian(Lap f), as far as Output::wanted goes
///
/// where numbers are of the type Point::Scalar: plain ones, but for the library's own energies, where it holds those of several points.
template <class Function, template <class> class Lanes = detail::OnePoint>
concept ClosedFormEnergy = requires(const Function& function, const detail::LanePoint<Lanes<double>>& x,
                                    const detail::LaneOutput<Lanes<double>, Wanted::laplacian>& out) {
  { function.dimension() } -> std::convertible_to<int>;
  function.derivatives(x, out);
};
template <class Function, template <class> class Lanes = detail::OnePoint>
concept DifferentiableEnergy = requires(const Function& function, const detail::MovingPoint<detail::LanePoint<Lanes<double>>, 2>& x) {
  { function.dimension() } -> std::convertible_to<int>;
  { function.template value<Dual<typename Lanes<double>::Numbers>>(x) } -> std::same_as<Dual<typename Lanes<double>::Numbers>>;
};

namespace detail {

/// Whether a ClosedFormEnergy of the library wants all of it computed whatever is asked for, `static constexpr bool all_at_once = true`:
/// for short formulas whose value and derivatives share products. Compiled without the derivatives, such products are contracted with sums,
/// and round otherwise.
template <class Function>
concept AllAtOnce = bool(Function::all_at_once);

/// What `out` wants of `function` at x, by its closed form if it has one, else by one pass with dual numbers per coordinate, or the first
/// `passes` of them.
template <template <class> class Lanes, class Function, class Point, class Output>
KOKKOS_FUNCTION void store_wanted(const Function& function, const Point& x, const Output& out, int passes) {
  if constexpr (ClosedFormEnergy<Function, Lanes>) {
    function.derivatives(x, out);
  } else if constexpr (Output::wanted == Wanted::value) {
    using Resting = MovingPoint<Point, 0>;
    out.value(function.template value<typename Resting::Scalar>(Resting{x, -1}).value);
  } else {
    using Moving = MovingPoint<Point, Output::wanted == Wanted::gradient ? 1 : 2>;
    typename Point::Scalar laplacian(0);
    for (int d = 0; d < passes; ++d) {
      const auto f = function.template value<typename Moving::Scalar>(Moving{x, d});
      if (d == 0) out.value(f.value);
      out.gradient(d, f.first);
      if constexpr (Output::wanted == Wanted::laplacian) laplacian += f.second;
    }
    out.laplacian(laplacian);
  }
}

/// The same as a call of its own: the compiler may not make several copies of a single point's arithmetic, which might round differently.
template <template <class> class Lanes, class Function, class Point, class Output>
#if !defined(__CUDACC__) && !defined(__HIPCC__)
[[gnu::noinline]]
#endif
KOKKOS_FUNCTION void
store_wanted_apart(const Function& function, const Point& x, const Output& out, int passes) {
  store_wanted<Lanes>(function, x, out, passes);
}

}  // namespace detail

/// What is known about a density besides its energy. Unknown: nullopt, empty, or no function.
struct EnergyFacts {
  Domain domain;
  std::optional<double> log_z{}, entropy{};
  std::vector<Mode> modes{};
  std::optional<Moments> moments{};
  std::function<void(CounterRng& rng, double* x)> sample{};  ///< one exact, independent sample into x [D]
  RandomStream stream = RandomStream::exact_samples;         ///< what `sample` draws from
};

/// The same facts in the coordinates of `map`. The entropy is another there, and is not known.
EnergyFacts rescaled(EnergyFacts facts, const ScaleMap& map);

namespace detail {
/// Throws Error where points and results [rows, columns] do not fit the dimension, or what is wanted.
void require_shapes(std::array<std::size_t, 2> points, std::array<std::size_t, 2> results, std::size_t dimension, Wanted wanted);
}  // namespace detail

/// An Energy made of a function (see ClosedFormEnergy and DifferentiableEnergy) and of facts. One kernel launch per batch. A point's result
/// is the same, to the bit, at every place and in a batch of any size.
template <class Function, template <class> class Lanes = detail::OnePoint>
requires(ClosedFormEnergy<Function, Lanes> || DifferentiableEnergy<Function, Lanes>) class EnergyOf final : public Energy {
 public:
  EnergyOf(Function function, EnergyFacts facts) : function_(std::move(function)), facts_(std::move(facts)) {}

  int dimension() const override { return function_.dimension(); }
  Domain domain() const override { return facts_.domain; }
  std::optional<double> log_z() const override { return facts_.log_z; }
  std::optional<double> entropy() const override { return facts_.entropy; }
  std::vector<Mode> modes() const override { return facts_.modes; }
  std::optional<Moments> moments() const override { return facts_.moments; }

  void evaluate(Points<const float> x, Points<float> out, Wanted wanted) const override { launch<float>(x, out, wanted); }
  void evaluate(Points<const double> x, Points<double> out, Wanted wanted) const override { launch<double>(x, out, wanted); }

  std::unique_ptr<Energy> in_coordinates(const ScaleMap& map) const override {
    if (map.moves_places() || map.is_whitening()) return nullptr;
    if constexpr (DifferentiableEnergy<Function, Lanes> && !detail::is_rescaled<Function>)
      return std::make_unique<EnergyOf<detail::Rescaled<Function>, Lanes>>(
          detail::Rescaled<Function>{function_, detail::DeviceScaleMap(map)}, rescaled(facts_, map));
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

  /// The kernel, public because nvcc asks it of what runs on a GPU: as many points per iteration as there are lanes. The last, incomplete
  /// block of points is worked on in a copy that repeats its last point, so that the same instructions serve all blocks: compiled a second
  /// time, for part of a register, they may be contracted otherwise and round otherwise.
  template <class Real, Wanted computed>
  struct Blocks {
    static constexpr std::int64_t lanes = Lanes<Real>::count;

    Function function;
    Points<const Real> x;
    Points<Real> out;
    Wanted wanted;                  ///< `computed`, or less
    Points<Real> last_x, last_out;  ///< [lanes][D], [lanes][columns of what is wanted]; empty if no block is incomplete

    KOKKOS_FUNCTION void operator()(std::int64_t block) const {
      const std::int64_t begin = block * lanes, left = static_cast<std::int64_t>(x.extent(0)) - begin;
      const bool incomplete = left < lanes;
      if (incomplete) {
        for (std::size_t d = 0; d < x.extent(1); ++d) {
          for (std::int64_t i = 0; i < lanes; ++i) last_x(i, d) = x(begin + (i < left ? i : left - 1), d);
        }
      }
      const detail::LanePoint<Lanes<Real>> point{incomplete ? last_x.data() : x.data() + begin,
                                                 static_cast<std::int64_t>(incomplete ? last_x.stride(1) : x.stride(1))};
      const int dimension = function.dimension();
      const auto stride = static_cast<std::int64_t>(incomplete ? last_out.stride(1) : out.stride(1));
      Real* const first = incomplete ? last_out.data() : out.data() + begin;
      Real unwanted[lanes];
      const detail::LaneOutput<Lanes<Real>, computed> output{first, wanted >= Wanted::gradient ? first + stride : unwanted,
                                                             wanted == Wanted::laplacian ? first + (1 + dimension) * stride : unwanted,
                                                             wanted >= Wanted::gradient ? stride : 0};
      const int passes = wanted == Wanted::value ? 1 : dimension;
      if constexpr (lanes == 1)
        detail::store_wanted_apart<Lanes>(function, point, output, passes);
      else
        detail::store_wanted<Lanes>(function, point, output, passes);
      if (incomplete) {
        for (std::size_t c = 0; c < last_out.extent(1); ++c) {
          for (std::int64_t i = 0; i < left; ++i) out(begin + i, c) = last_out(i, c);
        }
      }
    }
  };

 private:
  template <class Real>
  void launch(const Points<const Real>& x, const Points<Real>& out, Wanted wanted) const {
    const auto D = static_cast<std::size_t>(dimension());
    detail::require_shapes({x.extent(0), x.extent(1)}, {out.extent(0), out.extent(1)}, D, wanted);
    if constexpr (Lanes<Real>::one_pass_for_all && (!ClosedFormEnergy<Function, Lanes> || detail::AllAtOnce<Function>)) {
      launch_blocks<Real, Wanted::laplacian>(x, out, wanted);
    } else {
      if (wanted == Wanted::value) launch_blocks<Real, Wanted::value>(x, out, wanted);
      if (wanted == Wanted::gradient) launch_blocks<Real, Wanted::gradient>(x, out, wanted);
      if (wanted == Wanted::laplacian) launch_blocks<Real, Wanted::laplacian>(x, out, wanted);
    }
  }

  template <class Real, Wanted computed>
  void launch_blocks(const Points<const Real>& x, const Points<Real>& out, Wanted wanted) const {
    constexpr std::size_t lanes = Lanes<Real>::count;
    const std::size_t blocks = (x.extent(0) + lanes - 1) / lanes;
    Blocks<Real, computed> kernel{function_, x, out, wanted, {}, {}};
    if (x.extent(0) % lanes != 0) {
      kernel.last_x = Points<Real>(Kokkos::view_alloc("boltzcurve::energy::last_x", Kokkos::WithoutInitializing), lanes, x.extent(1));
      kernel.last_out = Points<Real>(Kokkos::view_alloc("boltzcurve::energy::last_out", Kokkos::WithoutInitializing), lanes,
                                     result_columns(wanted, x.extent(1)));
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
