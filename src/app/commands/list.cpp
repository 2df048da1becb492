#include <boltzcurve/registry.hpp>
#include "app/commands/commands.hpp"
#include "app/commands/study.hpp"
#include "app/options/completion.hpp"
#include "core/suggestion.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

std::string line(std::string_view name, std::string_view meaning) { return fmt::format("  {:<18}  {}\n", name, meaning); }

template <class Entries>
std::string lines_of_entries(const Entries& entries) {
  std::string text;
  for (const auto& entry : entries) text += line(entry.name, entry.summary);
  return text;
}

template <class Enum>
std::string lines_of_choices() {
  std::string text;
  for (const auto& choice : choices<Enum>) text += line(choice.name, choice.meaning);
  return text;
}

struct Topic {
  std::string name, key;  ///< `key` of the configuration that chooses
  std::string (*lines)();
};

const std::vector<Topic>& topics() {
  static const std::vector<Topic> all = {
      {"targets", "target.name", [] { return lines_of_entries(target_entries()); }},
      {"latents", "latent.name", [] { return lines_of_entries(latent_entries()); }},
      {"curves", "curve.name", lines_of_choices<CurveName>},
      {"schedules", "curve.schedule", lines_of_choices<Schedule>},
      {"clocks", "curve.clock", lines_of_choices<CurveClock>},
      {"forms", "curve.form", lines_of_choices<CurveForm>},
      {"coordinates", "curve.coordinates", lines_of_choices<Coordinates>},
      {"networks", "network.kind", lines_of_choices<NetworkKind>},
      {"first-layers", "network.first-layer", lines_of_choices<FirstLayer>},
      {"losses", "training.loss", lines_of_choices<TrainingLoss>},
      {"residual-units", "training.residual-unit", lines_of_choices<ResidualUnit>},
      {"normalizers", "normalizer.kind", lines_of_choices<NormalizerKind>},
      {"collocations", "collocation.kind", lines_of_choices<CollocationKind>},
      {"times", "collocation.times", lines_of_choices<TimeDensity>},
      {"optimizers", "optimizer.name", lines_of_choices<OptimizerName>},
      {"decays", "optimizer.decay", lines_of_choices<LearningRateDecay>},
      {"studies", "boltzcurve study NAME", [] { return lines_of_entries(study_entries()); }},
  };
  return all;
}

}  // namespace

ExitCode list(Run& run) {
  const auto& wanted = run.request().argument;
  std::vector<CommandDescription> descriptions;
  for (const auto& command : commands()) descriptions.push_back(command.description);
  std::vector<std::string> names = {"reference", "completion"};
  if (wanted == "reference" || wanted == "completion") {
    for (const auto& topic : topics()) names.push_back(topic.name);
    run.say(wanted == "reference" ? options_reference() : bash_completion(descriptions, names));
    return ExitCode::done;
  }
  std::string text;
  for (const auto& topic : topics()) {
    names.push_back(topic.name);
    if (wanted.empty()) text += fmt::format("{} ({})\n", topic.name, topic.key);
    if (wanted.empty() || wanted == topic.name) text += topic.lines();
  }
  if (text.empty())
    throw ConfigError(fmt::format("command line: unknown topic '{}'; did you mean {}?", wanted, nearest_name(wanted, names)));
  text.pop_back();
  run.say(text);
  return ExitCode::done;
}

}  // namespace boltzcurve
