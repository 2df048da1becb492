// Particles per second along the flow of a given network, with log density, and the error they end with:
//   boltzcurve_sampling_benchmark NETWORK.h5 TOLERANCE PRECISION [REPEATS]
// NETWORK.h5 holds a network psi(x, t) in double: layer<i>/weight [out][in] with t as the last input, layer<i>/bias [out], swish between
// layers; latent/x [N][D] and latent/log_density [N]; reference/x [M][D] and reference/log_density [M], where the first M of them end at
// t = 0; attributes target (gmm40 or many-well), dimension, width, hidden_layers, horizon. The energy is g f_D + t psi (form plain).
// Prints one JSON object: particles_per_second (median of the repeats), evaluations (mean), nonfinite, error_median, error_maximum (of
// position and log density against the reference).
#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include <boltzcurve/session.hpp>
#include "app/process/stop_request.hpp"
#include "curve/gradient_flow_energies.hpp"
#include "io/hdf5.hpp"
#include "ode/dormand_prince.hpp"
#include "sampling/curve_velocity.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace boltzcurve;

struct SamplingProblem {
  GradientFlow curve;
  CurveNetworks networks;
  std::vector<double> parameters;
  std::unique_ptr<Energy> target, latent;
  hdf5::Array<double> start, start_log_density, end, end_log_density;
};

SamplingProblem read_problem(const std::string& path) {
  SamplingProblem problem;
  const auto file = hdf5::open_file(path, hdf5::Mode::read_only, hdf5::file_access());
  const auto integer = [&](const char* name) { return static_cast<int>(hdf5::read_attribute<std::int64_t>(file, name)); };
  const int D = integer("dimension");
  problem.curve.dimension = D;
  problem.curve.horizon = hdf5::read_attribute<double>(file, "horizon");
  problem.curve.form = CurveForm::plain;
  problem.curve.schedule = Schedule::linear;
  problem.curve.clock = CurveClock::linear;
  problem.networks.list = {{"psi", {D + 1, integer("width"), integer("hidden_layers")}}};
  problem.networks.input_shift.assign(static_cast<std::size_t>(D) + 1, 0.0);
  problem.networks.input_scale.assign(static_cast<std::size_t>(D) + 1, 1.0);
  problem.networks.input_scale.back() = problem.curve.horizon;  // the clock is t/T, the file's network takes t
  for (const auto& tensor : parameter_tensors(problem.networks.list[0].shape)) {
    const auto values = hdf5::read_dataset<double>(file, tensor.name).values;
    problem.parameters.insert(problem.parameters.end(), values.begin(), values.end());
  }
  const std::string name = D == 2 ? "gmm40" : "many-well";
  Parameters::Values given;
  if (D > 2) given["dimension"] = {std::to_string(D)};
  problem.target = make_target(name, given);
  problem.latent = make_latent("gaussian", D);
  problem.start = hdf5::read_dataset<double>(file, "latent/x", 2);
  problem.start_log_density = hdf5::read_dataset<double>(file, "latent/log_density", 1);
  problem.end = hdf5::read_dataset<double>(file, "reference/x", 2);
  problem.end_log_density = hdf5::read_dataset<double>(file, "reference/log_density", 1);
  return problem;
}

std::string measure(const SamplingProblem& problem, double tolerance, Precision precision, int repeats) {
  const auto n = static_cast<std::size_t>(problem.start.shape[0]), D = static_cast<std::size_t>(problem.start.shape[1]);
  Points<double> x("benchmark::x", n, D);
  PointScalars<double> log_density("benchmark::log_density", n);
  const auto host = Kokkos::create_mirror_view(x);
  const auto host_log_density = Kokkos::create_mirror_view(log_density);
  for (std::size_t i = 0; i < n; ++i) {
    host_log_density(i) = problem.start_log_density.values[i];
    for (std::size_t k = 0; k < D; ++k) host(i, k) = problem.start.values[i * D + k];
  }
  Kokkos::deep_copy(x, host);
  Kokkos::deep_copy(log_density, host_log_density);

  const auto curve = make_curve(problem.curve, problem.networks, CurveAnchor::standard(problem.curve.dimension));
  const auto field = make_velocity_field(precision, *curve, problem.parameters, *problem.target, *problem.latent);
  IntegrationOptions options;
  options.relative_tolerance = options.absolute_tolerance = tolerance;
  options.block = 512;
  std::vector<double> seconds;
  IntegratedParticles out;
  for (int repeat = 0; repeat <= repeats; ++repeat) {  // the first one warms up
    const double begin = steady_seconds();
    out = integrate(*field, problem.curve.horizon, 0, x, log_density, options);
    Kokkos::fence();
    if (repeat > 0) seconds.push_back(steady_seconds() - begin);
  }
  std::sort(seconds.begin(), seconds.end());

  const auto position = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out.position);
  const auto end_log_density = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out.log_density);
  const auto status = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out.status);
  const auto evaluations = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out.evaluations);
  double sum = 0;
  int failed = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sum += static_cast<double>(evaluations(i));
    failed += status(i) != ParticleStatus::finished;
  }
  std::vector<double> errors;
  for (std::size_t i = 0; i < static_cast<std::size_t>(problem.end.shape[0]); ++i) {
    double error = std::fabs(end_log_density(i) - problem.end_log_density.values[i]);
    for (std::size_t k = 0; k < D; ++k) error = std::fmax(error, std::fabs(position(i, k) - problem.end.values[i * D + k]));
    errors.push_back(error);
  }
  std::sort(errors.begin(), errors.end());
  return fmt::format(
      R"({{"peer": "boltzcurve", "precision": "{}", "dimension": {}, "width": {}, "tolerance": {}, "particles_per_second": {:.1f}, )"
      R"("evaluations": {:.1f}, "nonfinite": {}, "error_median": {:.1e}, "error_maximum": {:.1e}}})",
      name_of(precision), D, problem.networks.list[0].shape.width, tolerance, static_cast<double>(n) / seconds[seconds.size() / 2],
      sum / static_cast<double>(n), failed, errors[errors.size() / 2], errors.back());
}

}  // namespace

int main(int argc, char* argv[]) {
  const MpiSession mpi(argc, argv);
  const KokkosSession kokkos(argc, argv);
  if (argc < 4) {
    fmt::print(stderr, "usage: {} NETWORK.h5 TOLERANCE float|double [REPEATS]\n", argv[0]);
    return 2;
  }
  try {
    const auto precision = std::string(argv[3]) == "double" ? Precision::double_precision : Precision::single_precision;
    fmt::print("{}\n", measure(read_problem(argv[1]), std::atof(argv[2]), precision, argc > 4 ? std::atoi(argv[4]) : 3));
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
