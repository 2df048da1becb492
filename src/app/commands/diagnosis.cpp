#include "app/commands/diagnosis.hpp"
#include "metrics/disagreement.hpp"
#include "metrics/forward_importance.hpp"
#include "metrics/importance.hpp"
#include "metrics/mode_weights.hpp"
#include "metrics/pilot_population.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace boltzcurve {
namespace {

constexpr double low_density = 25;     // nats below the highest, on top of one a coordinate: thermal motion stays at half of one
constexpr double lost_share = 0.2;     // of a mode's weight
constexpr double expected_count = 25;  // particles in a mode, from which a fifth of them is no accident: four standard deviations
constexpr double blind_ratio = 0.5;    // of forward to reverse ESS
constexpr double explosion = 10;       // times the action that is needed
constexpr double rare_by_chance = 5;   // standard errors: by chance alone in one of some hundred runs (disagreement.hpp, population.hpp)
constexpr double good_ess = 0.9, large_error = 0.2;
constexpr double infinity = std::numeric_limits<double>::infinity();

double count_of(const DiagnosisInput& input, const char* key) { return value_of(input.evaluation, key).value_or(0); }

/// What helps where mass cannot pass from mode to mode.
const char* help_between_modes(const DiagnosisInput& input) {
  return input.curve_name == CurveName::linear ? "curve.name = learned or gradient-flow, or a latent law wide enough for all modes "
                                                 "(latent.scale), may help"
                                               : "A latent law wide enough for all modes (latent.scale), or longer training, may help";
}

/// Of this rank's items the one of lowest global id that is bad: its id on all ranks and `row(i)` [columns]. Empty where none is bad.
template <class Bad, class Row>
std::vector<double> first_bad(const Communicator& ranks, std::size_t items, std::size_t columns, const Bad& bad, const Row& row) {
  std::size_t i = 0;
  while (i < items && !bad(i)) ++i;
  std::vector<double> mine = {static_cast<double>(i)};  // all of them where none is
  if (i < items) {
    const std::vector<double> values = row(i);
    mine.insert(mine.end(), values.begin(), values.end());
  }
  mine.resize(1 + columns, std::nan(""));
  const auto all = ranks.all_gather(std::span<const double>(mine));
  const auto counts = ranks.all_gather(std::vector<std::int64_t>{static_cast<std::int64_t>(items)});
  double before = 0;
  for (std::size_t rank = 0; rank < counts.size(); ++rank) {
    const auto theirs = std::span(all).subspan(rank * mine.size(), mine.size());
    const auto count = static_cast<double>(counts[rank]);
    if (theirs[0] < count) {
      std::vector<double> first(theirs.begin(), theirs.end());
      first[0] += before;
      return first;
    }
    before += count;
  }
  return {};
}

/// The failed particle of lowest global id: that id, time (NaN where it is not known), target's energy, x [D]. Empty where none failed.
std::vector<double> first_failed(const MetricInput& input) {
  const auto& particles = input.particles;
  return first_bad(
      input.ranks, particles.size(), 2 + static_cast<std::size_t>(particles.dimension),
      [&](std::size_t i) { return !particles.finished(i); },
      [&](std::size_t i) {
        std::vector<double> row = {particles.time[i], particles.energy[i]};
        row.insert(row.end(), particles.x(i).begin(), particles.x(i).end());
        return row;
      });
}

/// Energies from here on are of very low density: infinite, and none, where no particle finished.
double low_density_from(const MetricInput& input) {
  const auto& particles = input.particles;
  double lowest = infinity;
  for (std::size_t i = 0; i < particles.size(); ++i)
    if (particles.finished(i) && std::isfinite(particles.energy[i])) lowest = std::min(lowest, particles.energy[i]);
  return -input.ranks.max(-lowest) + low_density + static_cast<double>(particles.dimension);
}

std::optional<std::string> failed_particles(const DiagnosisInput& input) {
  const auto& particles = input.metrics.particles;
  const auto& ranks = input.metrics.ranks;
  const auto first = first_failed(input.metrics);
  if (first.empty()) return std::nullopt;
  std::vector<std::string> kinds;
  double failed = 0;
  for (int s = 0; s < particle_status_count; ++s) {
    const auto status = static_cast<ParticleStatus>(s);
    if (status == ParticleStatus::finished) continue;
    const char* const kind = name_of(status);
    if (const double count = count_of(input, kind); count > 0) {
      kinds.push_back(fmt::format("{} {:.0f}", kind, count));
      failed += count;
    }
  }
  const double low_from = low_density_from(input.metrics);
  double earliest = infinity, latest = -infinity;
  std::int64_t low = 0;
  for (std::size_t i = 0; i < particles.size(); ++i) {
    if (particles.finished(i)) continue;
    low += !(particles.energy[i] < low_from);  // NaN is low
    earliest = std::min(earliest, particles.time[i]);
    latest = std::max(latest, particles.time[i]);
  }
  low = ranks.sum(low);
  earliest = -ranks.max(-earliest);
  latest = ranks.max(latest);

  std::string text = fmt::format("{:.0f} of {:.0f} particles failed ({})", failed, count_of(input, "particles"), fmt::join(kinds, ", "));
  if (std::isfinite(earliest)) text += fmt::format(", between t = {:.4g} and {:.4g}", earliest, latest);
  text += fmt::format("; the first, number {:.0f}, was last at x = ({:.4g})", first[0], fmt::join(first.begin() + 3, first.end(), ", "));
  if (std::isfinite(first[1])) text += fmt::format(", t = {:.4g}", first[1]);
  if (low > 0 && std::isfinite(low_from))
    text += fmt::format(
        ". {} of them were where the target's energy is {:.3g} nats or more above the lowest of the particles that came through, or is not "
        "finite: there the curve was not trained, and a latent law as wide as the target (latent.scale) or points there "
        "(collocation.shares, collocation.box) may help",
        low, low_density + static_cast<double>(first.size() - 3));
  if (count_of(input, "max_steps") + count_of(input, "step_underflow") > 0)
    text += ". Velocities that steps cannot follow become smoother with longer training, or want larger tolerances and sampling.max-steps";
  return text;
}

/// Of log weights that are not all finite: how many, and the first of the points [m][D] that they belong to.
std::optional<std::string> strays(const Communicator& ranks, std::span<const double> log_weight, std::size_t D, const auto& point,
                                  const std::string& what, const std::string& unknown) {
  const auto stray = [&](std::size_t i) { return !std::isfinite(log_weight[i]); };
  const auto first = first_bad(ranks, log_weight.size(), D, stray, point);
  if (first.empty()) return std::nullopt;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < log_weight.size(); ++i) count += stray(i);
  count = ranks.sum(count);
  return fmt::format(
      "{} of {} {} do not come back to the latent law, which leaves {} unknown; the first is at x = ({:.4g}). There the velocity is not "
      "learned: points there (collocation.shares, collocation.box), or longer training, may help",
      count, total_count(ranks, log_weight.size()), what, unknown, fmt::join(first.begin() + 1, first.end(), ", "));
}

