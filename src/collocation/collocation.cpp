#include <boltzcurve/collocation/collocation.hpp>
#include <boltzcurve/curve/residual.hpp>
#include <boltzcurve/random/counter_rng.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace boltzcurve {
namespace {

// Latent collocation points use the latent law's own sampler, which knows a seed and an index but no step: this keeps them apart from the
// particles that are later drawn with the plain seed.
constexpr std::uint64_t collocation_seed_offset = 0x9e3779b97f4a7c15u;
constexpr double golden_ratio = 0.6180339887498949;  // multiples of it, modulo 1, spread evenly for any count

/// A stride prime to `count` and near its golden section: i -> i stride mod count is an order in which neighbours lie far apart.
std::int64_t spreading_stride(std::int64_t count) {
  auto stride = std::max<std::int64_t>(1, static_cast<std::int64_t>(golden_ratio * static_cast<double>(count)));
  while (std::gcd(stride, count) != 1) ++stride;
  return stride;
}

}  // namespace

template <class Real>
Collocation<Real>::Collocation(const CollocationLaw& law, const Curve& curve, const Shard& shard, std::int64_t batch_points,
                               std::uint64_t seed, const Energy& latent, std::shared_ptr<Walkers> walkers)
    : law_(law),
      curve_(curve),
      shard_(shard),
      batch_points_(batch_points),
      stride_(spreading_stride(batch_points)),
      seed_(seed),
      latent_(latent),
      latent_moments_(latent.moments().value()),
      walkers_(std::move(walkers)) {
  double sum = 0;
  for (const auto& part : law_.shares) sum += part.share;
  for (auto& part : law_.shares) part.share /= sum;
  if (has(CollocationKind::trajectory)) trajectories_.emplace(curve, latent, law.domain, seed, shard, batch_points);
}

template <class Real>
bool Collocation<Real>::has(CollocationKind kind) const {
  return std::any_of(law_.shares.begin(), law_.shares.end(), [=](const auto& part) { return part.kind == kind && part.share > 0; });
}

/// The kinds are spread evenly over the indices.
template <class Real>
CollocationKind Collocation<Real>::kind_of(std::int64_t global) const {
  const double place = std::fmod((static_cast<double>(global) + 0.5) * golden_ratio, 1.0);
  double end = 0;
  for (const auto& part : law_.shares)
    if (place < (end += part.share)) return part.kind;
  return law_.shares.back().kind;
}

template <class Real>
bool Collocation<Real>::prepare(std::int64_t step, const CurrentFlow<Real>& flow) {
  if (has(CollocationKind::langevin) && step > 0) walkers_->move(step);
  if (!trajectories_ || (trajectories_drawn_ && step % law_.refresh_every != 0)) return false;
  renew_trajectories(step, flow);
  return true;
}

template <class Real>
void Collocation<Real>::renew_trajectories(std::int64_t step, const CurrentFlow<Real>& flow) {
  trajectories_->follow(flow, static_cast<std::uint64_t>(step / law_.refresh_every));
  trajectories_drawn_ = true;
}

template <class Real>
std::vector<NamedArray> Collocation<Real>::state() const {
  return has(CollocationKind::langevin) ? walkers_->state() : std::vector<NamedArray>();
}

template <class Real>
void Collocation<Real>::restore(std::span<const NamedArray> state) {
  if (has(CollocationKind::langevin)) walkers_->restore(state);
}

template <class Real>
void Collocation<Real>::draw(std::int64_t step, std::int64_t first, HostScalars<Real> t, HostPoints<Real> x) const {
  const std::size_t n = t.extent(0), D = x.extent(1);
  HostPoints<double> latent_points;
  if (has(CollocationKind::latent)) {
    latent_points = HostPoints<double>(Kokkos::view_alloc("boltzcurve::latent_collocation", Kokkos::WithoutInitializing), n, D);
    latent_.draw(seed_ + collocation_seed_offset, step * batch_points_ + first, latent_points);
  }
  const auto& curve = curve_;
  Kokkos::parallel_for(
      "boltzcurve::draw_collocation", Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, n), [&](const std::size_t i) {
        const std::int64_t global = first + static_cast<std::int64_t>(i), local = global - shard_.first, chunk = local / chunk_points;
        const auto index = static_cast<std::uint64_t>(global), stage = static_cast<std::uint64_t>(step);
        CounterRng rng(seed_, RandomStream::collocation_position, stage, index);
        const auto kind = kind_of(global);
        if (kind == CollocationKind::trajectory) {
          const int place = static_cast<int>(rng.uniform() * Trajectories<Real>::places_per_chunk);
          t(i) = static_cast<Real>(curve.time_at(trajectories_->clock(chunk, place)));
          for (std::size_t k = 0; k < D; ++k) x(i, k) = static_cast<Real>((*trajectories_)(chunk, place, static_cast<int>(k)));
          return;
        }
        CounterRng time_rng(seed_, RandomStream::collocation_time, stage, index);
        const auto stratum = static_cast<double>((global * stride_ + step) % batch_points_);
        const double u = (stratum + time_rng.uniform()) / static_cast<double>(batch_points_);
        const double time = curve.time_at(law_.time_power == 1 ? u : std::pow(u, law_.time_power));
        t(i) = static_cast<Real>(time);
        if (kind == CollocationKind::latent) {
          for (std::size_t k = 0; k < D; ++k) x(i, k) = static_cast<Real>(latent_points(i, k));
          return;
        }
        if (kind == CollocationKind::uniform) {
          for (std::size_t k = 0; k < D; ++k)
            x(i, k) = static_cast<Real>(law_.box.lower[k] + (law_.box.upper[k] - law_.box.lower[k]) * rng.uniform());
          return;
        }
        const auto [contraction, spread] = curve.bridge(time);
        int layer = 0;
        std::int64_t walker = 0;
        if (kind == CollocationKind::langevin) {
          const std::int64_t chunk_size = std::min<std::int64_t>(chunk_points, batch_points_ - chunk * chunk_points - shard_.first);
          const auto choice = static_cast<std::int64_t>(rng.uniform() * static_cast<double>(walkers_->layers() * chunk_size));
          layer = static_cast<int>(choice / chunk_size);
          walker = chunk * chunk_points + choice % chunk_size;
        }
        for (std::size_t k = 0; k < D; ++k) {
          const double y = kind == CollocationKind::langevin ? (*walkers_)(layer, walker, static_cast<int>(k))
                                                             : law_.box.lower[k] + (law_.box.upper[k] - law_.box.lower[k]) * rng.uniform();
          const double center = latent_moments_.mean[k];
          x(i, k) = static_cast<Real>(center + contraction * (y - center) + spread * latent_moments_.deviation[k] * rng.normal());
        }
      });
}

template class Collocation<float>;
template class Collocation<double>;

}  // namespace boltzcurve
