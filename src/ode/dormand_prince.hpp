#pragma once

#include <boltzcurve/energy.hpp>
#include <boltzcurve/particles.hpp>
#include <boltzcurve/sampling_settings.hpp>
#include <boltzcurve/views.hpp>
#include "ode/velocity_field.hpp"

#include <limits>
#include <optional>
#include <vector>

namespace boltzcurve {

/// The settings, and what else can be asked for.
struct IntegrationOptions : IntegrationSettings {
  /// Length of the first step in time; 0: by the rule of Hairer, Norsett and Wanner (Solving ODEs I, II.4), for one more evaluation.
  double first_step = 0;
  /// Upper bound of a step's length (1 % more is allowed where that saves a last, tiny one).
  double longest_step = std::numeric_limits<double>::infinity();
  /// Left by an accepted step: the particle has escaped. The start is not tested. None: all of R^D.
  std::optional<Domain> domain = {};
};

/// Where the particles ended and what it took: of the table its columns position, log_density, action, time, status and evaluations. All
/// Views are on the device; N particles in D dimensions, F frames. Position and time of a failed particle are the last accepted ones.
struct IntegratedParticles : ParticleTable<OnDevice> {
  Kokkos::View<int*> accepted_steps, rejected_steps;    ///< [N]
  Kokkos::View<double***, Kokkos::LayoutRight> frames;  ///< [F][N][D] positions at the frame times
};

/// Continuous normalizing flow: integrates the neural ODE dx/dt = v_t(x), the log density by the instantaneous change of variables,
/// d/dt log q = -div v_t(x), and the action, from t_begin to t_end, forward or backward, for every particle by itself: the Runge-Kutta
/// pair 5(4) of Dormand and Prince (J. Comput. Appl. Math. 6, 1980) with its order-5 result kept, last stage used
/// again as the next step's first, step sizes by a proportional-integral controller. The error of x and log q is controlled, that of the
/// action is not. No particle's path depends on the others, on `block` or on the order of the particles, to the last bit.
///
/// Particles advance in rounds of one attempted step each, `block` at a time; those that end make room for the next.
/// A trial step with a number that is not finite is repeated at a tenth of its length.
///
/// `position` [N][D] and `log_density` [N] are the state at t_begin. `frame_times` [F], in the direction of integration and between t_begin
/// and t_end (inclusive), ask for positions on the way: they come from the order-4 continuous extension of the accepted steps, so asking
/// for them changes no path; at t_begin and t_end they are the states themselves. After a failure the last accepted position is repeated.
///
/// Throws ConfigError on options out of range, and on frame times out of order or out of the interval.
IntegratedParticles integrate(const VelocityField& field, double t_begin, double t_end, Points<const double> position,
                              PointScalars<const double> log_density, const IntegrationOptions& options,
                              const std::vector<double>& frame_times = {});

}  // namespace boltzcurve
