// Time of a training step (points, energies, residual and gradient, their sum over ranks, Adam) on all ranks of the job:
//   mpirun -n R boltzcurve_ranks_benchmark DIMENSION WIDTH HIDDEN_LAYERS POINTS SECONDS
// POINTS over all ranks. Both reductions take turns, ten steps each, for SECONDS in all. Prints one JSON object: medians of the steps'
// seconds (reproducible, fast), the median time that a step spends in the sum over ranks with waiting for the slowest, and the largest
// resident memory of a rank.
#include "problems.hpp"

#include <boltzcurve/session.hpp>
#include "app/process/memory.hpp"
#include "app/process/stop_request.hpp"
#include "training/optimizer.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace boltzcurve;
using namespace boltzcurve::benchmark_problems;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Training with one kind of reduction, step by step, by an optimizer that takes next to no time.
class Training {
 public:
  Training(const Communicator& ranks, const Case& c, Reduction reduction)
      : model_(build_model(ranks, model_of(c))),
        trainer_(ranks, model_, {{}, {.name = OptimizerName::adam, .learning_rate = 1e-3, .warm_up_steps = 0}, reduction}) {}

  /// Seconds of one step, the slowest rank's.
  double step() {
    trainer_.world().barrier();
    const double begin = steady_seconds();
    trainer_.one_step();
    return trainer_.world().max(steady_seconds() - begin);
  }

 private:
  Model model_;
  Trainer trainer_;
};

}  // namespace

int main(int argc, char* argv[]) {
  const MpiSession mpi(argc, argv);
  const KokkosSession kokkos(argc, argv);
  const auto& ranks = mpi.world();
  if (argc != 6) {
    if (ranks.is_root()) fmt::print(stderr, "usage: {} DIMENSION WIDTH HIDDEN_LAYERS POINTS SECONDS\n", argv[0]);
    return 2;
  }
  const Case c{std::atoi(argv[1]), std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4])};
  Training reproducible(ranks, c, Reduction::reproducible), fast(ranks, c, Reduction::fast);
  constexpr int turn = 10;
  for (int warm_up = 0; warm_up < turn; ++warm_up) {  // the first steps are evaluated twice, to find the quanta
    reproducible.step();
    fast.step();
  }
  std::vector<double> with_quanta, without;
  for (double spent = 0; spent < std::atof(argv[5]);) {
    for (int k = 0; k < turn; ++k) spent += with_quanta.emplace_back(reproducible.step());
    for (int k = 0; k < turn; ++k) spent += without.emplace_back(fast.step());
  }
  const double resident = ranks.max(static_cast<double>(peak_resident_bytes()));
  if (ranks.is_root())
    fmt::print(
        R"({{"case": "{}", "ranks": {}, "seconds_reproducible": {:.6g}, "seconds_fast": {:.6g}, "steps": {}, "peak_resident_mib": {:.1f}}})"
        "\n",
        c.name(), ranks.size(), median(with_quanta), median(without), with_quanta.size(), resident / (1 << 20));
  return 0;
}
