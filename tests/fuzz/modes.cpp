// A CSV file of Gaussian modes, and the target that is made of it.
#include "harness.hpp"

#include "energy/gaussian_mixture.hpp"

#include <Kokkos_Core.hpp>

#include <cmath>
#include <sstream>
#include <string>

using namespace boltzcurve;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Kokkos::ScopeGuard kokkos;
  fuzzing::may_be_refused([&] {
    std::istringstream text(std::string(reinterpret_cast<const char*>(data), size));
    const auto modes = parse_gaussian_modes(text, "modes.csv");
    for (const auto& mode : modes) {
      // What the resolved configuration holds in place of the file.
      const auto line = format_gaussian_mode(mode);
      fuzzing::require(format_gaussian_mode(parse_gaussian_mode(line, "mode")) == line, "a mode is not read back as itself: " + line);
    }
    const auto target = make_gaussian_mixture({modes.front()});  // the entropy of more takes seconds
    fuzzing::require(std::isfinite(target->entropy().value()), "the entropy is not finite");
    for (const double bound : target->domain().upper) fuzzing::require(std::isfinite(bound), "the domain has no end");
  });
  return 0;
}
