#include "app/commands/studies/line_cases.hpp"
#include "app/commands/studies/network_cases.hpp"

#include "app/commands/study.hpp"
#include "app/commands/study_table.hpp"
#include "parallel/on_all.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

/// Of one case and one curve: norms at all times, the action, and the times.
struct ExactTask {
  const StudyCase* of;
  CurveName curve;
};

/// By quadrature, tasks shared by the ranks; every rank gets all results.
std::vector<std::vector<double>> measured(const Run& run, const std::vector<ExactTask>& tasks) {
  const auto& times = run.options().study.times;
  const std::size_t numbers = 2 * times.size() + 1;
  std::vector<double> all(tasks.size() * numbers, 0.0);
  on_all(run.world(), [&] {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (static_cast<int>(i) % run.world().size() != run.world().rank()) continue;
      const auto ends = line_ends(tasks[i].of->options, tasks[i].of->distance);
      const auto curve = exact_curve(*ends, tasks[i].of->options, tasks[i].curve);
      for (std::size_t j = 0; j < times.size(); ++j) {
        const double t = curve->latent_time() + times[j] * (curve->target_time() - curve->latent_time());
        all[i * numbers + j] = std::sqrt(curve->speed(t).wasserstein);
        all[i * numbers + times.size() + 1 + j] = t;
      }
      all[i * numbers + times.size()] = curve->action().wasserstein;
    }
  });
  run.world().sum(all);  // one rank knows each, the others say 0
  std::vector<std::vector<double>> results;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    results.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(i * numbers),
                         all.begin() + static_cast<std::ptrdiff_t>((i + 1) * numbers));
  return results;
}

/// Least squares of y = a + rate x over at least two different x; NaN else.
double slope_of(const std::vector<double>& x, const std::vector<double>& y) {
  double mean_x = 0, mean_y = 0, xx = 0, xy = 0;
  const auto n = static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / n;
    mean_y += y[i] / n;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return xx > 0 ? xy / xx : std::nan("");
}

/// How the largest norm of every curve grows with the distance.
Table growth_of(const std::vector<ExactTask>& tasks, const std::vector<std::vector<double>>& results, std::ptrdiff_t times) {
  struct Course {
    std::vector<double> distance, log_norm, log_norm_less_power;
  };
  std::map<CurveName, Course> courses;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    auto& course = courses[tasks[i].curve];
    const double largest = *std::max_element(results[i].begin(), results[i].begin() + times), distance = tasks[i].of->distance;
    if (!(distance > 1) || !(largest > 0)) continue;
    course.distance.push_back(distance);
    course.log_norm.push_back(std::log(largest));
    course.log_norm_less_power.push_back(std::log(largest) - std::log(distance - 1));
  }
  Table table{"velocity_explosion_growth",
              {{"curve", "text", Texts()},
               {"distances", "count", Integers()},
               {"log_norm_per_distance", "1/length"},
               {"log_norm_per_distance_less_power", "1/length"},
               {"last_log_norm_per_distance", "1/length"}}};
  for (const auto& [curve, course] : courses) {
    const auto last_two = [](const std::vector<double>& values) {
      return std::vector<double>(values.end() - std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(values.size())), values.end());
    };
    table.add({std::string(name_of(curve)), static_cast<std::int64_t>(course.distance.size()), slope_of(course.distance, course.log_norm),
               slope_of(course.distance, course.log_norm_less_power), slope_of(last_two(course.distance), last_two(course.log_norm))});
  }
  return table;
}

const std::vector<Column> network_columns = {{"distance", "length"},
                                             {"dimension", "1", Integers()},
                                             {"curve", "text", Texts()},
                                             {"t", "time"},
                                             {"velocity_norm", "length/time"},
                                             {"velocity_norm_error", "length/time"},
                                             {"action", "length^2/time"},
                                             {"action_error", "length^2/time"},
                                             {"particles", "count", Integers()},
                                             {"failed", "count", Integers()},
                                             {"run", "text", Texts()}};

