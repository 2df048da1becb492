#include "curve/curve_of.hpp"
#include "residual/matching_kernel.hpp"
#include "residual/residual_kernel.hpp"

#include <boltzcurve/error.hpp>
#include "curve/gradient_flow.hpp"
#include "curve/gradient_flow_energies.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include <fmt/format.h>

namespace boltzcurve {
namespace {

// What is left of the target's second moment at the latent end, as a fraction of the latent variance: alpha_T^2 E|y-m|^2 / sigma^2.
// Starting from the latent law instead of rho_T costs an ESS of this fraction at most (second order in alpha_T), and shifts a mode's weight
// w by up to the root of fraction w (1 - w): 0.004.
constexpr double remaining_fraction = 5e-5;

// Where the law is whitened nothing is left of mean and variances, and of the rest less than alpha^3, here 6e-6.
constexpr double whitened_horizon = 4;

/// A GradientFlow or a ScheduledFlow.
template <class Flow>
class GradientFlowCurve final : public detail::CurveOf<Flow> {
 public:
  GradientFlowCurve(const Flow& functor, CurveNetworks networks, CurveAnchor anchor, std::vector<double> latent_mean)
      : detail::CurveOf<Flow>(functor, std::move(networks)), anchor_(std::move(anchor)), latent_mean_(std::move(latent_mean)) {}

  std::string description() const override {
    std::size_t components = 0;
    for (const auto& factor : anchor_.factors) components += factor.mixture.components();
    return fmt::format("{}modes of squared width {:.3g}; horizon {:.3g}",
                       components > 1 ? fmt::format("{} normal laws in {} factor{} fit; ", components, anchor_.factors.size(),
                                                    anchor_.factors.size() == 1 ? "" : "s")
                                      : "",
                       this->functor().width, this->functor().horizon);
  }

 private:
  template <class Real>
  void make_energies_as(const Energy& target, const Energy& latent, std::unique_ptr<CurveEnergies<Real>>& made) const {
    if (with_form(this->functor().form, [](auto form) { return form.reads_target; }))
      made = std::make_unique<GradientFlowEnergies<Real>>(this->functor(), anchor_, target, latent, rows);
    else
      made = std::make_unique<MixtureFlowEnergies<Real>>(this->functor(), *this->template mixture_anchor<Real>(), latent);
  }
  void make_energies(const Energy& target, const Energy& latent, std::unique_ptr<CurveEnergies<float>>& made) const override {
    make_energies_as(target, latent, made);
  }
  void make_energies(const Energy& target, const Energy& latent, std::unique_ptr<CurveEnergies<double>>& made) const override {
    make_energies_as(target, latent, made);
  }
  void make_anchor(std::unique_ptr<MixtureAnchor<float>>& made) const override {
    made = std::make_unique<MixtureAnchor<float>>(this->functor(), anchor_.factors, latent_mean_);
  }
  void make_anchor(std::unique_ptr<MixtureAnchor<double>>& made) const override {
    made = std::make_unique<MixtureAnchor<double>>(this->functor(), anchor_.factors, latent_mean_);
  }

  void make_matching_kernel(const MatchingShape& shape, std::unique_ptr<MatchingKernel<float>>& made) const override {
    if constexpr (!schedule_is_learned) made = boltzcurve::make_matching_kernel<Flow, float>(this->functor(), this->networks(), shape);
  }
  void make_matching_kernel(const MatchingShape& shape, std::unique_ptr<MatchingKernel<double>>& made) const override {
    if constexpr (!schedule_is_learned) made = boltzcurve::make_matching_kernel<Flow, double>(this->functor(), this->networks(), shape);
  }

  void make_psi_kernel(std::unique_ptr<PsiKernel<float>>& made) const override { made = this->template matching_kernel<float>(); }
  void make_psi_kernel(std::unique_ptr<PsiKernel<double>>& made) const override { made = this->template matching_kernel<double>(); }

  static constexpr bool schedule_is_learned = std::is_same_v<Flow, ScheduledFlow>;
  static constexpr auto rows = schedule_is_learned ? GradientFlowRows::apart : GradientFlowRows::mixed;

