// Speed of the training step, of its parts and of the matrix product that bounds it, on one core, or where Kokkos has one on a GPU (but for
// the matrix product, which is the host's):
//   boltzcurve_benchmark [--benchmark_filter=...] [--benchmark_format=json]
// Counter "useful_gflops": 6 width^2 (D+3) (hidden layers - 1) flops per point (for products: 2 m n k), per second of wall time.
#include "problems.hpp"

#include <boltzcurve/counter_rng.hpp>
#include <boltzcurve/session.hpp>
#include "residual/matching.hpp"
#include "residual/residual.hpp"
#include "training/batch_loss.hpp"
#include "training/optimizer.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <ctime>
#include <memory>
#include <string>
#include <vector>

extern "C" {
void cblas_sgemm(int, int, int, int, int, int, float, const float*, int, const float*, int, float, float*, int);
void cblas_dgemm(int, int, int, int, int, int, double, const double*, int, const double*, int, double, double*, int);
void openblas_set_num_threads(int);
}

namespace {

using namespace boltzcurve;
using namespace boltzcurve::benchmark_problems;

const Case cases[] = {{1, 16, 2, 256},   {2, 32, 2, 1024},   {2, 64, 3, 4096},  {2, 128, 4, 4096},
                      {8, 128, 4, 4096}, {32, 128, 4, 1024}, {2, 512, 4, 1024}, {8, 512, 4, 1024}};
/// Where matching is held against the residual.
const Case matching_cases[] = {{2, 64, 3, 4096}, {8, 128, 4, 4096}, {32, 128, 4, 4096}};
/// Enough points for a GPU.
const Case large_cases[] = {{2, 64, 3, 65536}, {8, 128, 4, 65536}, {8, 512, 4, 16384}};

void set_flops(benchmark::State& state, double flops_per_iteration) {
  state.counters["useful_gflops"] =
      benchmark::Counter(flops_per_iteration * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

/// Loss, gradient, their reduction, and the rest of the step: points, energies, the default optimizer.
void training_step(benchmark::State& state, const Case& c, Precision precision) {
  const auto target = target_of(c), latent = latent_of(c.dimension);
  const auto settings = settings_of(c, *target, Communicator(MPI_COMM_SELF));
  const auto loss = make_batch_loss(precision, Communicator(MPI_COMM_SELF), settings, *target, *latent);
  auto parameters = settings.curve->networks().initial_parameters(1);
  const auto optimizer = make_optimizer({}, settings.curve->networks().tensors());
  auto moments = optimizer->initial_state();
  std::int64_t step = 0;
  const auto one_step = [&] {
    const auto result = loss->evaluate(parameters, step++);
    optimizer->update(moments, parameters, result.gradient, 1e-3);
  };
  // The first steps, in which psi leaves zero, are evaluated twice to find the quanta of the reproducible sum; they are not what training
  // costs.
  for (int warm_up = 0; warm_up < 8; ++warm_up) one_step();
  for (auto _ : state) one_step();
  set_flops(state, useful_flops_per_point(*settings.curve->networks().find("psi"), c.dimension + 3) * c.points);
}

/// What the optimizer adds to a step: an update alone, renewals of bases and the like at their share.
void optimizer_update(benchmark::State& state, const Case& c, OptimizerName name) {
  const auto nets = networks(c);
  const auto optimizer = make_optimizer({.name = name}, nets.tensors());
  auto kept = optimizer->initial_state();
  auto parameters = nets.initial_parameters(1), gradient = nets.initial_parameters(2);
  optimizer->update(kept, parameters, gradient, 1e-3);
  for (auto _ : state) optimizer->update(kept, parameters, gradient, 1e-3);
}

/// Times along the curve, and normal numbers for all else.
template <class Real>
void fill_points(const GradientFlow& curve, PointScalars<Real> t, const std::vector<Points<Real>>& arrays) {
  const auto times = Kokkos::create_mirror_view(t);
  for (std::size_t i = 0; i < t.extent(0); ++i)
    times(i) = static_cast<Real>(curve.horizon * CounterRng(1, RandomStream::test, 0, i).uniform());
  Kokkos::deep_copy(t, times);
  for (std::size_t a = 0; a < arrays.size(); ++a) {
    const auto numbers = Kokkos::create_mirror_view(arrays[a]);
    for (std::size_t i = 0; i < numbers.extent(0); ++i) {
      CounterRng rng(1, RandomStream::test, a + 1, i);
      for (std::size_t k = 0; k < numbers.extent(1); ++k) numbers(i, k) = static_cast<Real>(rng.normal());
    }
    Kokkos::deep_copy(arrays[a], numbers);
  }
}

/// The fused kernel of the residual and the sum over chunks alone.
template <class Real>
class ResidualStep {
 public:
  explicit ResidualStep(const Case& c)
      : curve_{c.dimension},
        nets_(networks(c)),
        kernel_(make_residual_kernel<GradientFlow, Real>(curve_, nets_)),
        batch_(c.points, c.dimension, curve_.known_rows()),
        residual_("benchmark::residual", static_cast<std::size_t>(c.points)),
        sum_(kernel_->sum_borders(), partial_sums_of(c.points), Reduction::reproducible) {
    kernel_->set_parameters(nets_.initial_parameters(1));
    fill_points(curve_, batch_.t, {batch_.x, batch_.known});
  }

  void operator()() {
    kernel_->add_loss_and_gradient(batch_, batch_.size(), static_cast<double>(batch_.size()), sum_.begin(), residual_);
    sum_.finish(self_, total_);
  }

 private:
  GradientFlow curve_;
  CurveNetworks nets_;
  std::unique_ptr<ResidualKernel<Real>> kernel_;
  CollocationBatch<Real> batch_;
  PointScalars<Real> residual_;
  ReproducibleSum sum_;
  std::vector<double> total_;
  Communicator self_{MPI_COMM_SELF};
};

template <class Real>
void residual_gradient(benchmark::State& state, const Case& c) {
  ResidualStep<Real> step(c);
  for (auto _ : state) step();
  set_flops(state, useful_flops_per_point(*networks(c).find("psi"), c.dimension + 3) * c.points);
}

/// The same of matching.
template <class Real>
class MatchingStep {
 public:
  explicit MatchingStep(const Case& c)
      : curve_{c.dimension},
        nets_(networks(c)),
        kernel_(make_matching_kernel<GradientFlow, Real>(curve_, nets_)),
        batch_(c.points, c.dimension),
        misfit_("benchmark::misfit", static_cast<std::size_t>(c.points)),
        sum_(kernel_->sum_borders(), partial_sums_of(c.points), Reduction::reproducible) {
    kernel_->set_parameters(nets_.initial_parameters(1));
    fill_points(curve_, batch_.t, {batch_.x, batch_.base, batch_.goal});
    Kokkos::deep_copy(batch_.spread, Real(1));
  }

  void operator()() {
    kernel_->add_loss_and_gradient(batch_, batch_.size(), static_cast<double>(batch_.size()), sum_.begin(), misfit_);
    sum_.finish(self_, total_);
  }

 private:
  GradientFlow curve_;
  CurveNetworks nets_;
  std::unique_ptr<MatchingKernel<Real>> kernel_;
  MatchingBatch<Real> batch_;
  PointScalars<Real> misfit_;
  ReproducibleSum sum_;
  std::vector<double> total_;
  Communicator self_{MPI_COMM_SELF};
};

/// Processor seconds of a call.
template <class Step>
double processor_seconds(Step& step) {
  const auto begin = std::clock();
  step();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

/// Counter "residual_over_matching": processor time of the residual's step at as many points over that of matching, both measured in turn.
template <class Real>
void matching_gradient(benchmark::State& state, const Case& c) {
  MatchingStep<Real> step(c);
  ResidualStep<Real> residual(c);
  step();  // the first round finds the quanta of the sum
  residual();
  for (auto _ : state) step();
  double of_residual = 0, of_matching = 0;
  for (int round = 0; round < 5; ++round) {
    of_residual += processor_seconds(residual);
    for (int i = 0; i < 5; ++i) of_matching += processor_seconds(step) / 5;
  }
  state.counters["residual_over_matching"] = of_residual / of_matching;
}

/// Velocity and divergence: the network's forward pass alone, a third of the residual's flops.
template <class Real>
void velocity(benchmark::State& state, const Case& c) {
  GradientFlow curve;
  curve.dimension = c.dimension;
  const auto nets = networks(c);
  const auto kernel = make_residual_kernel<GradientFlow, Real>(curve, nets);
  kernel->set_parameters(nets.initial_parameters(1));
  const CollocationBatch<Real> batch(c.points, c.dimension, curve.known_rows());
  Points<Real> v("benchmark::velocity", static_cast<std::size_t>(c.points), static_cast<std::size_t>(c.dimension));
  PointScalars<Real> divergence("benchmark::divergence", static_cast<std::size_t>(c.points));
  for (auto _ : state) {
    kernel->velocity(c.points, batch.t, batch.x, batch.known, v, divergence);
    Kokkos::fence();
  }
  set_flops(state, useful_flops_per_point(*nets.find("psi"), c.dimension + 3) * c.points / 3);
}

/// Adds the same partial sums for every chunk of a batch.
struct AddChunks {
  PartialSums sums;
  Kokkos::View<const float*> values;
  int chunks;

  KOKKOS_FUNCTION void operator()(const Kokkos::TeamPolicy<>::member_type& member) const {
    for (int chunk = member.league_rank(); chunk < chunks; chunk += member.league_size()) sums.add(member, values.data());
  }
};

/// What the sum over a step's chunks costs beside the kernel, without other ranks.
void reduction(benchmark::State& state, const Case& c, Reduction kind) {
  const auto nets = networks(c);
  const auto borders = make_residual_kernel<GradientFlow, float>(GradientFlow{c.dimension}, nets)->sum_borders();
  const auto chunks = static_cast<int>(partial_sums_of(c.points));
  ReproducibleSum sum(borders, chunks, kind);
  const Kokkos::View<float*> values("benchmark::values", static_cast<std::size_t>(borders.back()));
  Kokkos::deep_copy(values, 1e-3f);
  std::vector<double> total;
  const Communicator self(MPI_COMM_SELF);
  for (auto _ : state) {
    const PartialSums partial = sum.begin();
    Kokkos::parallel_for("benchmark::add_chunks", Kokkos::TeamPolicy<>(partial.teams(chunks), 1, threads_abreast),
                         AddChunks{partial, values, chunks});
    sum.finish(self, total);
  }
  state.counters["numbers"] = benchmark::Counter(static_cast<double>(borders.back()) * chunks * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate);
}

/// The ceiling: a product of matrices that stay in the cache.
template <class Real>
void matrix_product(benchmark::State& state, int rows, int inner) {
  const auto m = static_cast<std::size_t>(rows), k = static_cast<std::size_t>(inner);
  std::vector<Real> a(m * k, Real(1.5)), b(k * k, Real(0.5)), c(m * k);
  for (auto _ : state) {
    if constexpr (sizeof(Real) == 4)
      cblas_sgemm(101, 111, 111, rows, inner, inner, 1, a.data(), inner, b.data(), inner, 0, c.data(), inner);
    else
      cblas_dgemm(101, 111, 111, rows, inner, inner, 1, a.data(), inner, b.data(), inner, 0, c.data(), inner);
    benchmark::DoNotOptimize(c.data());
  }
  set_flops(state, 2.0 * rows * inner * inner);
}

void energies(benchmark::State& state, const Case& c) {
  const auto target = target_of(c);
  Points<float> x("benchmark::x", static_cast<std::size_t>(c.points), static_cast<std::size_t>(c.dimension));
  Points<float> out("benchmark::energy", static_cast<std::size_t>(c.points), static_cast<std::size_t>(c.dimension + 2));
  const auto host = Kokkos::create_mirror_view(x);
  for (std::size_t i = 0; i < x.extent(0); ++i)
    for (std::size_t k = 0; k < x.extent(1); ++k) host(i, k) = static_cast<float>(CounterRng(1, RandomStream::test, k, i).normal());
  Kokkos::deep_copy(x, host);
  for (auto _ : state) {
    target->evaluate(x, out);
    Kokkos::fence();
  }
  state.counters["points"] =
      benchmark::Counter(static_cast<double>(c.points) * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void register_all() {
  const auto add = [](const std::string& name, auto function) {
    benchmark::RegisterBenchmark(name.c_str(), function)->Unit(benchmark::kMillisecond)->UseRealTime();
  };
  for (const int inner : {64, 128, 512}) {
    add(fmt::format("ceiling/sgemm/1024x{0}x{0}", inner), [inner](benchmark::State& s) { matrix_product<float>(s, 1024, inner); });
    add(fmt::format("ceiling/dgemm/1024x{0}x{0}", inner), [inner](benchmark::State& s) { matrix_product<double>(s, 1024, inner); });
  }
  std::vector<Case> all(std::begin(cases), std::end(cases));
  if (threads_abreast > 1) all.insert(all.end(), std::begin(large_cases), std::end(large_cases));
  for (const auto& c : all) {
    add("residual/float/" + c.name(), [c](benchmark::State& s) { residual_gradient<float>(s, c); });
    add("residual/double/" + c.name(), [c](benchmark::State& s) { residual_gradient<double>(s, c); });
    add("step/float/" + c.name(), [c](benchmark::State& s) { training_step(s, c, Precision::single_precision); });
    add("step/double/" + c.name(), [c](benchmark::State& s) { training_step(s, c, Precision::double_precision); });
    add("velocity/float/" + c.name(), [c](benchmark::State& s) { velocity<float>(s, c); });
    add("velocity/double/" + c.name(), [c](benchmark::State& s) { velocity<double>(s, c); });
    for (const auto kind : {Reduction::reproducible, Reduction::fast})
      add(fmt::format("reduction/{}/{}", name_of(kind), c.name()), [c, kind](benchmark::State& s) { reduction(s, c, kind); });
    for (const auto& choice : choices<OptimizerName>)
      add(fmt::format("optimizer/{}/{}", choice.name, c.name()),
          [c, &choice](benchmark::State& s) { optimizer_update(s, c, choice.value); });
    if (c.dimension > 1) add("energy/float/" + c.name(), [c](benchmark::State& s) { energies(s, c); });
  }
  for (const auto& c : matching_cases) {
    add("matching/float/" + c.name(), [c](benchmark::State& s) { matching_gradient<float>(s, c); });
    add("matching/double/" + c.name(), [c](benchmark::State& s) { matching_gradient<double>(s, c); });
  }
}

}  // namespace

int main(int argc, char* argv[]) {
  const MpiSession mpi(argc, argv);
  const KokkosSession kokkos(argc, argv);
  openblas_set_num_threads(1);
  register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
