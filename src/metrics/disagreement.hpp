#pragma once

#include "energy/normal_mixture.hpp"
#include "metrics/metric_input.hpp"
#include "metrics/weighted_means.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// Errors of log Z that particles' weights do not show: of paths at the default tolerances, and of single precision [nats].
inline constexpr double log_z_floor = 1e-3;

/// The largest |a - b| / sqrt(var a + var b) over some pairs, and of which one it is: "the mean of coordinate 3".
struct Disagreement {
  double largest = 0;
  int comparisons = 0;
  std::string of;

  void compare(double a, double b, double variance, const std::string& what);
};

/// The weighted particles beside the pilot's population. Compared are, in the coordinates of the curve, the mean of every coordinate and of
/// its square; where more than one normal law was fitted to the population, the mean responsibility of each for a point, which is its share
/// however much they overlap; and log Z of both (log_z_floor added to its error): 2 D + K + 1 comparisons.
///
/// Errors are those of the delta method for the weights and, of the population, those that the spread of its islands shows; where islands
/// are not known, as of independent points, too small where points have ancestors in common and do not pass from mode to mode. By chance
/// alone, each comparison exceeds 4 with probability 6e-5 where both errors are well known, and 4e-4 where they are all from 32 islands
/// (Student's t with 31 degrees of freedom): a hundred comparisons have one above 4 in one of 27 runs at most, above 5 in one of 460.
///
/// None without a population, or with fewer than enough_effective particles. Collective.
std::optional<Disagreement> disagreement_from_population(const MetricInput& input);

/// The same beside what is known of the target: log Z, and of coordinates' means and squares, and of shares of modes by nearest center,
/// what is known or what `exact_again` shows. Shares are compared with those of samples only: where modes overlap or differ in width,
/// nearest centers do not give the modes' weights. None where nothing is known.
std::optional<Disagreement> disagreement_from_known(const MetricInput& input);

/// Shares of the laws of a mixture among the population's points, with their errors; and how sharply these belong to one: the mean of the
/// largest responsibility, 1 for laws that do not touch. Not collective.
struct Shares {
  Means of;
  double sharpness = 1;
};
Shares shares_of(const CurvePopulation& population, const NormalMixture& mixture);

/// disagreement (N: comparisons), disagreement_known.
std::vector<Measured> measure_disagreement(const MetricInput& input);

}  // namespace boltzcurve
