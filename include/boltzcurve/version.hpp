#pragma once

#include <string_view>

namespace boltzcurve {

/// Release of this program: "MAJOR.MINOR.PATCH".
std::string_view version();

/// `git describe --always --dirty --tags` of the source at the last build, for example "v0.1.0-3-g1a2b3c4-dirty" ("dirty": with edits that
/// no commit has). From a tarball: the description of the commit it was made from; "unknown" where nothing tells.
std::string_view git_description();

/// Compiler, build type and every flag but warnings, on one line: "GNU 12.2.0 Release: -O3 -DNDEBUG ...".
std::string_view build_flags();

/// Whether the kernels were compiled for more than the vector registers that every processor of this family has: by BOLTZCURVE_NATIVE=ON,
/// or by flags of the user's that gave them wider ones. Where not, they are about ten times slower than they could be, and users are told
/// so.
bool native_vector_flags();

}  // namespace boltzcurve
