#pragma once

#include <boltzcurve/choice.hpp>

namespace boltzcurve {

/// How partial sums of different chunks and ranks are joined.
enum class Reduction { reproducible, fast };

template <>
inline constexpr auto choices<Reduction> = std::to_array<Choice<Reduction>>({
    {Reduction::reproducible, "reproducible", "integer sums: the same bits for any number of ranks and threads"},
    {Reduction::fast, "fast", "floating-point sums: the last bits depend on the number of ranks"},
});

}  // namespace boltzcurve
