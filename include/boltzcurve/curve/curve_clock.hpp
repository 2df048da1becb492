#pragma once

#include <boltzcurve/core/choice.hpp>

namespace boltzcurve {

/// A clock s in place of t, from 0 at the target to 1 at the latent law: what networks see, what times are drawn by and in whose units
/// residuals count.
enum class CurveClock { logarithmic, square_root, linear };
template <>
inline constexpr auto choices<CurveClock> = std::to_array<Choice<CurveClock>>({
    {CurveClock::logarithmic, "logarithmic",
     "every doubling of a mode's width takes as long: s ~ log(1 + v/c'), v = exp(2t) - 1; linear, learned: 1 - s ~ log(1 + t sigma^2/c')"},
    {CurveClock::square_root, "square-root", "s = sqrt(t/T), or 1 - s = sqrt(t): the fast start of the curve becomes smooth"},
    {CurveClock::linear, "linear", "s = t/T, or 1 - s = t"},
});

}  // namespace boltzcurve
