#pragma once

#include "curve/form.hpp"

namespace boltzcurve {

/// f_t = g f_D + (1-g) f_Z + t psi.
template <>
struct FormOf<CurveForm::anchored> : FormInPlace<1> {};

}  // namespace boltzcurve