std::optional<std::string> stray_samples(const DiagnosisInput& input) {
  const auto& metrics = input.metrics;
  const std::size_t D = metrics.exact.extent(1);
  auto text = strays(
      metrics.ranks, metrics.exact_log_weight, D,
      [&](std::size_t i) {
        std::vector<double> x;
        for (std::size_t k = 0; k < D; ++k) x.push_back(metrics.exact(i, k));
        return x;
      },
      "exact samples of the target", "ess_forward and eubo");
  if (text || !metrics.population || metrics.population->count() == 0) return text;
  const auto taken = total_count(metrics.ranks, metrics.population_log_weight.size());
  const auto shard = shard_of(taken, particle_granule, metrics.ranks.rank(), metrics.ranks.size());
  return strays(
      metrics.ranks, metrics.population_log_weight, static_cast<std::size_t>(metrics.population->dimension),
      [&](std::size_t i) { return population_point(metrics, shard.first + static_cast<std::int64_t>(i), taken); },
      "points of the pilot's population", "ess_forward_pilot");
}

/// The mode that has the smallest part of its weight, as a sentence, if that is small enough.
std::optional<std::string> missing_mode(const DiagnosisInput& input) {
  const auto& particles = input.metrics.particles;
  const auto& ranks = input.metrics.ranks;
  const auto& modes = input.metrics.modes;
  const double all = count_of(input, "particles");
  std::vector<double> one(particles.size());
  for (std::size_t i = 0; i < one.size(); ++i) one[i] = particles.finished(i) ? 1 : 0;
  const auto ended = static_cast<double>(ranks.sum(std::count(one.begin(), one.end(), 1.0)));
  if (modes.empty() || ended == 0) return std::nullopt;
  const auto shares = mode_shares(ranks, particles, one, modes);
  const auto expected = expected_shares(input.metrics);
  const auto part = [&](std::size_t k) { return shares[k] * ended / all / expected[k]; };
  std::optional<std::size_t> worst;
  int lost = 0;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    if (expected[k] * all < expected_count || part(k) >= lost_share) continue;
    ++lost;
    if (!worst || part(k) < part(*worst)) worst = k;
  }
  if (!worst) return std::nullopt;
  const auto& center = modes[*worst].center;
  return fmt::format("{} of {} modes have less than a fifth of their particles, the one at ({:.4g}) a share of {:.2g} where {:.2g} belongs",
                     lost, shares.size(), fmt::join(center, ", "), shares[*worst] * ended / all, expected[*worst]);
}

