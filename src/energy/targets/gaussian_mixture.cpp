#include "energy/gaussian_mixture.hpp"
#include <boltzcurve/error.hpp>
#include "core/suggestion.hpp"

#include <cmath>
#include <numbers>

namespace boltzcurve {
namespace {

GaussianComponent spherical(double weight, std::vector<double> mean, double deviation) {
  return {weight, std::move(mean), {deviation * deviation}};
}

/// Modes in the plane that do not touch: at least six standard deviations between any two of them.
std::vector<GaussianComponent> preset(const std::string& name) {
  if (name == "two") return {spherical(0.3, {-3, -1}, 0.8), spherical(0.7, {3, 1}, 1)};
  if (name == "three") {
    const double radius = 4, h = radius * std::numbers::sqrt3 / 2;
    return {spherical(1, {0, radius}, 0.7), spherical(1, {-h, -radius / 2}, 0.85), spherical(1, {h, -radius / 2}, 1)};
  }
  throw SettingError({"preset", " = " + name + ": there is no such preset; did you mean " + nearest_name(name, {"two", "three"}) + "?"});
}

std::vector<GaussianComponent> components_of(const Parameters& parameters) {
  const bool file = parameters.has("modes"), lines = parameters.has("mode"), named = parameters.has("preset");
  if (file + lines + named > 1) {
    throw SettingError(
        {file ? "modes" : "mode", ": given beside ", named ? "preset" : "mode", ": must be the only one of preset, modes and mode"});
  }
  if (file) return read_gaussian_modes(parameters.text("modes"));
  if (!lines) return preset(named ? parameters.text("preset") : "three");
  std::vector<GaussianComponent> components;
  for (const std::string& line : parameters.lines("mode")) {
    components.push_back(parse_gaussian_mode(line, "mode " + std::to_string(components.size() + 1)));
  }
  return components;
}

Parameters::Values inline_modes(Parameters::Values values, const std::filesystem::path& folder) {
  const auto modes = values.find("modes");
  if (modes == values.end() || modes->second.empty() || modes->second[0].empty() || values.contains("mode")) return values;
  std::vector<std::string> lines;
  for (const auto& component : read_gaussian_modes(folder / modes->second[0])) lines.push_back(format_gaussian_mode(component));
  values.erase(modes);
  values["mode"] = lines;
  return values;
}

}  // namespace

TargetEntry gaussian_mixture_target() {
  using Kind = ParameterSpec::Kind;
  return {"gaussian-mixture",
          "Gaussian modes in any dimension, from a preset, a file or the configuration",
          {{"preset", Kind::text, "", "two | three: that many modes in the plane; three unless modes are given"},
           {"modes", Kind::text, "",
            "CSV file of modes, header weight,mean_1,...,mean_D,sd or weight,mean_1,...,mean_D,cov_11,cov_12,...,cov_DD"},
           {"mode", Kind::text_lines, "", "one mode: weight | mean_1 ... mean_D | sd, or the upper triangle of the covariance row by row"}},
          [](const Parameters& parameters) { return make_gaussian_mixture(components_of(parameters)); },
          inline_modes};
}

}  // namespace boltzcurve
