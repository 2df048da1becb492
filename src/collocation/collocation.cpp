#include "collocation/collocation.hpp"
#include "random/counter_rng_group.hpp"
#include "residual/residual.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace boltzcurve {
namespace {

// Latent collocation points use the latent law's own sampler, which knows a seed and an index but no step: this keeps them apart from the
// particles that are later drawn with the plain seed.
constexpr std::uint64_t collocation_seed_offset = 0x9e3779b97f4a7c15u;
constexpr int group_points = 32;  // that are drawn together, in vectors
}  // namespace

template <class Real>
Collocation<Real>::Collocation(const CollocationSettings& settings, const CollocationRegion& region, const Curve& curve, const Shard& shard,
                               std::uint64_t seed, const Energy& latent, std::shared_ptr<MalaChains> chains,
                               std::shared_ptr<const CurvePopulation> population)
    : settings_(settings),
      parts_(settings.parts()),
      region_(region),
      curve_(curve),
      shard_(shard),
      times_(settings.points),
      seed_(seed),
      latent_(latent),
      latent_moments_(latent.moments().value()),
      walkers_(std::move(chains)),
      population_(std::move(population)) {
  double sum = 0;
  for (const auto& part : parts_) sum += part.share;
  for (auto& part : parts_) part.share /= sum;
  for (int layer = 0; has(CollocationKind::langevin) && layer < (walkers_ ? walkers_->layers() : 1); ++layer)
    for (int i = 0; i < chunk_points; ++i)
      walker_heat_.push_back(std::sqrt(walkers_ ? walkers_->temperature(layer, i) : chain_temperature(settings.hottest, 1, layer, i)));
  if (has(CollocationKind::trajectory)) trajectories_.emplace(curve, latent, region.domain, seed, shard, settings.points);
}

template <class Real>
bool Collocation<Real>::has(CollocationKind kind) const {
  return std::any_of(parts_.begin(), parts_.end(), [=](const auto& part) { return part.kind == kind && part.share > 0; });
}

/// The kinds are spread evenly over the indices.
template <class Real>
CollocationKind Collocation<Real>::kind_of(std::int64_t global) const {
  const double turns = (static_cast<double>(global) + 0.5) * StratifiedTimes::golden_ratio, place = turns - std::floor(turns);
  double end = 0;
  for (const auto& part : parts_)
    if (place < (end += part.share)) return part.kind;
  return parts_.back().kind;
}

template <class Real>
bool Collocation<Real>::prepare(std::int64_t step, const CurrentFlow<Real>& flow) {
  if (walkers_ && has(CollocationKind::langevin) && step > 0) walkers_->move(step);
  if (!trajectories_ || (trajectories_drawn_ && step % settings_.refresh_every != 0)) return false;
  renew_trajectories(step, flow);
  return true;
}

template <class Real>
void Collocation<Real>::renew_trajectories(std::int64_t step, const CurrentFlow<Real>& flow) {
  trajectories_->follow(flow, static_cast<std::uint64_t>(step / settings_.refresh_every));
  trajectories_drawn_ = true;
}

template <class Real>
std::vector<NamedArray> Collocation<Real>::state() const {
  return walkers_ && has(CollocationKind::langevin) ? walkers_->state() : std::vector<NamedArray>();
}

template <class Real>
void Collocation<Real>::restore(std::span<const NamedArray> state) {
  if (walkers_ && has(CollocationKind::langevin)) walkers_->restore(state);
}

/// Where the clock stands when the share u of a batch's times has been drawn.
template <class Real>
double Collocation<Real>::clock_of_share(double u, const TimeBins& bins) const {
  if (settings_.times == TimeDensity::residual) return bins.clock_of_share(u);
  return settings_.time_power == 1 ? u : std::pow(u, settings_.time_power);
}

/// Kind, clock, and of a kind that chooses between points which one; `time` and `choice` are uniform in (0,1).
template <class Real>
auto Collocation<Real>::place_of(std::int64_t step, std::int64_t global, double time, double choice, const TimeBins& bins) const -> Place {
  Place place{kind_of(global), (global - shard_.first) / chunk_points, 0, 0};
  if (place.kind == CollocationKind::trajectory) {
    place.choice = settings_.times == TimeDensity::residual ? Trajectories<Real>::place_near(bins.clock_of_share(choice), time)
                                                            : static_cast<int>(choice * Trajectories<Real>::places_per_chunk);
    place.clock = trajectories_->clock(place.chunk, static_cast<int>(place.choice));
    return place;
  }
  place.clock = clock_of_share(times_.share(step, global, time), bins);
  if (place.kind == CollocationKind::langevin)
    place.choice = static_cast<std::int64_t>(
        choice * static_cast<double>(walkers_ ? walkers_->layers() * chunk_size(place.chunk) : population_->count()));
  return place;
}

