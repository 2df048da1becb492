#pragma once

#include <boltzcurve/energy.hpp>
#include "app/options/options.hpp"
#include "collocation/collocation.hpp"
#include "curve/curve.hpp"
#include "training/batch_loss.hpp"
#include "training/optimizer.hpp"

#include <memory>

namespace boltzcurve {

/// What the options describe: the two ends, the curve between them with its networks, where its residual is asked for and how it is made
/// small.
struct Problem {
  std::unique_ptr<Energy> target, latent;
  ScaleMap coordinates;                   ///< from those in which the curve runs to the target's own
  std::unique_ptr<Energy> mapped_target;  ///< the target in the curve's coordinates, where they are others
  CurveName curve_name = CurveName::gradient_flow;
  CurveInput curve_input;
  std::shared_ptr<const Curve> curve;
  Domain box;  ///< in which points and chains start, in the target's own coordinates
  CollocationRegion region;
  std::unique_ptr<Optimizer> optimizer;
  Precision precision = Precision::single_precision;

  /// The target that the curve leads to, in its coordinates; `target` is what the user gave.
  const Energy& curve_target() const { return mapped_target ? *mapped_target : *target; }

  int dimension() const { return curve->dimension(); }
  const CurveNetworks& networks() const { return curve->networks(); }
};

/// Everything but what follows from a pilot run: until adapt(), the curve is that of a target like the latent law. Networks have
/// their final shapes.
Problem make_problem(const Options& options);

/// Makes the curve anew, with what the pilot run found, in the coordinates that it found.
void adapt(Problem& problem, const PilotSummary& pilot);

/// Chains at their start, to be thermalized on the target or taken from a state.
std::shared_ptr<MalaChains> make_chains(const Communicator& ranks, const Options& options, const Problem& problem);

/// Has chains that are at their start thermalize on the target, in the coordinates that the problem has now. Collective.
void thermalize(MalaChains& chains, const Problem& problem);

/// Chains that have thermalized on the target, and what they have found: for adapt(), which is done, and for training. Collective.
struct Pilot {
  std::shared_ptr<MalaChains> chains;
  PilotSummary summary;
};
Pilot run_pilot(const Communicator& ranks, const Options& options, Problem& problem);

}  // namespace boltzcurve
