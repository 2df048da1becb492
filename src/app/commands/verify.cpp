#include <boltzcurve/counter_rng.hpp>
#include "app/commands/commands.hpp"
#include "app/commands/stages.hpp"
#include "core/checksum.hpp"
#include "core/heartbeat.hpp"
#include "energy/gaussian_mixture.hpp"
#include "io/durable_file.hpp"
#include "io/host_names.hpp"
#include "io/training_checkpoint.hpp"
#include "ode/dormand_prince.hpp"
#include "training/batch_loss.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <span>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

/// The exact gradient flow to N(0, I) of a mixture of two round normal laws in the plane: with a = e^-t,
/// rho_t = sum_k w_k N(a mu_k, s_k I), s_k = a^2 sd_k^2 + 1 - a^2, f_t = -log rho_t, v_t = grad f_t - x, and the residual is 0 with C = 0.
class ExactFlow final : public VelocityField {
 public:
  struct Part {
    double weight, mean[2], sd;
  };
  static constexpr std::array<Part, 2> parts = {{{0.3, {-2.0, 0.5}, 0.6}, {0.7, {1.5, -1.0}, 0.9}}};

  struct Derivatives {
    double value, d_t, gradient[2], laplacian;
  };

  static Derivatives at(double t, double x, double y) {
    const double a = std::exp(-t);
    double sum = 0, sum_t = 0, sum_x = 0, sum_y = 0, sum_laplacian = 0;
    for (const auto& [weight, mean, sd] : parts) {
      const double s = a * a * sd * sd + 1 - a * a, s_t = -2 * a * a * (sd * sd - 1);
      const double u = x - a * mean[0], v = y - a * mean[1], square = u * u + v * v;
      const double density = weight / (2 * std::numbers::pi * s) * std::exp(-square / (2 * s));
      sum += density;
      sum_t += density * (-a * (u * mean[0] + v * mean[1]) / s + square * s_t / (2 * s * s) - s_t / s);
      sum_x -= density * u / s;
      sum_y -= density * v / s;
      sum_laplacian += density * (square / (s * s) - 2 / s);
    }
    Derivatives f{-std::log(sum), -sum_t / sum, {-sum_x / sum, -sum_y / sum}, 0};
    f.laplacian = -sum_laplacian / sum + f.gradient[0] * f.gradient[0] + f.gradient[1] * f.gradient[1];
    return f;
  }

  int dimension() const override { return 2; }
  void evaluate(PointScalars<const double> t, Points<const double> x, Points<double> velocity,
                PointScalars<double> divergence) const override {
    heartbeat();
    const auto times = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), t);
    const auto points = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), x);
    const auto v = Kokkos::create_mirror_view(velocity);
    const auto div = Kokkos::create_mirror_view(divergence);
    for (std::size_t i = 0; i < times.extent(0); ++i) {
      const auto f = at(times(i), points(i, 0), points(i, 1));
      for (std::size_t k = 0; k < 2; ++k) v(i, k) = f.gradient[k] - points(i, k);
      div(i) = f.laplacian - 2;
    }
    Kokkos::deep_copy(velocity, v);
    Kokkos::deep_copy(divergence, div);
  }

  static void draw(double t, CounterRng& random, double* x) {
    const auto& part = parts[random.uniform() < parts[0].weight ? 0 : 1];
    const double a = std::exp(-t), sd = std::sqrt(a * a * part.sd * part.sd + 1 - a * a);
    for (std::size_t k = 0; k < 2; ++k) x[k] = a * part.mean[k] + sd * random.normal();
  }

  static std::unique_ptr<Energy> target() {
    std::vector<GaussianComponent> components;
    components.reserve(std::size(parts));
    for (const auto& [weight, mean, sd] : parts) components.push_back({weight, {mean[0], mean[1]}, {sd * sd}});
    return make_gaussian_mixture(components);
  }
};

/// What is checked, the value found and the bound that it has to keep.
struct Check {
  std::string what;
  double found, bound;
  bool passes() const { return found <= bound; }
};

constexpr std::int64_t oracle_points = 1000;

/// Points of the exact law at time t: [points][2].
std::vector<double> exact_points(double t) {
  std::vector<double> points(2 * oracle_points);
  for (std::int64_t i = 0; i < oracle_points; ++i) {
    CounterRng random(1, RandomStream::test, 0, static_cast<std::uint64_t>(i));
    ExactFlow::draw(t, random, &points[static_cast<std::size_t>(2 * i)]);
  }
  return points;
}

