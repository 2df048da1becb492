#pragma once

#include "collocation/time_bins.hpp"
#include "curve/curve.hpp"
#include "metrics/evaluation.hpp"
#include "metrics/findings.hpp"
#include "metrics/metric_input.hpp"

#include <string>
#include <vector>

namespace boltzcurve {

/// What is looked at for a diagnosis.
struct DiagnosisInput {
  const MetricInput& metrics;
  const std::vector<EvaluatedMetric>& evaluation;  ///< of the same particles
  CurveName curve_name = CurveName::gradient_flow;
  const Curve& curve;
  const ScaleMap& coordinates;  ///< from those of the curve to those of the particles
  Moments latent;
  double mode_width;   ///< squared width of the target's modes [length^2]
  TimeBins time_bins;  ///< residuals of the training
};

/// What is wrong, worst first, as codes and in words with its likely cause and what may help. Where nothing is, no code, and one text that
/// says what was looked at; where ESS is low for no reason that shows, that.
struct Diagnosis {
  std::vector<Finding> findings;
  std::vector<std::string> texts;

  bool operator==(const Diagnosis&) const = default;
};

/// The same on every rank and for any number of ranks. Collective.
///
/// Signatures, each an entry in the table of src/app/commands/diagnosis.cpp:
///   failed particles        any: how many, of what kind, between which times, how many where the target's density is very low, and where
///                           the first of them was last
///   stray samples           any exact samples, or points of the pilot's population, that the flow does not carry back to the latent law,
///                           so that there is no forward ESS: how many, and where
///   lost modes              a mode with less than a fifth of its particles, or a forward ESS below half of the ESS
///   exploding velocity      action above ten times what is needed: by straight paths at constant speed between independent ends, which is
///                           E|x - z|^2 over the duration, or on the linear and the learned curve by a latent law of deviations s that
///                           contracts to modes of squared width c, which is the sum of s^4/(8 c)
///   unconverged residual    ESS below 0.9, and a path gathers 0.2 nats or more of |R|: by times
///   disagreements           halves of the pilot's population, particles and population, or particles and what is known of the target
///                           differ by more than five standard errors
///   too few effective       ESS times the particles is below ten
Diagnosis diagnose(const DiagnosisInput& input);

/// Whether the halves of the pilot's population differ by more than chance explains, and what to say then.
bool is_doubtful(const PilotSummary& pilot);
std::string pilot_doubt(const PilotSummary& pilot);

}  // namespace boltzcurve
