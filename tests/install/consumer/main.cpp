// Starts MPI and Kokkos, runs a kernel of its own and calls into the library: headers, link line and run path must all be right.
#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/error.hpp>
#include <boltzcurve/session.hpp>
#include <boltzcurve/version.hpp>
#include <boltzcurve/views.hpp>

#include <cstdio>

int main(int argc, char* argv[]) {
  const boltzcurve::MpiSession mpi(argc, argv);
  const boltzcurve::KokkosSession kokkos(argc, argv);

  const boltzcurve::PointScalars<double> values("consumer::values", 100);
  Kokkos::parallel_for(
      "consumer::fill", values.extent(0), KOKKOS_LAMBDA(const int i) { values(i) = i; });
  double sum = 0;
  Kokkos::parallel_reduce(
      "consumer::sum", values.extent(0), KOKKOS_LAMBDA(const int i, double& partial) { partial += values(i); }, sum);

  const double total = mpi.world().max(sum);
  std::printf("consumer: version %s, sum %g on %d rank(s)\n", std::string(boltzcurve::version()).c_str(), total, mpi.world().size());
  return total == 4950 ? 0 : 1;
}
