#include <boltzcurve/error.hpp>
#include <boltzcurve/sampling.hpp>
#include "collocation/collocation.hpp"
#include "curve/curve.hpp"
#include "ode/dormand_prince.hpp"
#include "parallel/pieces.hpp"
#include "pilot/pilot_run.hpp"
#include "sampling/annealed_flow.hpp"
#include "sampling/curve_velocity.hpp"
#include "sampling/integration.hpp"
#include "sampling/mixture_density.hpp"
#include "sampling/path_energy.hpp"
#include "sampling/points.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

/// Enough to keep the integrator's blocks full, few enough for regular progress reports.
constexpr std::int64_t max_particles_at_once = 8192;
// A batch of particles is to take about this long: short enough to stop soon and to lose little when killed.
constexpr std::chrono::duration<double> min_batch_time(0.2), max_batch_time(1);

// Of variances of the normal laws that particles start from without a flow: their tails are lighter than most targets', and what few start
// there weighs much.
constexpr double start_widening = 1.5;

/// f(x) [n].
PointScalars<double> values_of(const Energy& energy, const Points<double>& x) {
  const Points<double> column("boltzcurve::energy", x.extent(0), 1);
  energy.evaluate(x, column, Wanted::value);
  return Kokkos::subview(column, Kokkos::ALL, 0);
}

/// -f(x) - log Z of a normalized density.
PointScalars<double> normalized_log_density(const Energy& density, const Points<double>& x) {
  const double log_z = density.log_z().value();
  const auto log_density = values_of(density, x);
  Kokkos::parallel_for(
      "boltzcurve::latent_log_density", x.extent(0), KOKKOS_LAMBDA(const std::size_t i) { log_density(i) = -log_density(i) - log_z; });
  return log_density;
}

/// From the coordinates of the flow to those of the target, with the densities.
void change_coordinates(const ScaleMap& map, Particles& particles) {
  if (map.is_identity()) return;
  const auto D = static_cast<std::size_t>(particles.dimension);
  for (std::size_t i = 0; i < particles.size(); ++i) {
    const double log_volume = map.log_volume(&particles.position[i * D]);
    particles.energy[i] += log_volume;
    particles.log_density[i] -= log_volume;
  }
  map.to_x(particles.position);
  for (auto& frame : particles.frames) map.to_x(frame);
}

}  // namespace

bool SamplingObserver::restore(const Shard& /*granule*/, Particles& /*particles*/) { return false; }
void SamplingObserver::begin(const Particles& /*particles*/, std::int64_t /*finished*/) {}
void SamplingObserver::drawn(const Shard& /*batch*/, const Particles& /*particles*/, std::int64_t /*finished*/) {}
Stop SamplingObserver::interruption() { return Stop::no; }

Flow flow_of(const Model& model, std::span<const double> parameters) {
  return {make_velocity_field(model.settings.precision, *model.curve, parameters, model.curve_target(), *model.latent),
          model.curve_target(),
          *model.latent,
          model.curve->latent_time(),
          model.curve->target_time(),
          model.coordinates(),
          model.region->domain,
          make_path_density(model.settings.precision, *model.curve, parameters, model.curve_target(), *model.latent)};
}

Flow start_of(const Model& model) {
  auto factors = model.pilot->summary.factors;
  if (factors.empty()) throw SettingError({"method", " = smc: starts from a population, and the pilot run of this model was by chains"});
  for (auto& factor : factors)
    for (auto& variance : factor.mixture.variance) variance *= start_widening;
  const auto start = std::make_shared<const MixtureDensity>(factors, model.curve_target().domain());
  return {nullptr, model.curve_target(), *start, 0, 0, model.coordinates(), model.region->domain, start};
}

Flow flow_of(const Model& model, std::span<const double> parameters, SamplingMethod method) {
  return method == SamplingMethod::flow ? flow_of(model, parameters) : start_of(model);
}

std::vector<double> frame_times(const SamplingSettings& settings, double latent_time, double target_time) {
  std::vector<double> times;
  for (int j = 0; j < settings.frames; ++j) {
    const double left = settings.frames == 1 ? 0.0 : 1.0 - static_cast<double>(j) / (settings.frames - 1);
    times.push_back(target_time + (latent_time - target_time) * left * left);
  }
  return times;
}

std::vector<double> energies_of(const Energy& energy, std::span<const double> points) {
  const auto D = static_cast<std::size_t>(energy.dimension()), n = points.size() / D;
  std::vector<double> values(n);
  for (std::size_t first = 0; first < n; first += max_particles_at_once) {
    const std::size_t count = std::min<std::size_t>(max_particles_at_once, n - first);
    TakeRows{first}({}, values_of(energy, to_points(points, first, count, D)), values);
  }
  return values;
}

void evaluate_energies(const Energy& target, Particles& particles) { particles.energy = energies_of(target, particles.position); }

Sampler::Sampler(const Communicator& ranks, Flow flow, const SamplingSettings& settings, std::uint64_t seed)
    : ranks_(ranks), flow_(std::move(flow)), settings_(settings), seed_(seed) {
  if (settings_.island % particle_granule != 0)
    throw SettingError({"island", fmt::format(" = {}: must be a multiple of {}", settings_.island, particle_granule)});
  if (!flow_.density && settings_.legs > 1)
    throw SettingError({"legs", fmt::format(" = {}: the densities along a curve with the schedule `learned` are not known; must be 0 or 1",
                                            settings_.legs)});
}

