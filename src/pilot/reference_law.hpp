#pragma once

#include <boltzcurve/communicator.hpp>
#include <boltzcurve/energy.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace boltzcurve {

/// A normal law N(m, L L^T) to begin a population from (population.hpp), normalized: f_0(x) = |L^-1 (x - m)|^2 / 2 + log det L + D/2 log 2
/// pi.
struct ReferenceLaw {
  std::vector<double> mean;      ///< m [D]
  std::vector<double> factor;    ///< L [D][D], lower triangle; rows one after the other
  std::int64_t evaluations = 0;  ///< of the target's value and gradient that finding it took
  int ends = 0;                  ///< descents whose ends count

  double log_normalizer() const;  ///< log det L + D/2 log 2 pi
};

/// How to find one.
struct ReferenceSettings {
  std::optional<Domain>
      box;  ///< where descents start, uniformly; the target's domain unless given; N(0, 2^2) in coordinates without bounds
  std::uint64_t seed = 1;
  double widening = 2;  ///< of the deviations: a reference that is too narrow has weights without a variance, a wide one costs stages only
};

/// A normal law as wide as the target, from quasi-Newton descents (BFGS, weak Wolfe conditions) that start at dispersed points and stay in
/// the box, in the way of Pathfinder (Zhang, Carpenter, Gelman, Vehtari, JMLR 2022). Of the points x on a descent's path that with the
/// largest estimate of the mass near by counts, Laplace's log mass -f(x) - log det H(x) / 2 with H the Hessian: so a descent along the neck
/// of a funnel, where f falls without end while the mass shrinks, is taken at the neck's beginning. H comes from differences of the
/// gradient along the columns of the BFGS factor, steps that are as long as the target is wide there in every direction; curvatures count
/// with their absolute values, and deviations are not longer than half of the box. Ends that hold 30 + D nats less than the best do not
/// count. The law has the mean of the others, and their covariance plus the mean of their H^-1, times widening^2.
///
/// Costs some ten thousand evaluations for D = 10. Runs on rank 0; every rank gets the same bits. Throws InputError where the energy is
/// finite at none of the starts. Collective.
ReferenceLaw find_reference_law(const Communicator& ranks, const Energy& target, const ReferenceSettings& settings);

}  // namespace boltzcurve
