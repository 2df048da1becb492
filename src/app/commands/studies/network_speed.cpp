#include "app/commands/studies/network_speed.hpp"

#include "app/commands/stages.hpp"
#include "parallel/ordered_sum.hpp"
#include "sampling/integration.hpp"
#include "studies/quadrature.hpp"

#include <algorithm>
#include <cmath>

namespace boltzcurve {
namespace {

constexpr int action_nodes = 24;  // of the rule in the clock
constexpr std::int64_t particles_at_once = 4096;

/// A time at which particles are looked at, and what it counts in the actions.
struct Moment {
  double t, weight = 0;
  std::size_t asked = SIZE_MAX;  ///< which of the caller's times
};

std::vector<Moment> moments_of(const Curve& curve, const std::vector<double>& times) {
  std::vector<Moment> moments;
  for (std::size_t i = 0; i < times.size(); ++i) moments.push_back({times[i], 0, i});
  const GaussLegendre rule(action_nodes);
  for (std::size_t i = 0; i < rule.node.size(); ++i) {
    const double t = curve.time_at(0.5 * (1 + rule.node[i]));
    moments.push_back({t, 0.5 * rule.weight[i] * std::fabs(curve.clock_at(t).time_per_clock)});
  }
  const bool forward = curve.target_time() > curve.latent_time();
  std::stable_sort(moments.begin(), moments.end(), [&](const Moment& a, const Moment& b) { return forward ? a.t < b.t : a.t > b.t; });
  return moments;
}

/// Squared speeds of particles at one time, into `wasserstein` and `fisher_rao` [n].
class SpeedOfParticles {
 public:
  explicit SpeedOfParticles(const TrainedRun& run) : run_(run), field_(flow_of(run.model, run.state.average).velocity) {}

  const VelocityField& field() const { return *field_; }

  void at(double t, const Points<double>& x, double* wasserstein, double* fisher_rao) const {
    const std::size_t n = x.extent(0), D = x.extent(1);
    PointScalars<double> time("boltzcurve::speed_time", n), divergence("boltzcurve::speed_divergence", n);
    Points<double> velocity("boltzcurve::speed_velocity", n, D), target("boltzcurve::speed_target", n, D + 1),
        latent("boltzcurve::speed_latent", n, D + 1);
    Kokkos::deep_copy(time, t);
    field_->evaluate(time, x, velocity, divergence);
    run_.model.curve_target().evaluate(x, target, Wanted::gradient);
    run_.model.latent->evaluate(x, latent, Wanted::gradient);
    const auto v = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), velocity);
    const auto div = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), divergence);
    const auto of_target = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), target);
    const auto of_latent = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), latent);
    const auto slope = [&](std::size_t i, std::size_t k) {
      switch (run_.model.curve_name()) {
        case CurveName::linear:
          return (1 - t) * of_latent(i, 1 + k) + t * of_target(i, 1 + k);
        case CurveName::gradient_flow:
          return v(i, k) + of_latent(i, 1 + k);
        default:
          return std::nan("");
      }
    };
    for (std::size_t i = 0; i < n; ++i) {
      double square = 0, rate = -div(i);
      for (std::size_t k = 0; k < D; ++k) {
        square += v(i, k) * v(i, k);
        rate += v(i, k) * slope(i, k);
      }
      wasserstein[i] = square;
      fisher_rao[i] = rate * rate;
    }
  }

 private:
  const TrainedRun& run_;
  std::shared_ptr<const VelocityField> field_;
};

ParticleMean mean_of(double sum, double squares, double count) {
  const double mean = sum / count, variance = std::max(0.0, squares / count - mean * mean);
  return {mean, count > 1 ? std::sqrt(variance / (count - 1)) : std::nan("")};
}

}  // namespace

NetworkSpeed network_speed(const Communicator& ranks, const TrainedRun& run, const std::vector<double>& shares) {
  const auto& curve = *run.model.curve;
  const auto particles = run.options.sampling.particles;
  const auto integration = integration_options(run.options.sampling, run.model.region->domain);
  NetworkSpeed result;
  for (const double share : shares) result.times.push_back(curve.latent_time() + share * (curve.target_time() - curve.latent_time()));
  const auto moments = moments_of(curve, result.times);
  std::vector<double> frame_times;
  frame_times.reserve(moments.size());
  for (const auto& moment : moments) frame_times.push_back(moment.t);

  const SpeedOfParticles speed(run);
  const auto shard = shard_of(particles, particle_granule, ranks.rank(), ranks.size());
  const auto D = static_cast<std::size_t>(run.model.dimension());
  // Of every particle: whether it counts, then both squared speeds at every asked time and both actions.
  const std::size_t columns = 2 * result.times.size() + 2;
  std::vector<double> numbers;
  std::vector<bool> counts;
  for (std::int64_t done = 0; done < shard.count; done += particles_at_once) {
    const auto n = static_cast<std::size_t>(std::min(particles_at_once, shard.count - done));
    Points<double> start("boltzcurve::speed_starts", n, D), x("boltzcurve::speed_positions", n, D);
    const auto host = Kokkos::create_mirror_view(start);
    run.model.latent->draw(run.options.run.seed, shard.first + done, host);
    Kokkos::deep_copy(start, host);
    const PointScalars<double> no_density("boltzcurve::speed_log_density", n);
    const auto end = integrate(speed.field(), curve.latent_time(), curve.target_time(), start, no_density, integration, frame_times);
    const auto status = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), end.status);
    const auto frames = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), end.frames);
    std::vector<double> wasserstein(n), fisher_rao(n), rows(n * columns, 0.0);
    for (std::size_t m = 0; m < moments.size(); ++m) {
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t k = 0; k < D; ++k) host(i, k) = frames(m, i, k);
      Kokkos::deep_copy(x, host);
      speed.at(moments[m].t, x, wasserstein.data(), fisher_rao.data());
      for (std::size_t i = 0; i < n; ++i) {
        double* row = &rows[i * columns];
        if (moments[m].asked != SIZE_MAX) {
          row[2 * moments[m].asked] = wasserstein[i];
          row[2 * moments[m].asked + 1] = fisher_rao[i];
        } else {
          row[columns - 2] += moments[m].weight * wasserstein[i];
          row[columns - 1] += moments[m].weight * fisher_rao[i];
        }
      }
    }
    for (std::size_t i = 0; i < n; ++i)
      counts.push_back(status(i) == ParticleStatus::finished && std::isfinite(rows[i * columns + columns - 2]));
    numbers.insert(numbers.end(), rows.begin(), rows.end());
  }

  const auto sums = ordered_sums(ranks, shard.count, particle_granule, 2 * columns + 1, [&](std::size_t i, std::span<double> to) {
    if (!counts[i]) return;
    to[2 * columns] += 1;
    for (std::size_t c = 0; c < columns; ++c) {
      const double number = numbers[i * columns + c];
      to[2 * c] += number;
      to[2 * c + 1] += number * number;
    }
  });
  const double count = sums[2 * columns];
  const auto mean = [&](std::size_t column) { return mean_of(sums[2 * column], sums[2 * column + 1], count); };
  for (std::size_t j = 0; j < result.times.size(); ++j) {
    result.wasserstein.push_back(mean(2 * j));
    result.fisher_rao.push_back(mean(2 * j + 1));
  }
  result.wasserstein_action = mean(columns - 2);
  result.fisher_rao_action = mean(columns - 1);
  result.particles = particles;
  result.failed = particles - static_cast<std::int64_t>(count);
  return result;
}

}  // namespace boltzcurve
