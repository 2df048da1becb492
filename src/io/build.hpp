#pragma once

#include <string>

namespace boltzcurve {

/// How this executable was built and what it runs on, a line each: compiler and flags, vector flags, Kokkos and its backend, MPI, HDF5.
/// Callable before Kokkos is started.
std::string build_text();

/// The answer to --version: version and git description on the first line, build_text() behind.
std::string version_text();

}  // namespace boltzcurve
