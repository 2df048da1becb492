#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace boltzcurve {

/// One value of an enum class as users see it: its name in configurations and a line for `boltzcurve list`.
template <class Enum>
struct Choice {
  Enum value;
  std::string_view name, meaning;
};

/// All values of an enum class, in the order in which they are shown. Specialised beside every enum that an option holds:
///     template <> inline constexpr auto choices<Color> = std::to_array<Choice<Color>>({{Color::red, "red", "like a rose"}, ...});
template <class Enum>
inline constexpr auto choices = std::array<Choice<Enum>, 0>();

/// Name of a value; every value stands in the table.
template <class Enum>
constexpr std::string_view name_of(Enum value) {
  return std::find_if(choices<Enum>.begin(), choices<Enum>.end(), [=](const auto& choice) { return choice.value == value; })->name;
}

}  // namespace boltzcurve
