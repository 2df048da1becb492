#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace boltzcurve {

/// A mixture of normal laws to begin a population from (population.hpp), normalized: q_0 = w_0 N(m, L L^T) + sum_c w_c N(m_c, L_c L_c^T), a
/// broad one and one for each mode that descents have found, f_0 = -log q_0. w_0 is what the others leave of 1.
struct ReferenceLaw {
  std::vector<double> mean;       ///< m [D]
  std::vector<double> factor;     ///< L [D][D], lower triangle; rows one after the other
  std::vector<double> weight{};   ///< w_c [C] of the modes; none: the broad law alone
  std::vector<double> means{};    ///< m_c [C][D]
  std::vector<double> factors{};  ///< L_c [C][D][D]
  std::int64_t evaluations = 0;   ///< of the target's value and gradient that finding it took
  int ends = 0;                   ///< descents whose ends count

  std::size_t components() const { return 1 + weight.size(); }
  std::vector<double> log_weights() const;               ///< log w_c - log det L_c - D/2 log 2 pi [1 + C], the broad law's first
  double log_normalizer() const;                         ///< log det L + D/2 log 2 pi
  ReferenceLaw broad() const { return {mean, factor}; }  ///< without the modes
};

/// How to find one.
struct ReferenceSettings {
  std::optional<Domain>
      box;  ///< where descents start, uniformly; the target's domain unless given; N(0, 2^2) in coordinates without bounds
  std::uint64_t seed = 1;
  double widening =
      2;  ///< of the broad law's deviations: one that is too narrow has weights without a variance, a wide one costs stages only
  std::vector<double> starts{};  ///< [n][D], points to descend from as well
};

/// What descents from many points say of a target, and the reference law that follows: quasi-Newton descents (BFGS, weak Wolfe conditions)
/// that stay in the box, in the way of Pathfinder (Zhang, Carpenter, Gelman, Vehtari, JMLR 2022).
///
/// Of the points x on a descent's path that with the largest estimate of the mass near by counts, Laplace's log mass -f(x) - log det H(x) /
/// 2 with H the Hessian: so a descent along the neck of a funnel, where f falls without end while the mass shrinks, is taken at the neck's
/// beginning. H comes from differences of the gradient along the columns of the BFGS factor, steps that are as long as the target is wide
/// there in every direction; curvatures count with their absolute values, and deviations are not longer than half of the box. Ends that
/// hold 30 + D nats less than the best do not count. The broad law has the mean of the others, and their covariance plus the mean of their
/// H^-1, times widening^2.
///
/// Starts are the candidates, uniform in the box, that lie lower than all their nearest neighbors (as in clustering methods of global
/// optimization: Rinnooy Kan, Timmer 1987), others at random, draws of the broad law, and, where modes are nearly normal, draws that their
/// parabolas do not explain, from normal laws as wide as the modes lie apart. Ends that are minima, less than two deviations apart and of
/// like widths, are one mode; modes within 10 nats of the best one's mass are components, N(x, (1 + D^-1/2) H^-1) where H^-1 is shortened
/// along axes on which f rises faster than a parabola, unless that costs more than 3 nats. Half of the weight is the broad law's; of the
/// other half, half goes by Laplace's masses and half is shared alike. Where most ends that count were met only once, those known are few
/// of those there are, and the broad law stands alone.
///
/// Costs some forty thousand evaluations for D = 10, and up to three hundred thousand where there are several modes, all nearly normal.
/// Runs on rank 0; every rank gets the same bits.
class Exploration {
 public:
  /// Throws InputError where the energy is finite at none of the starts. Collective.
  Exploration(const Communicator& ranks, const Energy& target, const ReferenceSettings& settings);

  /// Descends from points x [n][D] too, the same on every rank. True where that found a mode that counts and was not known. Collective.
  bool descend_from(std::span<const double> x);

  const ReferenceLaw& law() const { return law_; }  ///< of all descents so far, with their evaluations

 private:
  struct State;
  void share_law();

  Communicator ranks_;
  std::shared_ptr<State> state_;  ///< on rank 0
  ReferenceLaw law_;
};

/// Of an Exploration. Collective.
ReferenceLaw find_reference_law(const Communicator& ranks, const Energy& target, const ReferenceSettings& settings);

}  // namespace boltzcurve
