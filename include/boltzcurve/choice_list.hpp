#pragma once

#include <boltzcurve/choice.hpp>

/// Choices declared as a list, a line ENTRY(identifier, "name", "meaning") each:
///
///     #define COLORS(ENTRY) ENTRY(red, "red", "like a rose") ENTRY(green, "green", "like grass")
///     BOLTZCURVE_CHOICES(Color, COLORS)
///
/// declares `enum class Color { red, green }` and its table choices<Color>. What belongs to each entry beside that can be declared and told
/// apart by the same list.
#define BOLTZCURVE_ENUMERATOR(identifier, name, meaning) identifier,
#define BOLTZCURVE_CHOICE(identifier, name, meaning) {identifier, name, meaning},
#define BOLTZCURVE_CHOICES(Enum, LIST)                             \
  enum class Enum { LIST(BOLTZCURVE_ENUMERATOR) };                 \
  template <>                                                      \
  inline constexpr auto choices<Enum> = [] {                       \
    using enum Enum;                                               \
    return std::to_array<Choice<Enum>>({LIST(BOLTZCURVE_CHOICE)}); \
  }();
