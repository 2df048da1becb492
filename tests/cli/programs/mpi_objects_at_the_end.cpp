// Preloaded into the real executable (LD_PRELOAD): says at its end how many objects of MPI it has made, and ends with 86 where some are
// left.
#include <cstdio>
#include <cstdlib>

#include <mpi.h>

#include "support/mpi_objects.hpp"

using namespace boltzcurve::testing_support;

extern "C" int MPI_Finalize() {
  const auto left = mpi_objects_left();
  std::fprintf(stderr, "MPI objects made: %lld; left: %s\n", static_cast<long long>(mpi_objects_made()),
               left.empty() ? "none" : left.c_str());
  const int code = PMPI_Finalize();
  if (left.empty()) return code;
  std::fflush(nullptr);
  std::_Exit(86);
}
