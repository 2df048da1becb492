#include "app/commands/pilot_words.hpp"
#include "metrics/disagreement.hpp"
#include "pilot/pilot_run.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace boltzcurve {
namespace {

constexpr double apart = 0.95;  // largest responsibility, on average, of laws that lie apart
constexpr std::size_t shares_to_tell = 8;

std::string shares_text(const CurvePopulation& population, const NormalMixture& mixture) {
  const std::size_t K = mixture.components();
  if (K < 2 || population.count() == 0) return {};
  const auto [shares, sharpness] = shares_of(population, mixture);
  if (sharpness < apart) return {};
  std::vector<std::string> texts;
  for (std::size_t k = 0; k < std::min(K, shares_to_tell); ++k)
    texts.push_back(fmt::format("{:.3f} +- {:.3f}", shares.value[k], std::sqrt(shares.variance[k])));
  return fmt::format(" of shares {}{}", fmt::join(texts, ", "), K > shares_to_tell ? ", ..." : "");
}

}  // namespace

std::string words_for_pilot(const Model& model) {
  const auto& summary = model.pilot->summary;
  const auto& population = model.pilot->population;
  if (!summary.has_population()) return model.description();
  const std::size_t K = summary.mixture.components();
  return fmt::format("log Z {:.4f} +- {:.4f} by a population of {} ({:.0f} evaluations, {:.1f} s), {} normal law{}{}: {}", summary.log_z,
                     summary.log_z_stderr, population ? population->count() : 0, summary.evaluations, summary.seconds, K, K == 1 ? "" : "s",
                     population ? shares_text(*population, summary.mixture) : "", model.description());
}

}  // namespace boltzcurve
