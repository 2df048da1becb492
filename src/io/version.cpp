#include <boltzcurve/version.hpp>
#include "simd/pack.hpp"

#include <boltzcurve_build.hpp>
#include <boltzcurve_git_description.hpp>

namespace boltzcurve {

std::string_view version() { return BOLTZCURVE_VERSION; }

std::string_view git_description() { return BOLTZCURVE_GIT_DESCRIPTION; }

std::string_view build_flags() { return BOLTZCURVE_BUILD_FLAGS; }

bool native_vector_flags() {
  constexpr int bytes_of_every_processor = 16;
  return BOLTZCURVE_NATIVE_FLAGS || vector_bytes == 0 || vector_bytes > bytes_of_every_processor;
}

}  // namespace boltzcurve
