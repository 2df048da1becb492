#pragma once

#include <boltzcurve/choice.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace boltzcurve {

/// How values lie between two bounds.
enum class Scale { linear, logarithmic, integers, log_integers };
template <>
inline constexpr auto choices<Scale> = std::to_array<Choice<Scale>>({
    {Scale::linear, "linear", "evenly spaced"},
    {Scale::logarithmic, "log", "with equal ratios"},
    {Scale::integers, "integers", "whole numbers, evenly spaced; all of them where no count is given"},
    {Scale::log_integers, "log-integers", "whole numbers, with ratios as equal as can be"},
});

/// "log(1e-4, 1e-1, 4)": values from `lower` to `upper`, both included.
struct ValueRange {
  Scale scale;
  double lower, upper;
  std::optional<std::int64_t> count;

  bool operator==(const ValueRange&) const = default;
};

/// What a sweep writes behind a key: a list of texts, or a range.
using Values = std::variant<std::vector<std::string>, ValueRange>;

/// Reads a list, `32, 64, 128`, in which a value that holds a comma stands in double quotes, or a range. Throws ConfigError that says what
/// is wrong with the text, without where.
Values parse_values(const std::string& text);

/// All values, in their order: what a grid runs through. Numbers have twelve significant digits, so that log(1e-4, 1e-1, 4) is 0.0001,
/// 0.001, 0.01, 0.1. Throws ConfigError for a range without its count and for whole numbers that coincide.
std::vector<std::string> listed(const Values& values);

/// The value at `u`, in [0, 1): the one that a draw stands for. In a list every entry has an equal part of the interval; likewise every
/// whole number of a range of integers. Throws ConfigError for a range that has a count, which is for grids.
std::string drawn(const Values& values, double u);

/// Points in the unit cube [0,1)^dimension.
using UnitPoints = std::vector<std::vector<double>>;

/// The first points of Sobol's sequence but the one in the corner, (1/2, 1/2, ...) being the first; any prefix fills the cube evenly, best
/// one of 2^n - 1 points. At most 3667 dimensions.
UnitPoints sobol_points(std::size_t dimension, std::int64_t count);

/// Independent uniform points: point i is a function of seed, dimension and i alone, so that more points or more dimensions change none
/// of what was there.
UnitPoints random_points(std::uint64_t seed, std::size_t dimension, std::int64_t count);

}  // namespace boltzcurve
