#include "app/commands/studies/line_cases.hpp"
#include "app/commands/studies/network_cases.hpp"

#include "app/commands/study.hpp"
#include "app/commands/study_table.hpp"
#include "metrics/metric_input.hpp"
#include "metrics/sliced_wasserstein.hpp"

#include <cmath>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

// What a curve of densities rho_t with velocity v_t costs, in two geometries, and what the way between its ends must cost at least:
//
//     Wasserstein action    integral of E_t |v_t|^2 dt              >= W2(rho_Z, rho_D)^2 / T     (Benamou and Brenier)
//     Fisher-Rao action     integral of E_t (d_t log rho_t)^2 dt    >= (2 arccos of the integral of sqrt(rho_Z rho_D))^2 / T
//
// On the line by quadrature (curve/line_curve.hpp), W2 by quantile functions; else from particles of networks (network_speed.hpp), and the
// sliced distance between latent law and exact samples of the target stands for W2.

const std::vector<Column> columns = {{"distance", "length"},
                                     {"dimension", "1", Integers()},
                                     {"curve", "text", Texts()},
                                     {"source", "text", Texts()},
                                     {"wasserstein_action", "length^2/time"},
                                     {"wasserstein_action_error", "length^2/time"},
                                     {"fisher_rao_action", "1/time"},
                                     {"fisher_rao_action_error", "1/time"},
                                     {"duration", "time"},
                                     {"w2", "length"},
                                     {"w2_kind", "text", Texts()},
                                     {"failed", "count", Integers()}};

HostPoints<double> drawn(const Communicator& ranks, const Energy& law, std::int64_t count, std::uint64_t seed, bool& known) {
  const auto shard = shard_of(count, particle_granule, ranks.rank(), ranks.size());
  HostPoints<double> points("boltzcurve::action_samples", static_cast<std::size_t>(shard.count), static_cast<std::size_t>(law.dimension()));
  known = known && law.draw(seed, shard.first, points);
  return points;
}

/// Between latent law and target, from as many exact samples of each as evaluation has; NaN where the target has none.
double sliced_distance(const Run& run, const TrainedRun& trained) {
  const auto count = std::max<std::int64_t>(trained.options.evaluation.exact_samples, 1);
  bool known = true;
  const auto latent = drawn(run.world(), *trained.model.latent, count, trained.options.run.seed, known);
  const auto target = drawn(run.world(), *trained.model.target, count, trained.options.run.seed, known);
  if (!known) return std::nan("");
  return sliced_wasserstein(run.world(), latent, target, trained.options.run.seed);
}

void add_exact(const Run& run, Table& table, const StudyCase& of) {
  const auto ends = line_ends(of.options, of.distance);
  if (!ends) return;
  double w2 = std::nan("");
  on_root(run.world(), [&] { w2 = std::sqrt(squared_wasserstein_distance(ends->latent, ends->target)); });
  for (const auto name : run.options().study.curves) {
    if (!has_exact_curve(name)) continue;
    CurveSpeed action;
    double duration = 0;
    on_root(run.world(), [&] {
      const auto curve = exact_curve(*ends, of.options, name);
      action = curve->action();
      duration = std::fabs(curve->target_time() - curve->latent_time());
    });
    table.add({of.distance, std::int64_t{1}, std::string(name_of(name)), std::string("quadrature"), action.wasserstein, 0.0,
               action.fisher_rao, 0.0, duration, w2, std::string("exact"), std::int64_t{0}});
  }
}

ExitCode action(Run& run) {
  const auto& options = run.options();
  const auto cases = study_cases(options);
  const bool with_networks = options.study.networks || !options.study.runs.empty();
  bool exact = false;
  for (const auto& of : cases) exact = exact || line_ends(of.options, of.distance);
  if (!exact && !with_networks)
    throw ConfigError(
        "study action: quadrature is for targets on the line; in more dimensions actions come from networks: --study.networks=yes trains "
        "them, "
        "--study.runs=DIR takes those of a run");
  run.take_output_folder();
  Table table{"action", columns};
  for (const auto& of : cases) add_exact(run, table, of);
  const auto stop = for_each_network(run, cases, [&](double distance, const std::string& folder, const TrainedRun& trained) {
    const auto speed = network_speed(run.world(), trained, {});
    const auto& curve = *trained.model.curve;
    const bool same_coordinates = trained.model.coordinates().is_identity();
    table.add({distance, std::int64_t{curve.dimension()}, std::string(name_of(trained.model.curve_name())), folder,
               speed.wasserstein_action.value, speed.wasserstein_action.error, speed.fisher_rao_action.value, speed.fisher_rao_action.error,
               std::fabs(curve.target_time() - curve.latent_time()), same_coordinates ? sliced_distance(run, trained) : std::nan(""),
               std::string("sliced"), speed.failed});
  });
  write_study(run, "action", {&table});
  if (stop != Stop::no) return interrupted_study(run, stop);
  run.say(table.csv() + run.output("action.csv").string());
  return ExitCode::done;
}

}  // namespace

StudyEntry action_study() { return {"action", "Wasserstein and Fisher-Rao action of the curves, and W2 between their ends", action}; }

}  // namespace boltzcurve
