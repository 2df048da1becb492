#include <boltzcurve/metrics/metric_input.hpp>

#include <algorithm>
#include <array>
#include <numeric>

namespace boltzcurve {

HostPoints<double> gather_points(const Communicator& ranks, HostPoints<const double> local) {
  const auto dimension = local.extent(1);
  const auto total = ranks.sum(static_cast<std::int64_t>(local.extent(0)));
  HostPoints<double> all("boltzcurve::metrics::gathered", static_cast<std::size_t>(total), dimension);
  std::vector<double> column(local.extent(0));
  for (std::size_t d = 0; d < dimension; ++d) {
    for (std::size_t i = 0; i < column.size(); ++i) column[i] = local(i, d);
    const auto gathered = ranks.all_gather(column);
    for (std::size_t i = 0; i < gathered.size(); ++i) all(i, d) = gathered[i];
  }
  return all;
}

HostPoints<double> finished_positions(const MetricInput& input) {
  const auto finished = static_cast<std::size_t>(std::count(input.status.begin(), input.status.end(), ParticleStatus::finished));
  const auto dimension = input.position.extent(1);
  HostPoints<double> points("boltzcurve::metrics::finished", finished, dimension);
  std::size_t row = 0;
  for (std::size_t i = 0; i < input.status.size(); ++i) {
    if (input.status[i] != ParticleStatus::finished) continue;
    for (std::size_t d = 0; d < dimension; ++d) points(row, d) = input.position(i, d);
    ++row;
  }
  return points;
}

std::vector<Measured> measure_run(const MetricInput& input) {
  const auto particles = static_cast<std::int64_t>(input.status.size());
  std::array<std::int64_t, particle_status_count> count{};
  double action = 0;
  for (std::size_t i = 0; i < input.status.size(); ++i) {
    ++count[static_cast<std::size_t>(input.status[i])];
    if (input.status[i] == ParticleStatus::finished) action += input.action[i];
  }
  const auto evaluations = std::accumulate(input.evaluations.begin(), input.evaluations.end(), std::int64_t{0});
  const auto mean = [](double sum, std::int64_t n) { return n > 0 ? std::optional(sum / static_cast<double>(n)) : std::nullopt; };
  const auto finished = count[static_cast<std::size_t>(ParticleStatus::finished)];

  std::vector<Measured> measured = {{"particles", static_cast<double>(particles), particles},
                                    {"log_z_exact", input.log_z, 0},
                                    {"nll_floor", input.entropy, 0},
                                    {"action", mean(action, finished), finished},
                                    {"evaluations_per_particle", mean(static_cast<double>(evaluations), particles), particles},
                                    {"seconds_train", input.seconds_train, 0},
                                    {"seconds_sample", input.seconds_sample, 0},
                                    {"ranks", static_cast<double>(input.ranks.size()), 0}};
  for (const auto status : {ParticleStatus::escaped, ParticleStatus::nonfinite, ParticleStatus::step_underflow, ParticleStatus::max_steps})
    measured.push_back({name_of(status), static_cast<double>(count[static_cast<std::size_t>(status)]), particles});
  return measured;
}

}  // namespace boltzcurve
