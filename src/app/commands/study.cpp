#include "app/commands/study.hpp"
#include "app/commands/commands.hpp"
#include "core/suggestion.hpp"

#include <fmt/format.h>

// The list, one line an entry. Each names a function, defined in the study's own file (studies/), that returns the entry.
#define BOLTZCURVE_STUDIES(ENTRY) \
  ENTRY(velocity_explosion_study) \
  ENTRY(action_study)             \
  ENTRY(ablation_study)

namespace boltzcurve {

#define BOLTZCURVE_DECLARE_STUDY(name) StudyEntry name();
#define BOLTZCURVE_CALL_STUDY(name) name(),

BOLTZCURVE_STUDIES(BOLTZCURVE_DECLARE_STUDY)

const std::vector<StudyEntry>& study_entries() {
  static const std::vector<StudyEntry> entries{BOLTZCURVE_STUDIES(BOLTZCURVE_CALL_STUDY)};
  return entries;
}

ExitCode study(Run& run) {
  const auto& wanted = run.request().argument;
  std::vector<std::string> names;
  for (const auto& entry : study_entries()) {
    if (entry.name == wanted) {
      if (run.request().validate) throw ConfigError("command line: --validate is for run, train, sample and evaluate, not for study");
      return entry.perform(run);
    }
    names.push_back(entry.name);
  }
  if (wanted.empty()) throw ConfigError("command line: study needs the name of one; see: boltzcurve list studies");
  throw ConfigError(fmt::format("command line: unknown study '{}'; did you mean {}?", wanted, nearest_name(wanted, names)));
}

}  // namespace boltzcurve
