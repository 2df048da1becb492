#pragma once

#include "network/network_concept.hpp"

#include "all_network_models.hpp"  // every header of src/network/models, listed by the build

namespace boltzcurve {

/// body(NetworkOf<kind>()), the one place where the kinds are told apart. Host and device.
template <class Body>
KOKKOS_FORCEINLINE_FUNCTION auto with_network(NetworkKind kind, const Body& body) {
  using enum NetworkKind;
#define BOLTZCURVE_NETWORK(identifier, name, meaning)                    \
  static_assert(Network<NetworkOf<identifier>>, "not a network: " name); \
  case identifier:                                                       \
    return body(NetworkOf<identifier>());
  switch (kind) { BOLTZCURVE_NETWORKS(BOLTZCURVE_NETWORK) }
#undef BOLTZCURVE_NETWORK
  __builtin_unreachable();
}

}  // namespace boltzcurve
