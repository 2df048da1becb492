#pragma once

#include <boltzcurve/model.hpp>

#include <string>

namespace boltzcurve {

/// What the pilot run has found, a line: log Z and the population that it is from, the normal laws that were fitted with their shares where
/// they lie apart, and what follows for the curve.
std::string words_for_pilot(const Model& model);

}  // namespace boltzcurve