/// A forward ESS far below the ESS, and what it is without the half percent of points that the flow gives least to.
struct ForwardAlarm {
  std::string points;  ///< "exact samples"
  double forward, without_few;
  std::int64_t few, all;
};

std::vector<ForwardAlarm> forward_alarms(const DiagnosisInput& input) {
  constexpr std::int64_t one_of = 200;
  const auto& metrics = input.metrics;
  std::vector<ForwardAlarm> alarms;
  const auto look = [&](const char* key, const char* points, std::span<const double> log_weight) {
    const auto forward = value_of(input.evaluation, key);
    if (metrics.legs != 1 || !forward || !(*forward < blind_ratio * count_of(input, "ess"))) return;
    auto all = metrics.ranks.all_gather(log_weight);
    std::sort(all.begin(), all.end());
    const auto count = static_cast<std::int64_t>(all.size()), few = count / one_of;
    all.resize(static_cast<std::size_t>(count - few));
    const auto rest = forward_estimate(Communicator(MPI_COMM_SELF), all);
    alarms.push_back({points, *forward, rest ? rest->ess : *forward, few, count});
  };
  look("ess_forward", "exact samples", metrics.exact_log_weight);
  look("ess_forward_pilot", "points of the pilot's population", metrics.population_log_weight);
  return alarms;
}

std::optional<std::string> thin_tail(const DiagnosisInput& input) {
  for (const auto& [points, forward, without_few, few, all] : forward_alarms(input))
    if (!(without_few < blind_ratio * count_of(input, "ess")))
      return fmt::format(
          "up to {} of {} {} lie where the flow has hardly any density: they show a forward ESS of {:.2g}, the others {:.3g}. That tail, "
          "or small part of the target, is hardly reached, and what it weighs is in no error of log Z; longer training, or more "
          "pilot.particles, may help",
          few, all, points, forward, without_few);
  return std::nullopt;
}

std::optional<std::string> lost_modes(const DiagnosisInput& input) {
  const auto mode = missing_mode(input);
  const double ess = count_of(input, "ess");
  std::string text;
  const auto add = [&](const std::string& more) { text += (text.empty() ? "modes are lost: " : "; ") + more; };
  if (mode) add(*mode);
  for (const auto& alarm : forward_alarms(input))
    if (alarm.without_few < blind_ratio * ess)
      add(fmt::format("{} show a forward ESS of {:.2g} where the particles, which cannot see what none of them reached, show {:.2g}",
                      alarm.points, alarm.forward, ess));
  if (text.empty()) return std::nullopt;
  if (input.curve_name == CurveName::linear)
    text +=
        ". To bring them their mass, the linear curve's velocity explodes: it grows exponentially with the distance between modes that the "
        "latent law does not reach, and training gives such modes up";
  return text + ". " + help_between_modes(input);
}

