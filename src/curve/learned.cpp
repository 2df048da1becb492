#include "curve/tempered_curve_of.hpp"

namespace boltzcurve {

std::unique_ptr<Curve> make_learned_curve(const CurveSettings& settings) {
  return detail::make_tempered_curve(settings, detail::WithPsi::yes);
}

}  // namespace boltzcurve
