#include "curve/curve_of.hpp"

#include <boltzcurve/error.hpp>
#include "curve/curve.hpp"

#include <algorithm>
#include <cmath>

namespace boltzcurve {
namespace detail {
namespace {

// The network sees a clock that spans [-2, 2] from target to latent law, and coordinates in units in which the target's standard deviation
// is input_range / box_deviations: a uniform law would span [-input_range, input_range].
constexpr double clock_range = 2, box_deviations = 1.7320508075688772;

// With a range of 3 or less the first layer is nearly linear, and features of the width of a mode take long to appear; modes that are
// many and thin need more. Measured on the shipped targets.
constexpr double min_range = 3, max_range = 8, range_per_width = 0.5;

}  // namespace

std::vector<double> about_latent_mean(const CurveInput& input) {
  std::vector<double> about;
  for (std::size_t k = 0; k < input.ends.latent_mean.size(); ++k)
    about.push_back(std::hypot(input.ends.pilot.deviation[k], input.ends.pilot.mean[k] - input.ends.latent_mean[k]));
  return about;
}

NetworkShape space_time_network(const CurveInput& input, int outputs) {
  return {input.ends.dimension + 1, input.network.width,     input.network.hidden_layers, outputs,
          input.network.kind,       input.network.head_width};
}

CurveNetworks curve_networks(const CurveInput& input, std::vector<CurveNetwork> list, bool with_normalizer, double width) {
  CurveNetworks networks;
  networks.list = std::move(list);
  networks.first_layer = input.network.first_layer;
  if (with_normalizer) networks.list.push_back({"normalizer", {1, input.normalizer.width, input.normalizer.hidden_layers}});
  double spread = 0;
  for (const double deviation : input.ends.pilot.deviation) spread += deviation * deviation / input.ends.dimension;
  const double range = input.network.input_range > 0 ? input.network.input_range
                                                     : std::clamp(range_per_width * std::sqrt(spread / width), min_range, max_range);
  const auto about = about_latent_mean(input);
  for (std::size_t k = 0; k < about.size(); ++k) {
    networks.input_shift.push_back(input.ends.latent_mean[k]);
    networks.input_scale.push_back(range / (box_deviations * std::max(about[k], input.ends.latent_deviation[k])));
  }
  networks.input_shift.push_back(0.5);
  networks.input_scale.push_back(2 * clock_range);
  return networks;
}

Taming taming_of(const CurveInput& input) {
  const double scale = 50 + 5 * input.ends.dimension;  // far above what thermal motion reaches: f_D - min f_D is D/2 on average
  return {input.ends.pilot.energy + scale, scale};
}

}  // namespace detail

#define BOLTZCURVE_DECLARE_CURVE(identifier, name, meaning) std::unique_ptr<Curve> make_##identifier##_curve(const CurveInput& input);
BOLTZCURVE_CURVES(BOLTZCURVE_DECLARE_CURVE)

std::unique_ptr<Curve> make_curve(const CurveInput& input) {
#define BOLTZCURVE_MAKE_CURVE(identifier, text, meaning) \
  if (input.curve.name == CurveName::identifier) return make_##identifier##_curve(input);
  BOLTZCURVE_CURVES(BOLTZCURVE_MAKE_CURVE)
  return nullptr;
}

std::optional<double> thermodynamic_log_z(const Curve& curve, std::span<const double> parameters, double latent_log_z) {
  const auto& networks = curve.networks();
  const NetworkShape* const shape = networks.find("normalizer");
  if (!shape || !curve.has_exact_ends()) return std::nullopt;
  const auto of_normalizer = networks.part_of("normalizer", parameters);
  // Simpson's rule in the clock, in whose units the network gives C.
  constexpr int panels = 512;
  double sum = 0;
  for (int i = 0; i <= panels; ++i) {
    const double weight = i == 0 || i == panels ? 1 : 2 + 2 * (i % 2), clock = static_cast<double>(i) / panels;
    sum += weight * network_value(*shape, of_normalizer, (clock - networks.input_shift.back()) * networks.input_scale.back());
  }
  return latent_log_z - sum / (3 * panels);
}

template <class Real>
CollocationBatch<Real>::CollocationBatch(std::int64_t points, int dimension, int known_rows)
    : t("boltzcurve::collocation_time", static_cast<std::size_t>(points)),
      x("boltzcurve::collocation_position", static_cast<std::size_t>(points), static_cast<std::size_t>(dimension)),
      known("boltzcurve::collocation_known", static_cast<std::size_t>(points), static_cast<std::size_t>(known_rows)) {}

template struct CollocationBatch<float>;
template struct CollocationBatch<double>;

template <class Real>
MatchingBatch<Real>::MatchingBatch(std::int64_t points, int dimension)
    : t("boltzcurve::matching_time", static_cast<std::size_t>(points)),
      x("boltzcurve::matching_position", static_cast<std::size_t>(points), static_cast<std::size_t>(dimension)),
      base("boltzcurve::matching_base", static_cast<std::size_t>(points), static_cast<std::size_t>(dimension)),
      goal("boltzcurve::matching_goal", static_cast<std::size_t>(points), static_cast<std::size_t>(dimension)),
      spread("boltzcurve::matching_spread", static_cast<std::size_t>(points)) {}

template struct MatchingBatch<float>;
template struct MatchingBatch<double>;

}  // namespace boltzcurve
