#pragma once

#include "curve/form.hpp"

#include "all_curve_forms.hpp"  // every header of src/curve/forms, listed by the build

namespace boltzcurve {

/// body(FormOf<form>()), the one place where forms are told apart. Host and device.
template <class Body>
KOKKOS_FORCEINLINE_FUNCTION auto with_form(CurveForm form, const Body& body) {
  using enum CurveForm;
#define BOLTZCURVE_FORM(identifier, name, meaning) \
  case identifier:                                 \
    return body(FormOf<identifier>());
  switch (form) {
    BOLTZCURVE_FORMS(BOLTZCURVE_FORM)
    case automatic:  // made definite before a curve is made
      break;
  }
#undef BOLTZCURVE_FORM
  __builtin_unreachable();
}

}  // namespace boltzcurve
