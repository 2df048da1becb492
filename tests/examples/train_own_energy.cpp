// An energy of one's own, its curve learned and particles drawn along it; on any number of ranks.
#include <boltzcurve/boltzcurve.hpp>

#include <cstdio>

using namespace boltzcurve;

/// A normal density bent along a parabola: f(x) = x_0^2 / 2 + (x_1 - x_0^2 / 2)^2 / 2, whose log Z is log 2 pi.
struct Bent {
  KOKKOS_FUNCTION int dimension() const { return 2; }

  template <class Scalar, class Point>
  KOKKOS_FUNCTION Scalar value(const Point& x) const {
    const Scalar across = x(1) - x(0) * x(0) * 0.5;
    return (x(0) * x(0) + across * across) * 0.5;
  }
};

int main(int argc, char* argv[]) {
  const MpiSession mpi(argc, argv);
  const KokkosSession kokkos(argc, argv);
  register_target({"bent", "a bent normal density", {}, [](const Parameters&) { return make_energy(Bent{}, {cube(2, 40)}); }, nullptr});

  ModelSettings settings;
  settings.target_name = "bent";
  Model model = build_model(mpi.world(), settings);

  TrainerSettings how;
  how.training.steps = 400;
  Trainer(mpi.world(), model, how).run();

  const Particles particles = Sampler(mpi.world(), model, {}).draw(4000);
  const Evaluation found = evaluate(mpi.world(), model, particles);
  if (mpi.world().is_root()) std::printf("ESS %.3f, log Z %.4f +- %.4f\n", found.ess, found.log_z, found.log_z_stderr);
  return 0;
}
