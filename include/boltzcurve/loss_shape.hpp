#pragma once

#include <boltzcurve/choice_list.hpp>

namespace boltzcurve {

/// How the residual of a point counts in the loss.
enum class LossKind { pseudo_huber, squared, absolute_and_squared };

/// What training minimizes. The losses of the residual alone differ in how that of a point counts, see LossKind.
#define BOLTZCURVE_LOSSES(ENTRY)                                                                                                           \
  ENTRY(automatic, "auto", "matching where the curve's form is network, else residual")                                                    \
  ENTRY(matching, "matching",                                                                                                              \
        "the gradient of f_t at points of a population of the target after time t of diffusion is matched with what noise and target say") \
  ENTRY(matching_then_residual, "matching-then-residual",                                                                                  \
        "matching, then for the last part of the steps the residual, with matching at the target alone, where it is exact")                \
  ENTRY(residual, "residual", "pseudo-huber")                                                                                              \
  ENTRY(pseudo_huber, "pseudo-huber", "2 w^2 (sqrt(1 + (R/w)^2) - 1): R^2 up to about w, then linear, so that no few points rule")         \
  ENTRY(squared, "squared", "R^2")                                                                                                         \
  ENTRY(absolute_and_squared, "abs+squared", "|R| + R^2: small residuals count as well (Mate and Fleuret)")
BOLTZCURVE_CHOICES(TrainingLoss, BOLTZCURVE_LOSSES)

/// What R is measured in. A particle's log weight is off by the integral of R dt = R (dt/ds) ds along its path: in units of the clock equal
/// residuals do equal harm at all times, and drawing times uniformly in the clock gives all of them equal say.
enum class ResidualUnit { clock, time };
template <>
inline constexpr auto choices<ResidualUnit> = std::to_array<Choice<ResidualUnit>>({
    {ResidualUnit::clock, "clock", "R dt/ds: nats per unit of the clock"},
    {ResidualUnit::time, "time", "R: nats per unit of time"},
});

struct LossShape {
  LossKind kind = LossKind::pseudo_huber;
  double width = 1;  ///< w, for pseudo_huber, in the unit of the residual
  ResidualUnit unit = ResidualUnit::clock;
};

}  // namespace boltzcurve
