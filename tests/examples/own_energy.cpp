// An energy of one's own: a particle in a double well of the plane, bound by a spring and a periodic force. Written once for any scalar
// type, it has its gradient and Laplacian from dual numbers; here they are compared with differences, and the target is registered.
#include <boltzcurve/energy_of.hpp>
#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include <boltzcurve/session.hpp>

#include <cmath>
#include <cstddef>
#include <cstdio>

namespace {

/// f(x) = (x_0^2 - 1)^2 / width + sqrt(1 + x_1^2) + depth sin(x_0 x_1)  [nats]
struct OwnEnergy {
  double width, depth;

  KOKKOS_FUNCTION int dimension() const { return 2; }

  template <class Scalar, class Point>
  KOKKOS_FUNCTION Scalar value(const Point& x) const {
    const Scalar well = x(0) * x(0) - 1;
    return well * well / width + sqrt(1 + x(1) * x(1)) + depth * sin(x(0) * x(1));
  }
};

boltzcurve::TargetEntry own_target() {
  using Kind = boltzcurve::ParameterSpec::Kind;
  return {"own-energy",
          "a double well with a spring and a periodic force",
          {{"width", Kind::real, "0.5", "of the wells", 0.01, 100}, {"depth", Kind::real, "0.25", "of the periodic force [nats]", -1, 1}},
          [](const boltzcurve::Parameters& given) {
            boltzcurve::EnergyFacts facts;
            facts.domain = boltzcurve::cube(2, 20);
            return boltzcurve::make_energy(OwnEnergy{given.real("width"), given.real("depth")}, facts);
          },
          nullptr};
}

/// Largest difference between the gradient and central differences of the value, which is asked for alone.
double error_of_gradient(const boltzcurve::Energy& energy) {
  using boltzcurve::Points;
  using boltzcurve::Wanted;
  constexpr std::size_t count = 25;
  constexpr double h = 1e-5;
  const Points<double> x("own_energy::x", count, 2), all("own_energy::all", count, 4);
  const Points<double> moved("own_energy::moved", 4 * count, 2), values("own_energy::values", 4 * count, 1);
  const auto host_x = Kokkos::create_mirror_view(x), host_moved = Kokkos::create_mirror_view(moved);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t d = 0; d < 2; ++d) {
      host_x(i, d) = 1.5 * std::sin(static_cast<double>(3 * i + d));
      for (std::size_t move = 0; move < 4; ++move)
        host_moved(4 * i + move, d) = host_x(i, d) + (move / 2 != d ? 0 : move % 2 == 0 ? h : -h);
    }
  Kokkos::deep_copy(x, host_x);
  Kokkos::deep_copy(moved, host_moved);
  energy.evaluate(x, all, Wanted::laplacian);
  energy.evaluate(moved, values, Wanted::value);
  const auto host_all = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), all);
  const auto host_values = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), values);
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t d = 0; d < 2; ++d) {
      const double difference = (host_values(4 * i + 2 * d, 0) - host_values(4 * i + 2 * d + 1, 0)) / (2 * h);
      largest = std::fmax(largest, std::fabs(host_all(i, 1 + d) - difference));
    }
  return largest;
}

}  // namespace

int main(int argc, char* argv[]) {
  const boltzcurve::MpiSession mpi(argc, argv);
  const boltzcurve::KokkosSession kokkos(argc, argv);
  try {
    boltzcurve::register_target(own_target());
    const auto energy = boltzcurve::make_target("own-energy", {{"depth", {"0.5"}}});
    const double error = error_of_gradient(*energy);
    std::printf("own_energy: gradient and differences agree to %.1e\n", error);
    return error < 1e-8 ? 0 : 1;
  } catch (const boltzcurve::Error& error) {
    std::fprintf(stderr, "own_energy: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
