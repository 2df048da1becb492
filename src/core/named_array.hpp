#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace boltzcurve {

/// A matrix with a name: what a state is told in that a checkpoint keeps, whoever it belongs to.
struct NamedArray {
  std::string name;  ///< a path: "second_moment/psi/layer0/weight"
  std::int64_t rows, columns;
  std::vector<double> values;  ///< [rows][columns]
  bool operator==(const NamedArray&) const = default;
};

/// The array of that name and shape. Throws InputError that names it, what was found and what was expected, where there is none.
const NamedArray& find_array(std::span<const NamedArray> arrays, std::string_view name, std::int64_t rows, std::int64_t columns);

}  // namespace boltzcurve
