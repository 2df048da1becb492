#pragma once

#include <boltzcurve/curve/curve_energies.hpp>
#include <boltzcurve/curve/residual.hpp>
#include <boltzcurve/energy/energy.hpp>
#include <boltzcurve/ode/velocity_field.hpp>
#include <boltzcurve/training/batch_loss.hpp>

#include <memory>
#include <span>

namespace boltzcurve {

/// The velocity v_t = grad(f_t - f_Z) of a gradient-flow curve with the given parameters, and its divergence, as a field to integrate. The
/// energies and the network are evaluated in `precision`, whatever the integrator's own. The energies must outlive the field.
std::unique_ptr<VelocityField> make_velocity_field(Precision precision, const GradientFlow& curve, const CurveAnchor& anchor,
                                                   const CurveNetworks& networks, std::span<const double> parameters, const Energy& target,
                                                   const Energy& latent);

}  // namespace boltzcurve