/// Energy, residual and sampler against closed forms.
std::vector<Check> oracle_checks() {
  const auto target = ExactFlow::target();
  const double log_z = target->log_z().value();
  double energy_error = 0, residual = 0;
  const auto points = exact_points(0);
  const auto energies = energies_of(*target, points);
  for (std::size_t i = 0; i < energies.size(); ++i) {
    const double x = points[2 * i], y = points[2 * i + 1];
    energy_error = std::max(energy_error, std::fabs(energies[i] + log_z - ExactFlow::at(0, x, y).value));
    for (const double t : {0.0, 0.1, 0.7, 2.0}) {
      const auto f = ExactFlow::at(t, x, y);
      const double r = f.d_t + f.gradient[0] * (f.gradient[0] - x) + f.gradient[1] * (f.gradient[1] - y) - (f.laplacian - 2);
      residual = std::max(residual, std::fabs(r) / (1 + std::fabs(f.d_t) + std::fabs(f.laplacian)));
    }
  }

  // From exact samples of rho_T the exact field must give the target, with weights of 1.
  constexpr double horizon = 3;
  const auto start = exact_points(horizon);
  Points<double> x("boltzcurve::verify_start", oracle_points, 2);
  PointScalars<double> log_q("boltzcurve::verify_log_density", oracle_points);
  const auto host = Kokkos::create_mirror_view(x);
  const auto host_q = Kokkos::create_mirror_view(log_q);
  for (std::size_t i = 0; i < oracle_points; ++i) {
    for (std::size_t k = 0; k < 2; ++k) host(i, k) = start[2 * i + k];
    host_q(i) = -ExactFlow::at(horizon, start[2 * i], start[2 * i + 1]).value;
  }
  Kokkos::deep_copy(x, host);
  Kokkos::deep_copy(log_q, host_q);
  IntegrationOptions options;
  options.relative_tolerance = options.absolute_tolerance = 1e-8;
  const auto end = integrate(ExactFlow(), horizon, 0, x, log_q, options);
  const auto position = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), end.position);
  const auto log_density = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), end.log_density);
  std::vector<double> ends;
  for (std::size_t i = 0; i < oracle_points; ++i)
    for (std::size_t k = 0; k < 2; ++k) ends.push_back(position(i, k));
  const auto end_energies = energies_of(*target, ends);
  double weight_error = 0;
  for (std::size_t i = 0; i < oracle_points; ++i)
    weight_error = std::max(weight_error, std::fabs(-end_energies[i] - log_z - log_density(i)));

  // Bounds: rounding, some thousand times; and a thousand times the integrator's tolerance.
  return {{"exact mixture: energy of the program - closed form", energy_error, 1e-11},
          {"exact mixture: residual of its flow", residual, 1e-11},
          {"exact field: log weight of a particle", weight_error, 1e-5}};
}

constexpr auto short_run =
    "[target]\nname = gaussian-mixture\npreset = two\n[curve]\nhorizon = 2\n[network]\nwidth = 16\nhidden-layers = 2\n"
    "[normalizer]\nkind = network\n[collocation]\npoints = 1500\nrefresh-every = 7\n[pilot]\nparticles = 1000\n[sampling]\nparticles = "
    "1000\n";
// Between two equal laws the straight line of energies moves only by the constant that normalizes one of them, log 2 pi, and without psi
// its residual is that over the horizon at every point.
constexpr auto resting_curve =
    "[target]\nname = gaussian-mixture\nmode = 1 | 0 0 | 1\n[curve]\nhorizon = 2\nform = anchored\nschedule = linear\ncoordinates = "
    "given\n[network]\nwidth = 16\n"
    "hidden-layers = 2\n[collocation]\nkind = latent\npoints = 1500\n[training]\nloss = squared\nresidual-unit = time\n[run]\nprecision = "
    "double\n";

Options options_of(const char* text, const std::vector<OptionSource>& changes = {}) {
  std::vector<OptionSource> sources = {parse_config(text, "verify")};
  sources.insert(sources.end(), changes.begin(), changes.end());
  return resolve_options(sources);
}

Check kernel_check(const Communicator& ranks) {
  const auto options = options_of(resting_curve);
  Model model = build_model(ranks, model_settings(options));
  Trainer trainer(ranks, model, trainer_settings(options));
  const double residual = std::log(2 * std::numbers::pi) / options.curve.horizon;
  return {"fused kernel: loss - closed form", std::fabs(trainer.loss().evaluate(model.parameters, 0).loss - residual * residual), 1e-10};
}

/// Checksums of what a short run of training and sampling gives, by name.
using Checksums = std::map<std::string, std::int64_t>;

std::int64_t checksum_of(const std::vector<double>& values) { return crc_32(std::as_bytes(std::span(values))); }

