#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>
#include "core/named_array.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace boltzcurve {

/// Equally weighted points of the target that matching starts from, in the coordinates of the curve, with the gradient of the target's
/// energy there: the whole population on every rank, in the same order.
struct CurvePopulation {
  std::int64_t dimension = 1;
  std::vector<double> position, gradient;  ///< [N][D] each; both are finite
  std::vector<double> island;              ///< [N] of the ancestors, which run_population() keeps apart; empty: unknown
  double step = 0;                         ///< of leapfrogs that suit a white population; 0: it does not move
  int leaps = 1;                           ///< of a move

  std::int64_t count() const { return static_cast<std::int64_t>(position.size()) / dimension; }

  /// As a checkpoint keeps it, and from there. Throws InputError, and stays as it is, where points or gradients are missing, of another
  /// shape, none at all, or not finite.
  std::vector<NamedArray> state() const;
  void restore(std::span<const NamedArray> state);

  /// To be called once for every step of training: in every tenth, a sixteenth of the population makes one HMC move that leaves exp(-f) of
  /// `target`, in the coordinates of the curve, alone, so that what is learned from grows with the training. Collective; the same bits for
  /// any number of ranks.
  void move(const Communicator& ranks, const Energy& target, std::uint64_t seed, std::int64_t training_step);
  /// Evaluations of value and gradient that the first `steps` steps of training cost.
  double evaluations_of_moves(std::int64_t steps) const;

  static bool is_in(std::span<const NamedArray> state);
};

}  // namespace boltzcurve
