#pragma once

namespace boltzcurve {

// Settings of a module are a struct with a member for each, its default beside it, and a function that names them once for all who read,
// write, check or document them:
//
//     struct LampSettings {
//       double brightness = 800;
//       Color color = Color::red;  // an enum with a table of choices (choice.hpp)
//
//       template <class Visit>
//       static void describe(const Visit& setting) {
//         setting("brightness", &LampSettings::brightness, Range{0, 1e5}, "lm", "light of the lamp");
//         setting("color", &LampSettings::color, "color of the light");
//       }
//       bool operator==(const LampSettings&) const = default;
//     };
//
// `setting` is called in the order of the documentation, with name, member, range, unit (empty: none) and meaning, or, of a choice between
// names, with name, member and meaning. A configuration file has a section for each struct.

/// Bounds of a number, inclusive unless `below_upper`.
struct Range {
  double lower, upper;
  bool below_upper = false;
};

/// The upper bound of counts: beyond any run, exact in a double, and times the size of a number still far from overflow.
inline constexpr double max_count = 1e12;

}  // namespace boltzcurve
