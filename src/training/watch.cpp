#include "training/watch.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr double growth = 100;
constexpr std::size_t many = GradientWatch::window / 2;  // none of the shipped configurations that learn their target comes near it

}  // namespace

std::string GradientWatch::advice() const {
  return curve_ == CurveName::linear
             ? "On the linear curve the velocity grows exponentially with the distance of modes: curve.name = learned or gradient-flow, or "
               "a latent law wide enough for all modes (latent.scale), may help"
             : "A latent law wide enough for all modes (latent.scale), in many dimensions more collocation.points, or a smaller "
               "optimizer.learning-rate, may help";
}

std::optional<std::string> GradientWatch::after(std::int64_t step, bool finite, double norm) {
  if (!finite) {
    if (std::exchange(told_nonfinite_, true)) return std::nullopt;
    return fmt::format("loss or gradient of step {} is not finite, and the step is skipped", step);
  }
  if (step < first_step_) return std::nullopt;
  norms_.push_back(norm);
  if (norms_.size() < window) return std::nullopt;
  const auto clipped = std::count_if(norms_.begin(), norms_.end(), [&](double n) { return n > clip_; });
  const double mean = std::accumulate(norms_.begin(), norms_.end(), 0.0) / static_cast<double>(window);
  norms_.clear();
  const double smallest = std::exchange(smallest_mean_, std::min(smallest_mean_, mean));
  if (clip_ > 0 && clipped >= static_cast<std::ptrdiff_t>(many) && !std::exchange(told_clipped_, true))
    return fmt::format(
        "exploding gradients: up to step {}, {} of the last {} were longer than optimizer.gradient-clip = {}, their mean {:.3g}. {}", step,
        clipped, window, clip_, mean, advice());
  if (mean > growth * smallest && !std::exchange(told_grown_, true))
    return fmt::format("exploding gradients: at step {} they are {:.3g} times as long as they were, a mean of {:.3g}. {}", step,
                       mean / smallest, mean, advice());
  return std::nullopt;
}

}  // namespace boltzcurve
