#include "training/gradient_monitor.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace boltzcurve {
namespace {

constexpr double growth = 100;
constexpr std::size_t many = GradientMonitor::window / 2;  // none of the shipped configurations that learn their target comes near it

}  // namespace

std::optional<GradientTrouble> GradientMonitor::after(std::int64_t step, bool finite, double norm) {
  using Kind = GradientTrouble::Kind;
  if (!finite) {
    if (std::exchange(seen_not_finite_, true)) return std::nullopt;
    return GradientTrouble{Kind::not_finite, step};
  }
  if (step < first_step_) return std::nullopt;
  norms_.push_back(norm);
  if (norms_.size() < window) return std::nullopt;
  const auto clipped = std::count_if(norms_.begin(), norms_.end(), [&](double n) { return n > clip_; });
  const double mean = std::accumulate(norms_.begin(), norms_.end(), 0.0) / static_cast<double>(window);
  norms_.clear();
  const double smallest = std::exchange(smallest_mean_, std::min(smallest_mean_, mean));
  if (clip_ > 0 && clipped >= static_cast<std::ptrdiff_t>(many) && !std::exchange(seen_clipped_, true))
    return GradientTrouble{Kind::clipped, step, clipped, mean, mean / smallest};
  if (mean > growth * smallest && !std::exchange(seen_grown_, true))
    return GradientTrouble{Kind::grown, step, clipped, mean, mean / smallest};
  return std::nullopt;
}

}  // namespace boltzcurve
