#pragma once

#include <boltzcurve/choice.hpp>
#include <boltzcurve/energy.hpp>
#include "curve/curve_energies.hpp"
#include "curve/gradient_flow.hpp"
#include "curve/scheduled_flow.hpp"
#include "energy/pilot_summary.hpp"
#include "network/networks.hpp"
#include "residual/curve_functor.hpp"
#include "residual/residual.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// The curves, a line each: identifier, name and meaning. Each has its own file in src/curve, which defines make_IDENTIFIER_curve.
#define BOLTZCURVE_CURVES(ENTRY)                                                                                    \
  ENTRY(gradient_flow, "gradient-flow", "energy g(t) f_D + t psi or better (curve.form), velocity grad(f_t - f_Z)") \
  ENTRY(linear, "linear", "energy (1-t) f_Z + t f_D; learned: the velocity")                                        \
  ENTRY(learned, "learned", "energy (1-t) f_Z + t f_D + t(1-t) psi; learned: psi and the velocity")

#define BOLTZCURVE_CURVE_NAME(identifier, name, meaning) identifier,
#define BOLTZCURVE_CURVE_CHOICE(identifier, name, meaning) {CurveName::identifier, name, meaning},
enum class CurveName { BOLTZCURVE_CURVES(BOLTZCURVE_CURVE_NAME) };
template <>
inline constexpr auto choices<CurveName> = std::to_array<Choice<CurveName>>({BOLTZCURVE_CURVES(BOLTZCURVE_CURVE_CHOICE)});
#undef BOLTZCURVE_CURVE_NAME
#undef BOLTZCURVE_CURVE_CHOICE

/// How C_t = -(d/dt) log Z_t is known.
enum class NormalizerKind { automatic, none, network, batch };
template <>
inline constexpr auto choices<NormalizerKind> = std::to_array<Choice<NormalizerKind>>({
    {NormalizerKind::automatic, "auto", "none for gradient-flow, which absorbs it in psi, else network"},
    {NormalizerKind::none, "none", "C_t = 0"},
    {NormalizerKind::network, "network", "C_t is a small network of t alone"},
    {NormalizerKind::batch, "batch", "C_t is what the residuals of the batches have in common, in 32 bins of the clock (linear, learned)"},
});

/// What curves are told; each takes what it needs. 0 where the pilot run is to decide.
struct CurveSettings {
  int dimension = 1;
  double horizon = 0;
  CurveForm form = CurveForm::contracted;
  Schedule schedule = Schedule::diffusion;
  CurveClock clock = CurveClock::logarithmic;
  double width = 0, power = 4;
  int schedule_width = 16, schedule_hidden_layers = 1;  ///< of the schedule `learned`
  double clock_width = 0.3;                             ///< c' over the squared width of modes

  int network_width = 64, hidden_layers = 3;  ///< of psi and of the velocity
  double input_range = 0;
  FirstLayer first_layer = FirstLayer::all;
  NormalizerKind normalizer = NormalizerKind::automatic;
  int normalizer_width = 16, normalizer_hidden_layers = 1;

  std::string latent_name = "gaussian";
  std::vector<double> latent_mean, latent_deviation;  ///< [D]
  PilotSummary pilot;                                 ///< of the target
};

/// A curve of densities between latent law and target, as everything but the kernels sees it.
class Curve {
 public:
  virtual ~Curve() = default;

  virtual int dimension() const = 0;
  virtual const CurveNetworks& networks() const = 0;

  /// The ends. The clock shows 0 at the target and 1 at the latent law, whichever way the time runs.
  virtual double target_time() const = 0;
  virtual double latent_time() const = 0;
  virtual double time_at(double clock) const = 0;
  virtual ClockReading<double> clock_at(double t) const = 0;

  /// For drawing points: the times at which the clock shows clock[i], and how a point y of the target comes there, roughly:
  /// m + contraction (y - m) + spread e with m and e of the latent law.
  virtual void bridges_at(std::span<const double> clock, std::span<double> t, std::span<Bridge> bridges) const = 0;

  /// Whether f_t is f_Z at the latent end and f_D at the target, so that log Z_D - log Z_Z is minus the integral of C_t between them.
  virtual bool has_exact_ends() const = 0;

  /// What follows from the pilot run, for the log: "horizon 4.3".
  virtual std::string description() const = 0;

  template <class Real>
  std::unique_ptr<ResidualKernel<Real>> kernel(const LossShape& loss = {}) const {
    std::unique_ptr<ResidualKernel<Real>> made;
    make_kernel(loss, made);
    return made;
  }

  /// The energies must outlive what is made.
  template <class Real>
  std::unique_ptr<CurveEnergies<Real>> energies(const Energy& target, const Energy& latent) const {
    std::unique_ptr<CurveEnergies<Real>> made;
    make_energies(target, latent, made);
    return made;
  }

 private:
  virtual void make_kernel(const LossShape& loss, std::unique_ptr<ResidualKernel<float>>& made) const = 0;
  virtual void make_kernel(const LossShape& loss, std::unique_ptr<ResidualKernel<double>>& made) const = 0;
  virtual void make_energies(const Energy& target, const Energy& latent, std::unique_ptr<CurveEnergies<float>>& made) const = 0;
  virtual void make_energies(const Energy& target, const Energy& latent, std::unique_ptr<CurveEnergies<double>>& made) const = 0;
};

/// log Z_D [nats] by thermodynamic integration, log Z_Z minus the integral of C_t from the latent law to the target, where C_t is a network
/// of the curve; none without such a network or without exact ends. `parameters` of all networks, `latent_log_z` is log Z_Z.
std::optional<double> thermodynamic_log_z(const Curve& curve, std::span<const double> parameters, double latent_log_z);

/// Throws ConfigError, naming key and remedy, where the curve cannot do what the settings ask.
std::unique_ptr<Curve> make_curve(CurveName name, const CurveSettings& settings);

}  // namespace boltzcurve
