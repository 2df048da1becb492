#include "app/commands/studies/network_cases.hpp"

#include <boltzcurve/error.hpp>

#include <fmt/format.h>

namespace boltzcurve {

Stop for_each_network(Run& run, const std::vector<StudyCase>& cases,
                      const std::function<void(double distance, const std::string& folder, const TrainedRun& trained)>& look) {
  for (const auto& folder : run.options().study.runs) {
    const auto trained = finished_run(run, folder);
    look(study_cases(trained.options).front().distance, folder, trained);
  }
  if (!run.options().study.networks) return Stop::no;
  for (const auto& of : cases) {
    if (of.options.target.name.empty())
      throw ConfigError(
          "study.networks = yes: networks learn a target; name one, such as --target.name=asymmetric-two --target.dimension=1");
    for (const auto curve : run.options().study.curves) {
      auto options = of.options;
      options.curve.name = curve;
      // Compared with quadrature of the curve in the target's own coordinates, which the form network does not keep to.
      if (options.curve.form == CurveForm::automatic) options.curve.form = CurveForm::contracted;
      const auto folder = fmt::format("networks/distance{:g}_{}", of.distance, name_of(curve));
      const auto trained = trained_run(run, folder, std::move(options));
      if (trained.stop != Stop::no) return trained.stop;
      look(of.distance, folder, trained);
      if (const auto stop = run.stop().agree().stop; is_interruption(stop)) return stop;
    }
  }
  return Stop::no;
}

}  // namespace boltzcurve