/// Coordinate k of a point of any kind but `latent`, made of a number uniform in (0,1) and a normal one.
template <class Real>
double Collocation<Real>::coordinate(const Place& place, const Interpolation& interpolation, std::size_t k, double uniform,
                                     double normal) const {
  if (place.kind == CollocationKind::trajectory) return (*trajectories_)(place.chunk, static_cast<int>(place.choice), static_cast<int>(k));
  double y = 0, heat = 1;
  if (place.kind == CollocationKind::langevin && !walkers_) {
    y = population_->position[static_cast<std::size_t>(place.choice * population_->dimension) + k];
    heat = walker_heat_[static_cast<std::size_t>(place.choice % chunk_points)];
  } else if (place.kind == CollocationKind::langevin) {
    const std::int64_t size = chunk_size(place.chunk), chain = place.chunk * chunk_points + place.choice % size;
    const int layer = static_cast<int>(place.choice / size);
    y = (*walkers_)(layer, chain, static_cast<int>(k));
    heat = walker_heat_[static_cast<std::size_t>(layer * chunk_points + place.choice % size)];
  } else {
    y = region_.box.lower[k] + (region_.box.upper[k] - region_.box.lower[k]) * uniform;
    if (place.kind == CollocationKind::uniform) return y;
  }
  const double center = latent_moments_.mean[k];
  return center + interpolation.contraction * (y - center) + interpolation.spread * heat * latent_moments_.deviation[k] * normal;
}

template <class Real>
void Collocation<Real>::draw(std::int64_t step, std::int64_t first, HostScalars<Real> t, HostPoints<Real> x, const TimeBins& bins) const {
  const std::size_t n = t.extent(0), D = x.extent(1);
  HostPoints<double> latent_points;
  if (has(CollocationKind::latent)) {
    latent_points = HostPoints<double>(Kokkos::view_alloc("boltzcurve::latent_collocation", Kokkos::WithoutInitializing), n, D);
    latent_.draw(seed_ + collocation_seed_offset, step * settings_.points + first, latent_points);
  }
  const bool in_box = has(CollocationKind::uniform) || has(CollocationKind::ou_bridge);
  Kokkos::parallel_for(
      "boltzcurve::draw_collocation", Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, (n + group_points - 1) / group_points),
      [&](const std::size_t group) {
        using Numbers = CounterRngGroup<group_points>;
        const std::size_t begin = group * group_points, size = std::min<std::size_t>(n - begin, group_points);
        const auto numbers = [&](RandomStream stream) {
          return Numbers(seed_, stream, static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(first) + begin);
        };
        auto times = numbers(RandomStream::collocation_time), normals = numbers(RandomStream::collocation_position),
             uniforms = numbers(RandomStream::collocation_box);
        typename Numbers::Numbers time, choice;
        std::array<Place, group_points> places;
        std::array<Interpolation, group_points> interpolations;
        times.next_uniform(time, choice);
        std::array<double, group_points> clock;
        for (std::size_t i = 0; i < size; ++i) {
          places[i] = place_of(step, first + static_cast<std::int64_t>(begin + i), time[i], choice[i], bins);
          clock[i] = places[i].clock;
        }
        curve_.interpolations_at(std::span<const double>(clock.data(), size), time, interpolations);
        for (std::size_t i = 0; i < size; ++i) t(begin + i) = static_cast<Real>(time[i]);
        typename Numbers::Numbers normal[2], uniform[2] = {};
        for (std::size_t k = 0; k < D; ++k) {
          if (k % 2 == 0) {
            normals.next_normal(normal[0], normal[1]);
            if (in_box) uniforms.next_uniform(uniform[0], uniform[1]);
          }
          for (std::size_t i = 0; i < size; ++i)
            x(begin + i, k) = static_cast<Real>(places[i].kind == CollocationKind::latent
                                                    ? latent_points(begin + i, k)
                                                    : coordinate(places[i], interpolations[i], k, uniform[k % 2][i], normal[k % 2][i]));
        }
      });
}

template class Collocation<float>;
template class Collocation<double>;

}  // namespace boltzcurve
