#pragma once

#include <boltzcurve/choice.hpp>

namespace boltzcurve {

/// Numbers of the network's arithmetic. Parameters, sums over points and particles' states are double in either case.
enum class Precision { single_precision, double_precision };

template <>
inline constexpr auto choices<Precision> = std::to_array<Choice<Precision>>({
    {Precision::single_precision, "float", "4 bytes a number"},
    {Precision::double_precision, "double", "8 bytes a number, about half as fast"},
});

}  // namespace boltzcurve