/// A short training, from the start or from a checkpoint.
class ShortRun {
 public:
  ShortRun(const Communicator& ranks, const Options& options)
      : ranks_(ranks),
        options_(options),
        trained_{build_model(ranks, model_settings(options)), {}},
        trainer_(ranks, trained_.model, settings()) {}
  ShortRun(const Communicator& ranks, const Options& options, const std::filesystem::path& file)
      : ranks_(ranks),
        options_(options),
        trained_(restored(ranks, options, read_checkpoint(ranks, file))),
        trainer_(ranks, trained_.model, settings(), trained_.state) {}

  void train_until(std::int64_t step) {
    while (trainer_.state().step < step) trainer_.one_step();
  }

  void write(const std::filesystem::path& file, const Provenance& provenance) {
    const auto state = trainer_.snapshot();
    on_root(ranks_, [&] { write_checkpoint(file, to_checkpoint(state, trained_.model.networks(), provenance), ReadBack::yes); });
  }

  Checksums checksums() const {
    const auto& state = trainer_.state();
    const auto& model = trained_.model;
    Checksums sums;
    sums["parameters"] = checksum_of(state.parameters);
    sums["average"] = checksum_of(state.average);
    std::vector<double> all;
    for (const auto& array : state.optimizer.arrays) all.insert(all.end(), array.values.begin(), array.values.end());
    sums["optimizer"] = checksum_of(all);
    const Sampler sampler(ranks_, flow_of(model, state.average), options_.sampling, options_.run.seed);
    const auto particles = sampler.draw(options_.sampling.particles);
    sums["particles"] = checksum_of(ranks_.all_gather(particles.position));
    sums["log weights"] = checksum_of(ranks_.all_gather(particles.log_weight));
    return sums;
  }

 private:
  TrainerSettings settings() const {
    auto settings = trainer_settings(options_);
    settings.optimizer.learning_rate = 0.01;
    settings.optimizer.decay = LearningRateDecay::constant;
    settings.optimizer.warm_up_steps = 0;
    settings.training.average = 0.9;
    settings.training.max_skipped_steps = 0;
    return settings;
  }

  Communicator ranks_;
  Options options_;
  Trained trained_;
  Trainer trainer_;
};

/// A line a checksum; says which ranks have another. `bad` counts them. Collective.
std::string comparison(const Communicator& world, const std::string& what, const Checksums& right, const Checksums& mine, int& bad) {
  std::string text;
  const auto hosts = host_of_each_rank(world);
  for (const auto& [name, sum] : right) {
    const std::int64_t own[] = {mine.at(name)};
    const auto all = world.all_gather(own);
    std::string differs;
    for (std::size_t r = 0; r < all.size(); ++r)
      if (all[r] != sum) differs += fmt::format("{} {:08x} on rank {}, {}", differs.empty() ? "DIFFERS:" : ";", all[r], r, hosts[r]);
    bad += !differs.empty();
    text += fmt::format("  {:<50} {:08x}  {}\n", fmt::format("{}: {}", what, name), sum, differs.empty() ? "same" : differs);
  }
  return text;
}

}  // namespace

ExitCode verify(Run& run) {
  const Phase phase("verifying");
  const auto& world = run.world();
  run.take_output_folder();
  int bad = 0;
  std::string text = fmt::format("verifying on {} rank{}\n", world.size(), world.size() == 1 ? "" : "s");

  // 1. Closed forms, on every rank: the worst of them counts.
  auto checks = oracle_checks();
  checks.push_back(kernel_check(world));
  for (auto& check : checks) {
    check.found = world.max(std::isfinite(check.found) ? check.found : std::numeric_limits<double>::infinity());
    bad += !check.passes();
    text += fmt::format("  {:<50} {:8.1e}  {}\n", check.what, check.found,
                        check.passes() ? "ok" : fmt::format("WRONG: must be at most {:.0e}", check.bound));
  }

  // 2. The same bits: all ranks together, each alone, and interrupted half-way by a checkpoint.
  constexpr std::int64_t steps = 20, half = 11;
  const auto options = options_of(short_run, run.request().sources);
  const auto file = run.output("verify.checkpoint.h5");
  ShortRun together(world, options);
  together.train_until(half);
  together.write(file, run.provenance());
  together.train_until(steps);
  const auto right = together.checksums();
  ShortRun resumed(world, options, file);
  resumed.train_until(steps);
  text += comparison(world, "resumed and not", right, resumed.checksums(), bad);
  on_root(world, [&] {
    remove_file(file);
    remove_file(previous_path(file));
  });
  if (world.size() > 1) {
    const Communicator self(MPI_COMM_SELF);
    ShortRun alone(self, options);
    alone.train_until(steps);
    text += comparison(world, fmt::format("{} ranks and one", world.size()), right, alone.checksums(), bad);
  }
  text += bad == 0 ? "verified: nothing differs" : fmt::format("NOT verified: {} of these differ", bad);
  run.say(text);
  return bad == 0 ? ExitCode::done : ExitCode::numerical_failure;
}

}  // namespace boltzcurve
