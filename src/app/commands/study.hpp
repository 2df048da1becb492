#pragma once

#include <boltzcurve/error.hpp>
#include "app/process/run.hpp"

#include <string>
#include <vector>

namespace boltzcurve {

/// An analysis that runs by itself: `boltzcurve study NAME`. A new one is one file in src/app/commands/studies that defines such an entry
/// and one line in the list of src/app/commands/study.cpp; what it varies stands in [study].
struct StudyEntry {
  std::string name, summary;
  ExitCode (*perform)(Run& run);  ///< collective; writes tables into the output folder (see study_table.hpp)
};

const std::vector<StudyEntry>& study_entries();

}  // namespace boltzcurve
