#include "curve/tempered_curve_of.hpp"

namespace boltzcurve {

std::unique_ptr<Curve> make_learned_curve(const CurveInput& input) { return detail::make_tempered_curve(input, detail::WithPsi::yes); }

}  // namespace boltzcurve
