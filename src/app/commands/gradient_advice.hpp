#pragma once

#include "curve/curve.hpp"
#include "training/gradient_monitor.hpp"

#include <string>

namespace boltzcurve {

/// What is wrong with gradients, in words, with what may help. `clip`: what gradients are clipped to.
std::string words_for(const GradientTrouble& trouble, CurveName curve, double clip);

}  // namespace boltzcurve
