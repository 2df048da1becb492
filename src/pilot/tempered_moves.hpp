#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/shard.hpp>
#include "pilot/reference_law.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace boltzcurve {

/// One rank's particles and Hamiltonian Monte Carlo (HMC) moves of them that leave exp(-f_b) alone, f_b = (1-b) f_0 + b f_D, between a
/// reference law f_0 and the target f_D (Neal, "MCMC using Hamiltonian dynamics", 2011). Momenta are normal in coordinates that a metric
/// L L^T whitens: x += e L p, p -= e L^T grad f_b. Where f_D or its gradient is not finite a trajectory stops, and is rejected. Not
/// collective.
class TemperedMoves {
 public:
  /// Particles by global index: numbers are a function of (seed, stage, global index), so not of the number of ranks.
  TemperedMoves(const Energy& target, const ReferenceLaw& reference, Shard shard, std::uint64_t seed);

  /// Places every particle at a draw of the reference law; `stage` names its random numbers.
  void draw_reference(std::uint64_t stage);
  /// Places them: x [count][D], of this rank's particles.
  void place(std::span<const double> x);
  /// Particle i becomes what particle parents[i] was, both of this rank.
  void resample(std::span<const std::int64_t> parents);

  /// The metric's factor L [D][D], lower triangle; of the broad law's particles where the reference law has modes.
  void set_metric(std::span<const double> factor);

  /// A move of `leaps` leapfrog steps whose length is drawn for each particle, log-uniformly from [step/4, step], or, of a quarter of the
  /// particles, from [step/256, step]: short ones are what moves particles where the target is stiff. `stage` names its random numbers.
  ///
  /// Of a reference law with modes, each particle moves by the metric of its component c, drawn by the responsibilities r_c(x) = w_c N(x;
  /// c) / q_0(x): L_c L_c^T of a mode, the given one of the broad law. That is HMC of exp(-f_b(x)) r_c(x) at this c, so r_c(x') / r_c(x)
  /// is a factor of the acceptance.
  /// Returns the number of accepted moves.
  std::int64_t move(double b, double step, int leaps, std::uint64_t stage);

  /// What moves have to forget, [count][D + 1]: s / sqrt(1 + s^2) of the whitened slopes s = L^T grad f_b, and f_b; zeros where f_D is not
  /// finite. Slopes, since coordinates remember their mode for ever, and the slope of a normal law is its whitened coordinate.
  std::vector<double> features(double b);

  /// L_0^-1 (x - m_0) [count][D], x [count][D], gradient of f_D [count][D], f_D [count] and f_0 - f_D [count], -infinity where f_D is not
  /// finite.
  std::vector<double> whitened() const;
  std::vector<double> position() const;
  std::vector<double> gradient() const;
  std::vector<double> energy() const;
  std::vector<double> log_ratio() const;

  std::int64_t count() const { return shard_.count; }
  int dimension() const { return D_; }
  std::int64_t evaluations() const { return evaluations_; }  ///< of value and gradient by this rank

 public:  // for members that have kernels nvcc asks for it; nobody else calls them
  enum class Kick { features, half, whole };
  void kick(double b, Kick kick, bool drift);
  void evaluate();
  void begin_move(double b, double step, std::uint64_t stage);
  std::int64_t end_move(double b);
  void draw_reference_points(std::uint64_t stage);

 private:
  std::vector<double> rows(const Points<double>& from, std::size_t first_column, std::size_t columns) const;

  const Energy* target_;
  Shard shard_;
  std::uint64_t seed_;
  int D_;
  std::int64_t evaluations_ = 0;
  int components_;                                                  ///< C of the reference law
  std::vector<double> factors_;                                     ///< of the metrics [C][D][D]
  Kokkos::View<double*> mean_, factor_, whitening_, metric_;        ///< m_c [C*D]; L_c, L_c^-1 [C*D*D] and metrics [C*D*D]
  Kokkos::View<double*> log_weight_, cumulative_;                   ///< [C] log w_c / sqrt(det 2 pi L_c L_c^T), sums of w_c
  Points<double> component_;                                        ///< [rows][C] log w_c N(x; c)
  Points<double> position_, energy_, momentum_, whitened_, slope_;  ///< [rows][D], energy_ [rows][D+1]; rows: whole tiles
  Points<double> kept_position_, kept_energy_;                      ///< where a move began
  PointScalars<double> reference_energy_, kept_reference_energy_;   ///< f_0
  PointScalars<double> step_, threshold_, hamiltonian_;             ///< of a move
  Kokkos::View<int*> chosen_;                                       ///< component of a move
  Kokkos::View<int*> lost_, accepted_;                              ///< trajectories that met no finite energy
};

/// Particles after moves, of all ranks.
struct Moved {
  std::vector<double> position, gradient, energy;  ///< [n][D], [n][D] and [n]
  std::int64_t evaluations = 0;                    ///< of value and gradient by all ranks
};

/// `rounds` moves at b = 1 of the particles x [n][D], whose global indices begin at `first`, by the metric L L^T; numbers of round r are
/// those of stage `stage` + r. The same bits for any number of ranks. Collective.
Moved moved_at_target(const Communicator& ranks, const Energy& target, std::span<const double> x, std::int64_t first,
                      const std::vector<double>& metric, double step, int leaps, int rounds, std::uint64_t seed, std::uint64_t stage);

}  // namespace boltzcurve
