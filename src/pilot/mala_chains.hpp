#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/views.hpp>
#include "core/named_array.hpp"
#include "energy/pilot_summary.hpp"
#include "pilot/scale_fit.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace boltzcurve {

/// Temperature of chain `layer` of `layers` of the point of index i: half of the chains of every chunk of points stay below hottest^(1/4),
/// the rest spread up to `hottest`.
double chain_temperature(double hottest, int layers, int layer, std::int64_t i);

/// A population that walks on the target by the Metropolis-adjusted Langevin algorithm (Roberts and Tweedie, Bernoulli 2, 1996),
///
///     y' = y - (e/T) grad f(y) + sqrt(2 e) n,    accepted with probability min(1, exp((f(y) - f(y'))/T) q(y|y')/q(y'|y)),
///
/// each chain with its own step e, which follows its rate of acceptance towards 0.574 (the optimum of Roberts and Rosenthal, J. R. Stat.
/// Soc. B 60, 1998), and its own temperature T between 1 and `hottest`: the hot ones visit what lies between modes and on their flanks.
///
/// Chains say where the target's mass can be, not how much is where: they start uniformly in a box and thermalize in every basin that they
/// meet, so a mode's share of them is not its weight.
///
/// There are four chains for every point of a batch, fewer for large batches; a rank owns those of its shard of points. A chain is a
/// function of seed and global index, whatever the number of ranks.
class MalaChains {
 public:
  /// Enough for any target; more would only take memory and time.
  static constexpr std::int64_t enough = 32768;

  struct Settings {
    Domain box;  ///< where they start
    std::int64_t points = 0;
    double hottest = 3;
    std::uint64_t seed = 1;
  };

  /// Collective, like all members that move chains. The target must outlive them.
  MalaChains(const Communicator& ranks, const Settings& settings, const Energy& target);

  /// From their start to a state like equilibrium: downhill until the slope is one that thermal motion has, then `rounds` moves of all.
  /// Throws InputError where the target's energy is finite nowhere in the box.
  void thermalize(int rounds = 300);

  /// What they show of scales that follow coordinates, in the coordinates `map` leads to, with the gradient of `target` there.
  ThermalPoints thermal_points(const Energy& target, const ScaleMap& map) const;

  /// Goes on in coordinates `to` of those that `from` leads to as well, where the energy is `target`, which must outlive them; `rounds`
  /// moves of all. Without any: where they are now is of no interest, for a state is to be restored.
  void change_coordinates(const ScaleMap& from, const ScaleMap& to, const Energy& target, int rounds);

  /// In every fourth step of training, one move of a quarter of them.
  void move(std::int64_t step);

  /// Of the chains of all ranks, the same for any number of ranks. Collective.
  PilotSummary pilot_summary() const;

  /// Where they are: "walkers/position" [chains][D] and "walkers/step" [chains][1] of all ranks, by global index, which is the same for
  /// any number of ranks. On rank 0; elsewhere nothing. Collective.
  std::vector<NamedArray> state() const;

  /// Goes on from a state(), which every rank has whole, in place of thermalize(). Throws InputError where it is of other chains.
  void restore(std::span<const NamedArray> state);

  /// Coordinate k of chain `layer` of this rank's point i.
  double operator()(int layer, std::int64_t i, int k) const { return host_position_(row(layer, i), static_cast<std::size_t>(k)); }

  /// Temperature of chain `layer` of this rank's point i: that of its place in its chunk, the same in all of them.
  double temperature(int layer, std::int64_t i) const;

  /// Chains for every point.
  int layers() const { return layers_; }

  /// Share of accepted moves in the last move or round, over all ranks. Collective.
  double acceptance() const;

 private:
  std::size_t row(int layer, std::int64_t i) const { return static_cast<std::size_t>(layer * shard_.count + i); }
  void start();
  void move_all(int rounds);
  void show_host() { Kokkos::deep_copy(host_position_, position_); }

 public:  // for members that have kernels nvcc asks for it; nobody else calls them
  void descend();
  void choose_steps();
  void move_rows(std::size_t first, std::size_t count, std::uint64_t stage);

 private:
  Communicator ranks_;
  Settings settings_;
  const Energy* target_;
  Shard shard_;
  std::uint64_t settling_rounds_ = 0;
  int layers_;
  Points<double> position_, energy_;  ///< [chains][D], [chains][D+2]; the Laplacian is that of the last descent, moves leave it behind
  MirrorOf<Points<double>> host_position_;
  Points<double> trial_, trial_energy_;
  PointScalars<double> step_, temperature_;
  Kokkos::View<int*> accepted_;
};

}  // namespace boltzcurve
