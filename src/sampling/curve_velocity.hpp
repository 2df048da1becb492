#pragma once

#include <boltzcurve/energy.hpp>
#include <boltzcurve/precision.hpp>
#include "curve/curve.hpp"
#include "ode/velocity_field.hpp"

#include <memory>
#include <span>

namespace boltzcurve {

/// The velocity of a curve whose networks have the given parameters, and its divergence, as a field to integrate. Energies and networks are
/// evaluated in `precision`, whatever the integrator's own. The energies must outlive the field.
std::unique_ptr<VelocityField> make_velocity_field(Precision precision, const Curve& curve, std::span<const double> parameters,
                                                   const Energy& target, const Energy& latent);

}  // namespace boltzcurve
