#pragma once

#include <boltzcurve/curve_settings.hpp>
#include <boltzcurve/energy.hpp>
#include <boltzcurve/network_settings.hpp>
#include "curve/curve_energies.hpp"
#include "curve/gradient_flow.hpp"
#include "curve/mixture_anchor.hpp"
#include "curve/scheduled_flow.hpp"
#include "energy/pilot_summary.hpp"
#include "network/networks.hpp"
#include "residual/curve_concept.hpp"
#include "residual/matching.hpp"
#include "residual/residual.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace boltzcurve {

/// What is known of the two ends of a curve.
struct CurveEnds {
  int dimension = 1;
  std::string latent_name = "gaussian";
  std::vector<double> latent_mean, latent_deviation;  ///< [D]
  PilotSummary pilot;                                 ///< of the target
};

/// What a curve is made of; each kind takes what it needs. Where a setting is 0, the pilot run is to decide.
struct CurveInput {
  CurveSettings curve;
  NetworkSettings network;
  NormalizerSettings normalizer;
  CurveEnds ends;
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
  virtual void interpolations_at(std::span<const double> clock, std::span<double> t, std::span<Interpolation> interpolations) const = 0;

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

  /// What makes goals for matching; null where the curve is not that of a diffusion from the target.
  template <class Real>
  std::unique_ptr<MixtureAnchor<Real>> mixture_anchor() const {
    std::unique_ptr<MixtureAnchor<Real>> made;
    make_anchor(made);
    return made;
  }

  /// Null where grad f_t is not what such a curve learns, or no plain sum of what is known and psi: linear, learned, a learned schedule.
  template <class Real>
  std::unique_ptr<MatchingKernel<Real>> matching_kernel(const MatchingShape& shape = {}) const {
    std::unique_ptr<MatchingKernel<Real>> made;
    make_matching_kernel(shape, made);
    return made;
  }

  /// What psi adds to the base (see CurveEnergies::base); null where there is no such network.
  template <class Real>
  std::unique_ptr<PsiKernel<Real>> psi_kernel() const {
    std::unique_ptr<PsiKernel<Real>> made;
    make_psi_kernel(made);
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
  virtual void make_anchor(std::unique_ptr<MixtureAnchor<float>>& made) const { made.reset(); }
  virtual void make_anchor(std::unique_ptr<MixtureAnchor<double>>& made) const { made.reset(); }
  virtual void make_matching_kernel(const MatchingShape&, std::unique_ptr<MatchingKernel<float>>&) const {}
  virtual void make_matching_kernel(const MatchingShape&, std::unique_ptr<MatchingKernel<double>>&) const {}
  virtual void make_psi_kernel(std::unique_ptr<PsiKernel<float>>&) const {}
  virtual void make_psi_kernel(std::unique_ptr<PsiKernel<double>>&) const {}
  virtual void make_energies(const Energy& target, const Energy& latent, std::unique_ptr<CurveEnergies<float>>& made) const = 0;
  virtual void make_energies(const Energy& target, const Energy& latent, std::unique_ptr<CurveEnergies<double>>& made) const = 0;
};

/// log Z_D [nats] by thermodynamic integration, log Z_Z minus the integral of C_t from the latent law to the target, where C_t is a network
/// of the curve; none without such a network or without exact ends. `parameters` of all networks, `latent_log_z` is log Z_Z.
std::optional<double> thermodynamic_log_z(const Curve& curve, std::span<const double> parameters, double latent_log_z);

/// Throws ConfigError, naming key and remedy, where the curve cannot do what the settings ask.
std::unique_ptr<Curve> make_curve(const CurveInput& input);

}  // namespace boltzcurve