  CurveAnchor anchor_;
  std::vector<double> latent_mean_;
};

bool has_learned_schedule(Schedule schedule) {
  return with_schedule(schedule, [](auto of_schedule) { return of_schedule.is_learned; });
}

void require_normal_latent(const CurveInput& input) {
  const auto& deviation = input.ends.latent_deviation;
  const bool round = std::all_of(deviation.begin(), deviation.end(), [&](double other) { return other == deviation.front(); });
  if (input.ends.latent_name == "gaussian" && round) return;
  throw SettingError(
      {"name", fmt::format(" = {}{}: the gradient flow needs a gaussian with one scale for all coordinates, since its densities "
                           "follow the Langevin diffusion towards it, whose closed form it uses; the curves linear and learned take "
                           "any latent density",
                           input.ends.latent_name, input.ends.latent_name == "gaussian" ? " with several scales" : "")},
      "latent");
}

/// Of mean and deviations alone.
MixtureFactor normal_law_of(const PilotSummary& pilot) {
  const std::size_t D = pilot.mean.size();
  std::vector<double> coordinates;
  for (std::size_t k = 0; k < D; ++k) coordinates.push_back(static_cast<double>(k));
  NormalMixture law{{1}, pilot.mean, std::vector<double>(D * D, 0.0), {}};
  for (std::size_t k = 0; k < D; ++k) {
    law.variance.push_back(pilot.deviation[k] * pilot.deviation[k]);
    law.axes[k * D + k] = 1;
  }
  return {std::move(coordinates), std::move(law)};
}

}  // namespace

std::unique_ptr<Curve> make_curve(const GradientFlow& curve, const CurveNetworks& networks, const CurveAnchor& anchor,
                                  const std::vector<double>& latent_mean) {
  if (has_learned_schedule(curve.schedule))
    return std::make_unique<GradientFlowCurve<ScheduledFlow>>(ScheduledFlow{curve}, networks, anchor, latent_mean);
  return std::make_unique<GradientFlowCurve<GradientFlow>>(curve, networks, anchor, latent_mean);
}

std::unique_ptr<Curve> make_gradient_flow_curve(const CurveInput& input) {
  require_normal_latent(input);
  if (input.normalizer.kind == NormalizerKind::batch)
    throw SettingError({"kind",
                        " = batch: the gradient flow leaves C_t to psi, which can add any function of t; auto or network will do, or the "
                        "curve linear or learned"},
                       "normalizer");
  const auto& pilot = input.ends.pilot;
  GradientFlow flow;
  flow.dimension = input.ends.dimension;
  flow.form = input.curve.form;
  flow.schedule = input.curve.schedule;
  flow.clock = input.curve.clock;
  flow.power = input.curve.power;
  flow.latent_scale = input.ends.latent_deviation.front();
  const bool reads_target = with_form(flow.form, [](auto form) { return form.reads_target; });
  if (!reads_target && has_learned_schedule(flow.schedule))
    throw SettingError({"schedule", " = learned: the form network has no share of the target's energy to schedule; any other will do"});
  flow.width = input.curve.width > 0 ? input.curve.width : pilot.width;
  flow.clock_width = input.curve.clock_width * flow.width;
  const double variance = flow.latent_scale * flow.latent_scale;
  if (input.curve.horizon > 20 * variance)
    throw SettingError(
        {"horizon", fmt::format(" = {}: from a latent scale of {} nothing of the target is left long before; must be at most 20 "
                                "scale^2 = {}",
                                input.curve.horizon, flow.latent_scale, 20 * variance)});
  flow.horizon = input.curve.horizon;
  if (flow.horizon == 0 && !reads_target) {
    flow.horizon = whitened_horizon * variance;
  } else if (flow.horizon == 0) {
    double second_moment = 0;
    for (const double length : detail::about_latent_mean(input)) second_moment += length * length;
    flow.horizon = std::clamp(0.5 * variance * std::log(second_moment / (remaining_fraction * variance)), variance, 20 * variance);
  }
  CurveAnchor anchor;
  anchor.mean = pilot.mean;
  for (const double deviation : pilot.deviation) anchor.variance.push_back(deviation * deviation);
  anchor.offset = pilot.energy - 0.5 * input.ends.dimension;
  anchor.taming = detail::taming_of(input);
  anchor.factors = pilot.factors.empty() ? std::vector{normal_law_of(pilot)} : pilot.factors;

  const bool with_normalizer = input.normalizer.kind == NormalizerKind::network;
  std::vector<CurveNetwork> networks = {{"psi", detail::space_time_network(input, 1)}};
  if (has_learned_schedule(input.curve.schedule))
    networks.push_back({"schedule", {1, input.curve.schedule_width, input.curve.schedule_hidden_layers}});
  return make_curve(flow, detail::curve_networks(input, std::move(networks), with_normalizer, flow.width), anchor, input.ends.latent_mean);
}

template std::unique_ptr<ResidualKernel<float>> make_residual_kernel(const GradientFlow&, const CurveNetworks&, const LossShape&);
template std::unique_ptr<ResidualKernel<double>> make_residual_kernel(const GradientFlow&, const CurveNetworks&, const LossShape&);
template std::unique_ptr<ResidualKernel<float>> make_residual_kernel(const ScheduledFlow&, const CurveNetworks&, const LossShape&);
template std::unique_ptr<ResidualKernel<double>> make_residual_kernel(const ScheduledFlow&, const CurveNetworks&, const LossShape&);
template std::unique_ptr<MatchingKernel<float>> make_matching_kernel(const GradientFlow&, const CurveNetworks&, const MatchingShape&);
template std::unique_ptr<MatchingKernel<double>> make_matching_kernel(const GradientFlow&, const CurveNetworks&, const MatchingShape&);

}  // namespace boltzcurve
