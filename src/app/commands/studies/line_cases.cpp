#include "app/commands/studies/line_cases.hpp"

#include <boltzcurve/error.hpp>
#include <boltzcurve/registry.hpp>
#include "core/in_section.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

constexpr double peak_distances[] = {5, 10, 20, 40};
constexpr double peak_reach = 60;  // exp(-60) is nothing beside the rest, also where the velocity explodes

double largest_distance(const Energy& target) {
  const auto modes = target.modes();
  double largest = std::nan("");
  for (std::size_t a = 0; a < modes.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) {
      double square = 0;
      for (std::size_t k = 0; k < modes[a].center.size(); ++k) square += std::pow(modes[a].center[k] - modes[b].center[k], 2);
      largest = std::isnan(largest) ? std::sqrt(square) : std::max(largest, std::sqrt(square));
    }
  return largest;
}

std::unique_ptr<Energy> target_of(const Options& options) {
  return in_section("target", [&] { return make_target(options.target.name, options.target.values); });
}

/// f = min over the peaks of |x - peak|.
LineEnergy peaks(std::vector<double> at, double farthest) {
  LineEnergy energy;
  energy.lower = -peak_reach;
  energy.upper = farthest + peak_reach;
  energy.corners = at;
  for (std::size_t i = 1; i < at.size(); ++i) energy.corners.push_back(0.5 * (at[i - 1] + at[i]));
  std::sort(energy.corners.begin(), energy.corners.end());
  energy.at = [at = std::move(at)](const std::vector<double>& x) {
    LineEnergy::Values values;
    for (const double point : x) {
      double from_nearest = point - at[0];
      for (const double peak : at)
        if (std::fabs(point - peak) < std::fabs(from_nearest)) from_nearest = point - peak;
      values.value.push_back(std::fabs(from_nearest));
      values.slope.push_back(from_nearest < 0 ? -1 : 1);
      values.curvature.push_back(0);
    }
    return values;
  };
  return energy;
}

}  // namespace

std::vector<StudyCase> study_cases(const Options& options) {
  std::vector<StudyCase> cases;
  const auto& distances = options.study.distances;
  if (options.target.name.empty()) {
    for (const double distance : distances.empty() ? std::vector<double>(std::begin(peak_distances), std::end(peak_distances)) : distances)
      cases.push_back({distance, options});
    return cases;
  }
  const bool has_key = options.target.values.contains("distance");
  if (!distances.empty() && !has_key)
    throw ConfigError(
        fmt::format("study.distances: target {} has no key `distance`; leave the distances out, or choose one that has, such as "
                    "asymmetric-two",
                    options.target.name));
  for (const double distance : distances) {
    cases.push_back({distance, options});
    cases.back().options.target.values["distance"] = {fmt::format("{}", distance)};
  }
  if (distances.empty())
    cases.push_back({has_key ? std::stod(options.target.values.at("distance").front()) : largest_distance(*target_of(options)), options});
  return cases;
}

std::unique_ptr<LineEnds> line_ends(const Options& options, double distance) {
  auto ends = std::make_unique<LineEnds>();
  if (options.target.name.empty()) {
    ends->latent = peaks({0}, distance);
    ends->target = peaks({0, distance}, distance);
    return ends;
  }
  ends->target_law = target_of(options);
  if (ends->target_law->dimension() != 1) return nullptr;
  ends->latent_law = in_section("latent", [&] { return make_latent(options.latent.name, 1, options.latent.values); });
  ends->target = line_energy(*ends->target_law, "target.name");
  ends->latent = line_energy(*ends->latent_law, "latent.name");
  return ends;
}

bool has_exact_curve(CurveName name) { return name == CurveName::linear || name == CurveName::gradient_flow; }

std::unique_ptr<LineCurve> exact_curve(const LineEnds& ends, const Options& options, CurveName name) {
  if (name == CurveName::linear) return make_linear_line_curve(ends.latent, ends.target);
  if (!ends.latent_law || options.latent.name != "gaussian")
    return make_relaxation_line_curve(ends.target, ends.latent, options.curve.horizon);
  const auto moments = ends.latent_law->moments().value();
  return make_gradient_flow_line_curve(ends.target, moments.mean[0], moments.deviation[0], options.curve.horizon);
}

}  // namespace boltzcurve
