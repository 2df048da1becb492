#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/sampling.hpp>

#include <cstdint>
#include <vector>

namespace boltzcurve {

/// Annealed flow transport (Arbel, Matthews, Doucet, arXiv 2102.07501; Matthews et al., arXiv 2201.13117) of a batch of whole islands:
/// particles are carried by the flow from density to density of its path, log w = -f_t(x) - log q along the way; where an island's weights
/// have become uneven it is resampled, after which all of it has the mean weight; then HMC moves leave exp(-f_t) alone, and with it the
/// weights, so that log q is from then on what stands for it: -f_t(x) - log w. The mean of w is an unbiased estimate of Z, whatever the
/// flow, since nothing here adapts to the particles: plan() did, on others. Random numbers are functions of seed, global index, stage and
/// island.
class AnnealedFlow {
 public:
  /// The flow must outlive it. Needs its density.
  AnnealedFlow(const Flow& flow, const SamplingSettings& settings, std::uint64_t seed) : flow_(flow), settings_(settings), seed_(seed) {}

  /// A dry run with few particles: whether the flow alone is good enough, else the times of legs, the densities that lead from the path's
  /// end to the target, and metric and step length of the moves at each. Collective; every rank gets the same, whatever their number.
  SamplingPlan plan(const Communicator& ranks) const;

  /// Particles of `batch`, which is as room_for_particles() makes it, at the start, then through all stages of a plan, weighed: all columns
  /// and frames, in the coordinates of the flow. Not collective.
  void draw(const SamplingPlan& plan, Particles& batch) const;

 private:
  class DryRun;

  void start(Particles& batch) const;
  void carry(double from, double to, Particles& batch) const;
  void weigh(const SamplingStage& stage, Particles& batch) const;
  std::int64_t move(const SamplingStage& stage, std::uint64_t numbers, int moves, Particles& batch) const;
  void resample_islands(std::uint64_t stage, Particles& batch) const;

  const Flow& flow_;
  const SamplingSettings& settings_;
  std::uint64_t seed_;
};

}  // namespace boltzcurve