std::optional<std::string> exploding_velocity(const DiagnosisInput& input) {
  const auto& particles = input.metrics.particles;
  const auto action = value_of(input.evaluation, "action");
  if (!action) return std::nullopt;
  std::vector<double> square(particles.size(), 0.0);
  for (std::size_t i = 0; i < square.size(); ++i) {
    std::vector<double> z(particles.x(i).begin(), particles.x(i).end());
    input.coordinates.to_z(z.data());
    for (std::size_t k = 0; k < z.size(); ++k) square[i] += std::pow(z[k] - input.latent.mean[k], 2);
  }
  const auto mean = mean_where(input.metrics.ranks, square, [&](std::size_t i) { return particles.finished(i); });
  if (!mean) return std::nullopt;
  double distance = mean->value, contraction = 0;
  for (const double deviation : input.latent.deviation) {
    distance += deviation * deviation;
    contraction += std::pow(deviation, 4) / (8 * input.mode_width);
  }
  const double straight = distance / std::fabs(input.curve.target_time() - input.curve.latent_time());
  const double ratio = *action / (input.curve_name == CurveName::gradient_flow ? straight : std::max(straight, contraction));
  if (!(ratio > explosion)) return std::nullopt;
  return fmt::format(
      "the velocity explodes: its action, {:.3g}, is {:.3g} times what is needed. Mass that has to pass from one far mode to another moves "
      "the faster the deeper the gap. {}",
      *action, ratio, help_between_modes(input));
}

std::optional<std::string> unconverged_residual(const DiagnosisInput& input) {
  const auto ess = value_of(input.evaluation, "ess");
  const auto& size = input.time_bins.size;
  const double sum = std::accumulate(size.begin(), size.end(), 0.0), gathered = sum / TimeBins::count;
  if ((ess && *ess >= good_ess) || gathered < large_error) return std::nullopt;
  // The shortest stretch of the clock that holds half of it.
  std::size_t best_from = 0, best_to = size.size();
  for (std::size_t from = 0; from < size.size(); ++from) {
    double held = 0;
    std::size_t to = from;
    while (to < size.size() && held < sum / 2) held += size[to++];
    if (held >= sum / 2 && to - from < best_to - best_from) {
      best_from = from;
      best_to = to;
    }
  }
  const auto time = [&](std::size_t bin) { return input.curve.time_at(static_cast<double>(bin) / TimeBins::count); };
  const auto [earlier, later] = std::minmax({time(best_from), time(best_to)});
  return fmt::format(
      "the residual has not converged: its size at the points of training adds up to {:.2g} nats along the curve, half of them between t = "
      "{:.3g} and {:.3g}, {:.0f} % of the clock. More training.steps or training.max-seconds, in many dimensions more collocation.points, "
      "a larger network.width, or collocation.times = residual may help",
      gathered, earlier, later, 100.0 * static_cast<double>(best_to - best_from) / TimeBins::count);
}

std::optional<std::string> pilot_disagrees(const DiagnosisInput& input) {
  const auto* const pilot = input.metrics.pilot;
  if (!pilot || !is_doubtful(*pilot)) return std::nullopt;
  return pilot_doubt(*pilot);
}

std::optional<std::string> particles_disagree(const DiagnosisInput& input) {
  if (const auto z = value_of(input.evaluation, "disagreement"); !z || !(*z > rare_by_chance)) return std::nullopt;
  const auto found = disagreement_from_population(input.metrics).value();
  return fmt::format(
      "the particles disagree with the pilot's population: weighted means differ by up to {:.3g} standard errors ({} compared), most in "
      "{}. One of them lacks mass or has it in the wrong place: longer training, or more pilot.particles, may help",
      found.largest, found.comparisons, found.of);
}

std::optional<std::string> known_disagrees(const DiagnosisInput& input) {
  if (const auto z = value_of(input.evaluation, "disagreement_known"); !z || !(*z > rare_by_chance)) return std::nullopt;
  const auto found = disagreement_from_known(input.metrics).value();
  return fmt::format(
      "the particles disagree with what is known of the target: by up to {:.3g} standard errors ({} compared), most in {}. Mass is "
      "missing, or the largest weights are: longer training, or a latent law wide enough for all of the target (latent.scale), may help",
      found.largest, found.comparisons, found.of);
}

