#pragma once

#include "app/commands/studies/line_cases.hpp"
#include "app/commands/studies/network_speed.hpp"

#include <functional>
#include <string>
#include <vector>

namespace boltzcurve {

/// Does `look` at the networks of every folder of study.runs, and, with study.networks, of every case and every curve of study.curves,
/// which are trained in networks/distanceD_CURVE. Throws ConfigError where a case has no target to train for. Returns why it was
/// interrupted.
Stop for_each_network(Run& run, const std::vector<StudyCase>& cases,
                      const std::function<void(double distance, const std::string& folder, const TrainedRun& trained)>& look);

}  // namespace boltzcurve
