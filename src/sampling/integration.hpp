#pragma once

#include <boltzcurve/energy.hpp>
#include <boltzcurve/sampling_settings.hpp>
#include "ode/dormand_prince.hpp"

#include <optional>

namespace boltzcurve {

/// The integrator's options for particles that must not leave `domain`.
inline IntegrationOptions integration_options(const IntegrationSettings& settings, const std::optional<Domain>& domain) {
  IntegrationOptions options{settings};
  options.domain = domain;
  return options;
}

}  // namespace boltzcurve
