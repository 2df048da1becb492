#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace boltzcurve {

struct PopulationSettings {
  std::int64_t particles = 8192;
  std::int64_t island = 512;  ///< particles that are resampled among themselves; the last island may be smaller
  std::uint64_t seed = 1;
  std::optional<Domain> box;     ///< where descents to the reference law start; the target's domain unless given
  double widening = 2;           ///< of the reference law's deviations, see ReferenceSettings
  int runs = 6;                  ///< at most, small ones included, see run_population(); 1: only from what descents say
  std::vector<double> starts{};  ///< [n][D], points to descend from as well
  double ess = 0.9;              ///< conditional effective sample size, as a fraction, of a step in b
  double forgotten = 0.5;        ///< moves go on until no feature's correlation with its start of the stage exceeds this
  int moves = 8;                 ///< at most, of a stage
  int leaps = 16;                ///< leapfrog steps of a move, at most
  double acceptance = 0.75;      ///< that step sizes aim at
  double max_seconds = 0;        ///< if positive, stages that begin later are longer (conditional ESS 0.5) and have one move only
};

/// Draws of a target with its partition function: the result of run_population(), whole and the same on every rank.
struct Population {
  std::vector<double> position;      ///< [N][D], equally weighted
  std::vector<double> gradient;      ///< [N][D] of f_D there
  std::vector<double> energy;        ///< [N] f_D
  std::vector<std::int64_t> island;  ///< [N], of the draw's ancestors
  double log_z = 0;                  ///< of the mean of the islands' Z, which is unbiased but for what adapts (see run_population())
  double log_z_stderr = 0;           ///< jackknife over islands; NaN with one
  std::vector<double> island_log_z;  ///< [islands]; -infinity where an island met no finite energy
  std::vector<double> run_log_z;     ///< [runs] of every run, small ones first, the last one log_z
  std::vector<double> mode_weight;   ///< of the modes that descents know, in the last run's reference law
  std::vector<double> temper;        ///< b of every stage of the last run, the last one 1
  std::vector<double> acceptance;    ///< share of accepted moves of every stage
  std::vector<int> moves;            ///< of every stage
  std::int64_t evaluations = 0;      ///< of value and gradient by all ranks, descents and all runs included
  double seconds = 0;                ///< wall time of rank 0
  /// Largest z-score between the even and the odd islands, over log Z and the means of all coordinates, errors from the islands' spread.
  /// With 8 islands a half or more, chance alone exceeds 5 in one of 500 runs for D = 10 (Student's t with 14 degrees of freedom, D + 1
  /// comparisons). NaN with fewer than four islands.
  double disagreement = 0;
  std::vector<double> metric;  ///< L [D][D] of the last stage's moves, with their
  double step = 0;             ///< step size and
  int leaps = 1;               ///< number of leapfrog steps
};

/// Adaptive tempered sequential Monte Carlo (SMC, annealed importance sampling with resampling: Del Moral, Doucet, Jasra 2006; Neal 2001):
/// the pilot run that finds where a target's mass is, with the right weights between its modes.
///
/// Particles are drawn from a mixture q_0 = exp(-f_0) of a broad normal law and one for every mode that descents have found
/// (reference_law.hpp), so that narrow modes have particles from the beginning, and follow f_b = (1-b) f_0 + b f_D from b = 0 to 1, which
/// has a finite integral for every tail of the target. A stage (1) raises b until the conditional ESS of exp(-db (f_D - f_0)), over all
/// particles, falls to `ess`; (2) multiplies the islands' Z by the mean of those weights and resamples, systematically, within the island;
/// (3) moves the particles by HMC (tempered_moves.hpp) with the population's covariance as metric, step sizes that follow the acceptance
/// and as many moves as it takes to forget where they were. At b = 1 all are resampled by weights and islands' Z, and move.
///
/// Small runs of an eighth of the particles come first, from the broad law alone. Descents from their particles at small b find basins that
/// starts in the box miss; where the population turns out half as wide again, in any direction, as the law that q_0 was widened from,
/// another small run begins from the population's mean and covariance, and not from the mode where descents know only one. They stop when
/// neither happens, or after three. Then all particles run, and again while the population is too wide for q_0 or log Z is further than
/// three errors from that of the run before (or, where modes are known that the small run did not begin from, below it). The last run's
/// result counts.
///
/// What no particle reaches shows neither in the islands' spread nor in `disagreement`: modes far narrower than others in many dimensions,
/// or the neck of a funnel in coordinates that are not its own (scale_fit.hpp finds those).
///
/// Each island estimates Z without bias where b, metric and steps are given; they adapt to all particles, a bias of order 1/N. Draws where
/// the target's energy is not finite have no weight. Cost: stages x moves x leaps evaluations of value and gradient a particle, typically
/// 100 to 1000 in all. The same bits for any number of ranks unless max_seconds cuts in. Throws InputError where the energy is finite
/// nowhere that descents or the reference law reach. Collective.
Population run_population(const Communicator& ranks, const Energy& target, const PopulationSettings& settings);

/// Moves the population on at b = 1, `rounds` times, with its metric and steps as they are: its law stays that of the target, exactly.
/// `stage` names the random numbers; give each call another. Collective; adds to `evaluations`.
void move_population(const Communicator& ranks, const Energy& target, Population& population, int rounds, std::uint64_t seed,
                     std::uint64_t stage);

}  // namespace boltzcurve
