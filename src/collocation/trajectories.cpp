#include "collocation/trajectories.hpp"
#include <boltzcurve/counter_rng.hpp>
#include "residual/residual.hpp"

#include <algorithm>
#include <cmath>

namespace boltzcurve {

namespace {

// The latent law's own sampler knows a seed and an index: this keeps starts apart from the particles that are drawn with the plain seed.
constexpr std::uint64_t trajectory_seed_offset = 0xd1b54a32d192ed03u;

std::int64_t particles_for(std::int64_t points) {
  return (points + chunk_points - 1) / chunk_points * Trajectories<double>::particles_per_chunk;
}

}  // namespace

template <class Real>
Trajectories<Real>::Trajectories(const Curve& curve, const Energy& latent, const Domain& domain, std::uint64_t seed, const Shard& shard,
                                 std::int64_t batch_points)
    : curve_(curve),
      latent_(latent),
      domain_(domain),
      seed_(seed),
      first_(particles_for(shard.first)),
      all_(particles_for(batch_points)),
      particles_(static_cast<std::size_t>(particles_for(shard.count))),
      clock_("boltzcurve::trajectory_clock", particles_ * stages),
      path_("boltzcurve::trajectory_path", particles_ * stages, static_cast<std::size_t>(curve.dimension())) {}

template <class Real>
void Trajectories<Real>::follow(const CurrentFlow<Real>& flow, std::uint64_t round) {
  const std::size_t n = particles_, D = path_.extent(1);
  if (n == 0) return;
  const auto& curve = curve_;
  PointScalars<Real> t("boltzcurve::trajectory_time", n);
  Points<Real> x("boltzcurve::trajectory_position", n, D), v("boltzcurve::trajectory_velocity", n, D);
  const auto host_t = Kokkos::create_mirror_view(t);
  const auto host_x = Kokkos::create_mirror_view(x), host_v = Kokkos::create_mirror_view(v);
  std::vector<double> offset(n), here(n * D);
  const HostPoints<double> start("boltzcurve::trajectory_starts", n, D);
  latent_.draw(seed_ + trajectory_seed_offset, static_cast<std::int64_t>(round) * all_ + first_, start);
  for (std::size_t i = 0; i < n; ++i) {
    offset[i] = CounterRng(seed_, RandomStream::trajectory_starts, round, static_cast<std::uint64_t>(first_) + i).uniform();
    for (std::size_t k = 0; k < D; ++k) here[i * D + k] = start(i, k);
  }
  // The clock after j steps: offsets shift the borders of the steps, the first and the last are shorter or longer by half a step.
  const auto clock_after = [&](int steps, std::size_t i) {
    if (steps == 0) return 1.0;
    return std::clamp((stages - steps + offset[i] - 0.5) / stages, steps == stages ? 1e-6 : 0.0, 1.0);
  };
  std::vector<double> clock(n), time(n), slope(n * D), slope_before(n * D);
  std::vector<Interpolation> interpolations(n);
  // dx/ds where particles are `ahead` steps of the clock past those of `steps`, moved there along `slope`.
  const auto slopes_at = [&](int steps, double ahead) {
    const auto step_of = [&](std::size_t i) { return ahead * (clock_after(steps + 1, i) - clock_after(steps, i)); };
    for (std::size_t i = 0; i < n; ++i) clock[i] = clock_after(steps, i) + step_of(i);
    curve.interpolations_at(clock, time, interpolations);
    for (std::size_t i = 0; i < n; ++i) {
      host_t(i) = static_cast<Real>(time[i]);
      for (std::size_t k = 0; k < D; ++k)
        host_x(i, k) = static_cast<Real>(here[i * D + k] + (ahead > 0 ? step_of(i) * slope[i * D + k] : 0));
    }
    Kokkos::deep_copy(t, host_t);
    Kokkos::deep_copy(x, host_x);
    flow(t, x, v);
    Kokkos::deep_copy(host_v, v);
    for (std::size_t i = 0; i < n; ++i) {
      const double time_per_clock = curve.clock_at(time[i]).time_per_clock;
      for (std::size_t k = 0; k < D; ++k) slope[i * D + k] = time_per_clock * static_cast<double>(host_v(i, k));
    }
  };
  const auto& domain = domain_;
  for (int stage = 0; stage < stages; ++stage) {
    slope_before = slope;
    slopes_at(stage, 0);
    if (stage == 0) {
      slope_before = slope;  // nothing is known from before: the explicit midpoint rule
      slopes_at(stage, 0.5);
    }
    for (std::size_t i = 0; i < n; ++i) {
      const double step = clock_after(stage + 1, i) - clock_after(stage, i);
      const double half_ratio = stage == 0 ? 0 : step / (clock_after(stage, i) - clock_after(stage - 1, i)) / 2;
      const auto move = [&](std::size_t k) {
        return step * (slope[i * D + k] + half_ratio * (slope[i * D + k] - slope_before[i * D + k]));
      };
      bool inside = true;
      for (std::size_t k = 0; k < D; ++k) {
        const double next = here[i * D + k] + move(k);
        inside = inside && next >= domain.lower[k] && next <= domain.upper[k];
      }
      const std::size_t place = static_cast<std::size_t>(stage) * n + i;
      for (std::size_t k = 0; k < D; ++k) {
        if (inside) here[i * D + k] += move(k);
        path_(place, k) = static_cast<Real>(here[i * D + k]);
      }
      clock_(place) = clock_after(stage + 1, i);
    }
    if (stage == 0) slope = slope_before;  // of where the step began
  }
}

template class Trajectories<float>;
template class Trajectories<double>;

}  // namespace boltzcurve