Sampler::Sampler(const Communicator& ranks, const Model& model, const SamplingSettings& settings)
    : Sampler(ranks, flow_of(model, model.parameters, settings.method), settings, model.settings.seed) {}

Particles Sampler::draw(std::int64_t particles) const {
  SamplingObserver nobody;
  return draw(particles, nobody, max_particles_at_once).particles;
}

Sampler::Drawn Sampler::draw(std::int64_t particles, SamplingObserver& observer) const {
  return draw(particles, observer, settings_.block);
}

Sampler::Drawn Sampler::draw(std::int64_t count, SamplingObserver& observer, std::int64_t batch_size) const {
  const auto plan = make_plan();
  const std::int64_t unit = plan.stages.empty() ? particle_granule : settings_.island;  // what is drawn whole
  const auto shard = shard_of(count, unit, ranks_.rank(), ranks_.size());
  const auto end = shard.first + shard.count;
  Drawn drawn{room_for_particles(shard, flow_.target.dimension(), frame_times(settings_, flow_.latent_time, flow_.target_time))};
  drawn.plan = plan;
  const auto part_at = [&](std::int64_t particle, std::int64_t size) {
    return Shard{particle, std::min<std::int64_t>(size, end - particle)};
  };

  // 1. What is finished already: units all of whose granules are.
  std::vector<bool> restored;  // of this rank's units
  for (auto at = shard.first; at < end; at += unit) {
    const auto part = part_at(at, unit);
    restored.push_back(true);
    for (auto granule = at; granule < at + part.count; granule += particle_granule)
      if (!observer.restore(part_at(granule, particle_granule), drawn.particles)) restored.back() = false;
    if (restored.back()) drawn.finished += part.count;
  }
  observer.begin(drawn.particles, drawn.finished);

  // 2. The rest, batch by batch: each up to the next unit that is finished.
  auto next = shard.first;
  const auto pass = [&](bool finished, std::int64_t limit) {
    while (next < std::min(limit, end) && restored[static_cast<std::size_t>((next - shard.first) / unit)] == finished)
      next += part_at(next, unit).count;
  };
  drawn.interruption = do_in_pieces(
      ranks_, [&] { return observer.interruption(); },
      [&] {
        const auto first = next;
        pass(false, first + std::clamp<std::int64_t>(batch_size / unit, 1, std::max<std::int64_t>(max_particles_at_once / unit, 1)) * unit);
        if (const Shard batch{first, next - first}; batch.count > 0) {
          const auto started = std::chrono::steady_clock::now();
          draw_batch(batch, drawn);
          drawn.finished += batch.count;
          observer.drawn(batch, drawn.particles, drawn.finished);
          const auto time = std::chrono::steady_clock::now() - started;
          if (time < min_batch_time) batch_size = std::min(2 * batch_size, max_particles_at_once);
          if (time > max_batch_time) batch_size = std::max<std::int64_t>(batch_size / 2, particle_granule);
        }
        pass(true, end);
        return next < end;
      });
  return drawn;
}

SamplingPlan Sampler::make_plan() const {
  if (flow_.velocity && (settings_.legs == 1 || !flow_.density)) return {};
  return AnnealedFlow(flow_, settings_, seed_).plan(ranks_);
}

void Sampler::draw_batch(const Shard& batch, Drawn& drawn) const {
  auto part = room_for_particles(batch, drawn.particles.dimension, drawn.particles.frame_times);
  AnnealedFlow(flow_, settings_, seed_).draw(drawn.plan, part);
  change_coordinates(flow_.coordinates, part);
  from_bytes(to_bytes(part, batch), batch, drawn.particles);
}

std::vector<double> Sampler::log_density(std::vector<double> points) const {
  const auto D = static_cast<std::size_t>(flow_.velocity->dimension()), n = points.size() / D;
  std::vector<double> log_volume(n, 0.0), result(n);
  flow_.coordinates.to_z(points);
  if (!flow_.coordinates.is_identity())
    for (std::size_t i = 0; i < n; ++i) log_volume[i] = flow_.coordinates.log_volume(&points[i * D]);
  for (std::size_t first = 0; first < n; first += max_particles_at_once) {
    const std::size_t count = std::min<std::size_t>(max_particles_at_once, n - first);
    const auto start = to_points(points, first, count, D);
    // With log density 0 at the target end, what has gathered at the latent end is minus the integral of the divergence.
    const PointScalars<double> zero("boltzcurve::zero", count);
    const auto end =
        integrate(*flow_.velocity, flow_.target_time, flow_.latent_time, start, zero, integration_options(settings_, flow_.domain));
    const auto at_latent = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), normalized_log_density(flow_.latent, end.position));
    const auto change = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), end.log_density);
    const auto status = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), end.status);
    for (std::size_t i = 0; i < count; ++i)
      result[first + i] = status(i) == ParticleStatus::finished ? at_latent(i) - change(i) - log_volume[first + i]
                                                                : std::numeric_limits<double>::quiet_NaN();
  }
  return result;
}

}  // namespace boltzcurve
