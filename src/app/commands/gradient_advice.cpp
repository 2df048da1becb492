#include "app/commands/gradient_advice.hpp"

#include <fmt/format.h>

namespace boltzcurve {
namespace {

const char* advice_on(CurveName curve) {
  return curve == CurveName::linear
             ? "On the linear curve the velocity grows exponentially with the distance of modes: curve.name = learned or gradient-flow, or "
               "a latent law wide enough for all modes (latent.scale), may help"
             : "A latent law wide enough for all modes (latent.scale), in many dimensions more collocation.points, or a smaller "
               "optimizer.learning-rate, may help";
}

}  // namespace

std::string words_for(const GradientTrouble& trouble, CurveName curve, double clip) {
  switch (trouble.kind) {
    case GradientTrouble::Kind::not_finite:
      return fmt::format("loss or gradient of step {} is not finite, and the step is skipped", trouble.step);
    case GradientTrouble::Kind::clipped:
      return fmt::format(
          "exploding gradients: up to step {}, {} of the last {} were longer than optimizer.gradient-clip = {}, their mean {:.3g}. {}",
          trouble.step, trouble.clipped, GradientMonitor::window, clip, trouble.mean, advice_on(curve));
    case GradientTrouble::Kind::grown:
      return fmt::format("exploding gradients: at step {} they are {:.3g} times as long as they were, a mean of {:.3g}. {}", trouble.step,
                         trouble.growth, trouble.mean, advice_on(curve));
  }
  return {};
}

}  // namespace boltzcurve
