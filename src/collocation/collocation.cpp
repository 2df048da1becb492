#include <boltzcurve/collocation/collocation.hpp>
#include <boltzcurve/curve/residual.hpp>
#include <boltzcurve/random/counter_rng.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace boltzcurve {
namespace {

// Latent collocation points use the latent law's own sampler, which knows a seed and an index but no step: this keeps them apart from the
// particles that are later drawn with the plain seed.
constexpr std::uint64_t collocation_seed_offset = 0x9e3779b97f4a7c15u;
constexpr std::size_t group_points = 32;             // whose clocks are read together, in vectors
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
  const double turns = (static_cast<double>(global) + 0.5) * golden_ratio, place = turns - std::floor(turns);
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

/// Where the clock stands when the share u of a batch's times has been drawn.
template <class Real>
double Collocation<Real>::clock_of_share(double u, const TimeBins& bins) const {
  if (law_.times == TimeDensity::residual) return bins.clock_of_share(u);
  return law_.time_power == 1 ? u : std::pow(u, law_.time_power);
}

/// What comes before the time is known: kind and clock, and of a kind that chooses between points which one.
template <class Real>
auto Collocation<Real>::place_of(std::int64_t step, std::int64_t global, const TimeBins& bins) const -> Place {
  const auto index = static_cast<std::uint64_t>(global), stage = static_cast<std::uint64_t>(step);
  Place place{kind_of(global), (global - shard_.first) / chunk_points, 0, 0,
              CounterRng(seed_, RandomStream::collocation_position, stage, index)};
  if (place.kind == CollocationKind::trajectory) {
    const double u = place.rng.uniform();
    place.choice = law_.times == TimeDensity::residual ? Trajectories<Real>::place_near(bins.clock_of_share(u), place.rng.uniform())
                                                       : static_cast<int>(u * Trajectories<Real>::places_per_chunk);
    place.clock = trajectories_->clock(place.chunk, static_cast<int>(place.choice));
    return place;
  }
  CounterRng time_rng(seed_, RandomStream::collocation_time, stage, index);
  const auto stratum = static_cast<double>((global * stride_ + step) % batch_points_);
  const double u = (stratum + time_rng.uniform()) / static_cast<double>(batch_points_);
  place.clock = clock_of_share(u, bins);
  if (place.kind == CollocationKind::langevin)
    place.choice = static_cast<std::int64_t>(place.rng.uniform() * static_cast<double>(walkers_->layers() * chunk_size(place.chunk)));
  return place;
}

/// Calls position(k, x_k) for the coordinates of a point of any kind but `latent`.
template <class Real>
template <class Position>
void Collocation<Real>::draw_position(Place& place, const Bridge& bridge, const Position& position) const {
  const auto D = static_cast<std::size_t>(curve_.dimension());
  const auto in_box = [&](std::size_t k) { return law_.box.lower[k] + (law_.box.upper[k] - law_.box.lower[k]) * place.rng.uniform(); };
  if (place.kind == CollocationKind::trajectory) {
    for (std::size_t k = 0; k < D; ++k) position(k, (*trajectories_)(place.chunk, static_cast<int>(place.choice), static_cast<int>(k)));
    return;
  }
  if (place.kind == CollocationKind::uniform) {
    for (std::size_t k = 0; k < D; ++k) position(k, in_box(k));
    return;
  }
  const bool from_walker = place.kind == CollocationKind::langevin;
  const std::int64_t size = chunk_size(place.chunk), walker = place.chunk * chunk_points + place.choice % size;
  const int layer = static_cast<int>(place.choice / size);
  for (std::size_t k = 0; k < D; ++k) {
    const double y = from_walker ? (*walkers_)(layer, walker, static_cast<int>(k)) : in_box(k);
    const double center = latent_moments_.mean[k];
    position(k, center + bridge.contraction * (y - center) + bridge.spread * latent_moments_.deviation[k] * place.rng.normal());
  }
}

template <class Real>
void Collocation<Real>::draw(std::int64_t step, std::int64_t first, HostScalars<Real> t, HostPoints<Real> x, const TimeBins& bins) const {
  const std::size_t n = t.extent(0), D = x.extent(1);
  HostPoints<double> latent_points;
  if (has(CollocationKind::latent)) {
    latent_points = HostPoints<double>(Kokkos::view_alloc("boltzcurve::latent_collocation", Kokkos::WithoutInitializing), n, D);
    latent_.draw(seed_ + collocation_seed_offset, step * batch_points_ + first, latent_points);
  }
  Kokkos::parallel_for("boltzcurve::draw_collocation",
                       Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, (n + group_points - 1) / group_points),
                       [&](const std::size_t group) {
                         const std::size_t begin = group * group_points, end = std::min(n, begin + group_points);
                         std::array<Place, group_points> places;
                         std::array<double, group_points> clock, time;
                         std::array<Bridge, group_points> bridges;
                         for (std::size_t i = begin; i < end; ++i) {
                           places[i - begin] = place_of(step, first + static_cast<std::int64_t>(i), bins);
                           clock[i - begin] = places[i - begin].clock;
                         }
                         curve_.bridges_at(std::span<const double>(clock.data(), end - begin), time, bridges);
                         for (std::size_t i = begin; i < end; ++i) {
                           t(i) = static_cast<Real>(time[i - begin]);
                           const auto position = [&](std::size_t k, double value) { x(i, k) = static_cast<Real>(value); };
                           if (places[i - begin].kind == CollocationKind::latent)
                             for (std::size_t k = 0; k < D; ++k) position(k, latent_points(i, k));
                           else
                             draw_position(places[i - begin], bridges[i - begin], position);
                         }
                       });
}

template class Collocation<float>;
template class Collocation<double>;

}  // namespace boltzcurve
