#include "app/commands/evaluation_numbers.hpp"
#include "app/commands/studies/study_run.hpp"

#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "app/commands/study.hpp"
#include "app/commands/study_table.hpp"
#include "core/in_section.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>
#include <string>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

using Numbers = std::map<std::string, double>;

/// A number of evaluation.json, or made of several.
struct Measure {
  Column column;
  double (*of)(const Numbers& evaluation);
};

double number(const Numbers& evaluation, const char* key) {
  const auto found = evaluation.find(key);
  return found == evaluation.end() ? std::nan("") : found->second;
}

const std::vector<Measure>& measures() {
  static const std::vector<Measure> all = {
      {{"ess", "1"}, [](const Numbers& e) { return number(e, "ess"); }},
      {{"ess_forward", "1"}, [](const Numbers& e) { return number(e, "ess_forward"); }},
      {{"nll", "nats"}, [](const Numbers& e) { return number(e, "nll"); }},
      {{"nll_floor", "nats"}, [](const Numbers& e) { return number(e, "nll_floor"); }},
      {{"energy_distance", "length"}, [](const Numbers& e) { return number(e, "energy_distance"); }},
      {{"energy_distance_floor", "length"}, [](const Numbers& e) { return number(e, "energy_distance_floor"); }},
      {{"log_z_error", "nats"}, [](const Numbers& e) { return number(e, "log_z") - number(e, "log_z_exact"); }},
      {{"log_z_stderr", "nats"}, [](const Numbers& e) { return number(e, "log_z_stderr"); }},
      {{"action", "length^2/time"}, [](const Numbers& e) { return number(e, "action"); }},
      {{"failed", "count"},
       [](const Numbers& e) {
         return number(e, "escaped") + number(e, "nonfinite") + number(e, "step_underflow") + number(e, "max_steps");
       }},
      {{"seconds_train", "s"}, [](const Numbers& e) { return number(e, "seconds_train"); }},
      {{"seconds_sample", "s"}, [](const Numbers& e) { return number(e, "seconds_sample"); }},
  };
  return all;
}

/// One training of the table.
struct Combination {
  std::string latent, schedule, curve;
  Options options;

  std::string folder() const {
    std::string name = fmt::format("runs/{}+{}+{}", curve, schedule, latent);
    std::replace(name.begin() + 5, name.end(), '/', '_');
    std::replace(name.begin(), name.end(), ' ', '_');
    return name;
  }
};

/// "gaussian scale=3": the entry's name, then its keys.
LatentOptions latent_from(const std::string& text) {
  std::istringstream words(text);
  LatentOptions latent;
  words >> latent.name;
  Parameters::Values given;
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos)
      throw ConfigError(fmt::format("study.latents: {}: '{}' must be key=value, as in gaussian scale=3", text, word));
    given[word.substr(0, equals)] = {word.substr(equals + 1)};
  }
  latent.values = in_section("latent", [&] {
    const auto& entry = find_latent(latent.name);
    return Parameters(entry.name, entry.parameters, given).values();
  });
  return latent;
}

/// The schedule is the gradient flow's alone: the other curves come once for each latent law.
std::vector<Combination> combinations_of(const Options& options) {
  struct NamedLatent {
    std::string text;
    LatentOptions options;
  };
  std::vector<NamedLatent> latents;
  for (const auto& text : options.study.latents) latents.push_back({text, latent_from(text)});
  if (latents.empty()) {
    std::string text = options.latent.name;
    for (const auto& [key, lines] : options.latent.values)
      if (!lines.empty()) text += fmt::format(" {}={}", key, lines.front());
    latents.push_back({text, options.latent});
  }
  const auto schedules = options.study.schedules.empty() ? std::vector{options.curve.schedule} : options.study.schedules;
  std::vector<Combination> all;
  for (const auto& latent : latents)
    for (const auto curve : options.study.curves)
      for (const auto schedule : schedules) {
        const bool has_schedule = curve == CurveName::gradient_flow;
        if (!has_schedule && schedule != schedules.front()) continue;
        Combination one{latent.text, has_schedule ? std::string(name_of(schedule)) : "-", std::string(name_of(curve)), options};
        one.options.latent = latent.options;
        one.options.curve.name = curve;
        if (has_schedule) one.options.curve.schedule = schedule;
        all.push_back(std::move(one));
      }
  return all;
}

Table empty_table() {
  std::vector<Column> columns = {{"latent", "text", Texts()}, {"schedule", "text", Texts()}, {"curve", "text", Texts()}};
  for (const auto& measure : measures()) columns.push_back(measure.column);
  columns.push_back({"error", "text", Texts()});
  return {"ablation", columns};
}

void add_row(const Run& run, Table& table, const Combination& of, const std::string& error) {
  std::vector<Cell> row = {of.latent, of.schedule, of.curve};
  Numbers evaluation;
  on_root(run.world(), [&] {
    if (error.empty()) evaluation = evaluation_numbers(run.output(of.folder()) / "evaluation.json");
  });
  for (const auto& measure : measures()) row.emplace_back(measure.of(evaluation));
  row.emplace_back(error);
  table.add(std::move(row));
}

ExitCode ablation(Run& run) {
  if (run.options().target.name.empty())
    throw ConfigError("study ablation: target.name is not set; give a configuration, or --target.name; see: boltzcurve list targets");
  const auto combinations = combinations_of(run.options());
  run.take_output_folder();
  auto table = empty_table();
  std::size_t failures = 0;
  for (const auto& one : combinations) {
    run.say(fmt::format("== {} of {}: latent {}, schedule {}, curve {}", table.rows() + 1, combinations.size(), one.latent, one.schedule,
                        one.curve));
    std::string error;
    try {
      if (const auto stop = measured_run(run, one.folder(), one.options); stop != Stop::no) return interrupted_study(run, stop);
    } catch (const Error& failure) {
      // What does not work is a result; what cannot be written is not.
      if (failure.code() != ExitCode::usage && failure.code() != ExitCode::numerical_failure) throw;
      error = failure.what();
      ++failures;
      run.say("failed: " + error);
    }
    add_row(run, table, one, error);
    write_study(run, "ablation", {&table});
  }
  run.say(
      fmt::format("{}{} of {} combinations failed: {}", table.csv(), failures, combinations.size(), run.output("ablation.csv").string()));
  return ExitCode::done;
}

}  // namespace

StudyEntry ablation_study() {
  return {"ablation", "trains every latent law with every schedule and curve, and measures each: one table", ablation};
}

}  // namespace boltzcurve
