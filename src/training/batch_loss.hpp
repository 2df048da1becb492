#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/error.hpp>
#include <boltzcurve/precision.hpp>
#include "collocation/collocation.hpp"
#include "curve/curve.hpp"
#include "parallel/reproducible_sum.hpp"
#include "pilot/curve_population.hpp"
#include "training/training_state.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace boltzcurve {

/// The point of a batch where the residual is not finite (or, if all are, largest in magnitude).
struct WorstPoint {
  std::int64_t index = -1;  ///< within the batch, over all ranks
  double t = 0, residual = 0;
  std::vector<double> x;

  /// Takes the place of this one where it is worse: row `i` of `points` is its x.
  template <class Rows>
  void take(const WorstPoint& other, const Rows& points, std::size_t i) {
    if (index >= 0 && other.badness() <= badness()) return;
    *this = other;
    for (std::size_t k = 0; k < points.extent(1); ++k) x.push_back(static_cast<double>(points(i, k)));
  }
  double badness() const { return std::isfinite(residual) ? std::fabs(residual) : std::numeric_limits<double>::infinity(); }
};

/// The worst of every rank's worst, in D dimensions; at a tie the lowest rank's. Collective.
WorstPoint worst_of_all_ranks(const Communicator& ranks, const WorstPoint& mine, int dimension);

/// Points that were left out because the energies there are not finite.
struct LeftOut {
  std::int64_t points = 0;
  double t = 0;           ///< of one of them, as x; unless there is none
  std::vector<double> x;  ///< [D], where the target's energy counts for it (see CurveEnergies), in the coordinates of the curve
};

/// The mean loss of a curve's residual (see ResidualKernel) over a batch that all ranks share, and its gradient. Every rank works on its
/// shard of whole chunks, block by block, so that memory does not grow with the batch. Every function is collective.
///
/// Where the curve's energies are not finite (they are so where the target's is NaN, not behind walls), a point is left out, and another of
/// its chunk counts twice: the mean is then over the points where the energies are known. Not where this is a quarter of a chunk or more:
/// then there is no loss.
class BatchLoss {
 public:
  virtual ~BatchLoss() = default;

  struct Result {
    bool finite = false;           ///< else neither loss nor gradient
    double loss = 0;               ///< mean over the batch, in squared units of the residual
    std::vector<double> gradient;  ///< [parameters]
  };

  /// At the collocation points of step `step`; steps are asked for in their order, and one may be repeated. The same bits for any number of
  /// ranks if the reduction is reproducible. The result stays until the next call.
  virtual const Result& evaluate(const std::vector<double>& parameters, std::int64_t step) = 0;

  /// Over all ranks and the steps with a loss since this was called last.
  virtual LeftOut take_left_out() = 0;

  /// For the report after a failure.
  virtual WorstPoint worst_point(const std::vector<double>& parameters, std::int64_t step) = 0;

  /// What the steps so far have left behind: quanta of the sum; in the bins of the clock, as it is after the last step, what residuals were
  /// seen (all steps count where times or the normalizer follow from it, else one in sixteen); the chains, and the parameters that
  /// trajectories were drawn with (on rank 0). Collective.
  virtual LossState state() const = 0;
  /// Goes on from such a state, of which every rank has all; without one chains are where they are, and the first step draws trajectories.
  /// Where something is missing or of another shape, throws InputError, or, if that of the points is and they can begin anew, returns false
  /// unless `points_must_fit`. Collective.
  virtual bool restore(const LossState& state, bool points_must_fit = true) = 0;
  /// As of the last step.
  virtual const TimeBins& time_bins() const = 0;

  /// Bytes that a rank holds for its points and for one team's scratch.
  virtual std::int64_t memory_bytes() const = 0;
};

/// Errors of `work`, which restores a part of a state, say of which.
template <class Work>
void named_part(const char* part, const Work& work) {
  try {
    work();
  } catch (const InputError& error) {
    throw InputError(part + ("/" + std::string(error.what())));
  }
}

/// Points that a rank holds at a time.
inline constexpr std::int64_t block_points = std::int64_t{64} * chunk_points;

/// body(first, n) for every block of a rank's shard, by global index.
template <class Body>
void for_each_block_of(const Shard& shard, const Body& body) {
  for (std::int64_t begin = 0; begin < shard.count; begin += block_points)
    body(shard.first + begin, std::min(block_points, shard.count - begin));
}

/// What a batch loss is made of. The energies must outlive it.
struct BatchLossSettings {
  std::shared_ptr<const Curve> curve;
  CollocationSettings collocation;
  CollocationRegion region;
  LossShape loss;
  bool normalizer_by_batches = false;  ///< C is the level of the time bins; for curves of which d_t f_t is the first known row
  std::uint64_t seed = 1;
  Reduction reduction = Reduction::reproducible;
  std::shared_ptr<MalaChains> chains;           ///< for the collocation kind `langevin`
  std::shared_ptr<CurvePopulation> population;  ///< for matching, and in place of chains where there are none
  bool at_target = false;                       ///< matching at t = 0 alone, where its goals are exact
};

std::unique_ptr<BatchLoss> make_batch_loss(Precision precision, const Communicator& ranks, const BatchLossSettings& settings,
                                           const Energy& target, const Energy& latent);

}  // namespace boltzcurve
