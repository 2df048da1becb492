#include "core/named_array.hpp"
#include <boltzcurve/error.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace boltzcurve {

const NamedArray& find_array(std::span<const NamedArray> arrays, std::string_view name, std::int64_t rows, std::int64_t columns) {
  const auto found = std::find_if(arrays.begin(), arrays.end(), [&](const NamedArray& array) { return array.name == name; });
  if (found == arrays.end()) throw InputError(fmt::format("{} is missing", name));
  if (found->rows != rows || found->columns != columns)
    throw InputError(fmt::format("{} has the shape {} x {}, expected {} x {}", name, found->rows, found->columns, rows, columns));
  return *found;
}

}  // namespace boltzcurve