std::optional<std::string> too_few_effective(const DiagnosisInput& input) {
  const double particles = count_of(input, "particles"), effective = count_of(input, "lineage_ess") * particles;
  if (effective >= enough_effective) return std::nullopt;
  return fmt::format(
      "the particles are worth {:.2g} of {:.0f}: too few for the errors of log Z and of means to be told. Longer training, more "
      "particles or another curve.name may help",
      effective, particles);
}

struct Signature {
  Finding finding;
  std::optional<std::string> (*text)(const DiagnosisInput&);
};
constexpr Signature signatures[] = {
    {Finding::failed_particles, failed_particles},
    {Finding::stray_samples, stray_samples},
    {Finding::lost_modes, lost_modes},
    {Finding::thin_tail, thin_tail},
    {Finding::exploding_velocity, exploding_velocity},
    {Finding::unconverged, unconverged_residual},
    {Finding::pilot_disagrees, pilot_disagrees},
    {Finding::particles_disagree, particles_disagree},
    {Finding::known_disagrees, known_disagrees},
    {Finding::too_few_effective, too_few_effective},
};

/// What a clean bill of health rests on.
std::string what_was_checked(const DiagnosisInput& input) {
  const auto number_of = [&](const char* key) {
    const auto at =
        std::find_if(input.evaluation.begin(), input.evaluation.end(), [&](const auto& metric) { return metric.entry->key == key; });
    return at == input.evaluation.end() ? std::int64_t{0} : at->samples;
  };
  const auto z_score = [&](const char* key) {
    const auto z = value_of(input.evaluation, key);
    return z ? fmt::format("largest z-score {:.2g} of {}", *z, number_of(key)) : std::string();
  };
  const auto forward = [&](const char* key) {
    const auto ess = value_of(input.evaluation, key);
    return ess ? fmt::format("forward ESS {:.3g} of {}", *ess, number_of(key)) : std::string();
  };
  std::vector<std::string> checked = {
      fmt::format("weights (ESS {:.3g} of {:.0f})", count_of(input, "lineage_ess"), count_of(input, "particles"))};
  const auto add = [&](const char* what, const std::string& one, const std::string& other) {
    if (!one.empty() || !other.empty())
      checked.push_back(fmt::format("{} ({}{}{})", what, one, one.empty() || other.empty() ? "" : ", ", other));
  };
  add("the pilot's population", forward("ess_forward_pilot"), z_score("disagreement"));
  add("exact samples", forward("ess_forward"), "");
  add("what is known of the target", z_score("disagreement_known"), "");
  if (checked.size() == 1) return "checked: " + checked.front() + " alone, in which lost modes cannot be seen";
  return fmt::format("checked: {}", fmt::join(checked, ", "));
}

}  // namespace

std::string pilot_doubt(const PilotSummary& pilot) {
  return fmt::format(
      "halves of the pilot's population differ by {:.3g} standard errors: how much mass is where is not known better than that, nor is "
      "what is compared with it. More pilot.particles, or a box that holds just the target's mass (collocation.box), may help",
      pilot.disagreement);
}

bool is_doubtful(const PilotSummary& pilot) { return pilot.disagreement > rare_by_chance; }

Diagnosis diagnose(const DiagnosisInput& input) {
  Diagnosis diagnosis;
  for (const auto& [finding, text_of] : signatures)
    if (auto text = text_of(input)) {
      diagnosis.findings.push_back(finding);
      diagnosis.texts.push_back(std::move(*text));
    }
  if (!diagnosis.findings.empty()) return diagnosis;
  if (const auto ess = value_of(input.evaluation, "lineage_ess").value_or(0); ess < good_ess)
    return {{Finding::low_ess},
            {fmt::format("ESS is {:.2g}, and no known sign tells why: longer training may help, or another curve.name", ess)}};
  return {{}, {"nothing is wrong that shows; " + what_was_checked(input)}};
}

}  // namespace boltzcurve