/// Of one network: a row for each time. The error of a root is that of its square over twice the root.
void add_speeds(Table& table, double distance, const std::string& folder, const TrainedRun& trained, const NetworkSpeed& speed) {
  for (std::size_t j = 0; j < speed.times.size(); ++j) {
    const double norm = std::sqrt(speed.wasserstein[j].value);
    table.add({distance, std::int64_t{trained.model.dimension()}, std::string(name_of(trained.model.curve_name())), speed.times[j], norm,
               speed.wasserstein[j].error / (2 * norm), speed.wasserstein_action.value, speed.wasserstein_action.error, speed.particles,
               speed.failed, folder});
  }
}

ExitCode velocity_explosion(Run& run) {
  const auto& options = run.options();
  const auto cases = study_cases(options);
  std::vector<ExactTask> tasks;
  for (const auto& of : cases) {
    const auto ends = line_ends(of.options, of.distance);
    for (const auto curve : {CurveName::linear, CurveName::gradient_flow}) {
      const bool asked = std::find(options.study.curves.begin(), options.study.curves.end(), curve) != options.study.curves.end();
      if (ends && asked) tasks.push_back({&of, curve});
    }
  }
  const bool with_networks = options.study.networks || !options.study.runs.empty();
  if (tasks.empty() && !with_networks)
    throw ConfigError(
        "study velocity-explosion: quadrature is for targets on the line, with the curve linear, or gradient-flow from a gaussian latent "
        "law; "
        "networks of other curves and in more dimensions are studied with --study.networks=yes, or from --study.runs=DIR");
  run.take_output_folder();
  const auto results = measured(run, tasks);
  Table table{
      "velocity_explosion",
      {{"distance", "length"}, {"curve", "text", Texts()}, {"t", "time"}, {"velocity_norm", "length/time"}, {"action", "length^2/time"}}};
  std::string text = fmt::format("{:>9}  {:<14}", "distance", "curve");
  for (const double share : options.study.times) text += fmt::format(" {:>9.4g}", share);
  text += fmt::format(" {:>11}\n", "action");
  const std::size_t times = options.study.times.size();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::string name(name_of(tasks[i].curve));
    text += fmt::format("{:>9.6g}  {:<14}", tasks[i].of->distance, name);
    for (std::size_t j = 0; j < options.study.times.size(); ++j) {
      table.add({tasks[i].of->distance, name, results[i][times + 1 + j], results[i][j], results[i][times]});
      text += fmt::format(" {:>9.4g}", results[i][j]);
    }
    text += fmt::format(" {:>11.6g}\n", results[i][times]);
  }
  const auto growth = growth_of(tasks, results, static_cast<std::ptrdiff_t>(options.study.times.size()));
  std::vector<const Table*> tables;
  if (!tasks.empty()) {
    tables = {&table, &growth};
    run.say("norm of the velocity in L2(rho_t), by share of the time from latent law to target, and action\n" + text);
  }

  Table networks{"velocity_explosion_networks", network_columns};
  Stop stop = Stop::no;
  if (with_networks) {
    stop = for_each_network(run, cases, [&](double distance, const std::string& folder, const TrainedRun& trained) {
      add_speeds(networks, distance, folder, trained, network_speed(run.world(), trained, options.study.times));
    });
    tables.push_back(&networks);
    run.say(networks.csv());
  }
  write_study(run, "velocity_explosion", tables);
  if (stop != Stop::no) return interrupted_study(run, stop);
  run.say(run.output("velocity_explosion.h5").string());
  return ExitCode::done;
}

}  // namespace

StudyEntry velocity_explosion_study() {
  return {"velocity-explosion", "norm of the velocity over t and its growth with the distance: by quadrature on the line, of networks",
          velocity_explosion};
}

}  // namespace boltzcurve
