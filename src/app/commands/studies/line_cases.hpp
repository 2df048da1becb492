#pragma once

#include "app/options/options.hpp"
#include "studies/line_curve.hpp"

#include <memory>
#include <vector>

namespace boltzcurve {

/// One target at one distance of its modes, as a study looks at it.
struct StudyCase {
  double distance;  ///< NaN where the target knows no modes
  Options options;  ///< without a target's name: f_0 = |x| and f_1 = min(|x|, |x - distance|) on the line
};

/// One case for every study.distances: of the pair of peaks, by default at 5, 10, 20 and 40, or of the target with this target.distance.
/// A target without such a key is one case, at the largest distance between its modes. Throws ConfigError.
std::vector<StudyCase> study_cases(const Options& options);

/// The two ends of a case on the line, and the laws they come from.
struct LineEnds {
  std::unique_ptr<Energy> latent_law, target_law;  ///< null for the pair of peaks
  LineEnergy latent, target;
};

/// Null where the target is not on the line.
std::unique_ptr<LineEnds> line_ends(const Options& options, double distance);

/// Whether everything is known of a curve on the line: of the linear one and the gradient flow.
bool has_exact_curve(CurveName name);

/// Such a curve; the gradient flow to a Gaussian latent law by quadrature, to others by finite volumes, which takes a second.
std::unique_ptr<LineCurve> exact_curve(const LineEnds& ends, const Options& options, CurveName name);

}  // namespace boltzcurve
