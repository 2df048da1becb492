#pragma once

#include "curve/form.hpp"

namespace boltzcurve {

/// f_t = g f_D + t psi.
template <>
struct FormOf<CurveForm::plain> : FormInPlace<0> {};

}  // namespace boltzcurve
