#pragma once

#include "curve/curve_of.hpp"

#include "curve/tempered_curve.hpp"

namespace boltzcurve::detail {

enum class WithPsi { no, yes };
std::unique_ptr<Curve> make_tempered_curve(const CurveInput& input, WithPsi with_psi);

}  // namespace boltzcurve::detail
