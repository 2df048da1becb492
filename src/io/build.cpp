#include "io/build.hpp"
#include <boltzcurve/version.hpp>
#include "parallel/mpi_check.hpp"

#include <string_view>

#include <fmt/format.h>
#include <hdf5.h>
#include <mpi.h>
#include <Kokkos_Core.hpp>

namespace boltzcurve {
namespace {

std::string kokkos_text() {
  std::string backends = Kokkos::DefaultExecutionSpace::name();
  const std::string host = Kokkos::DefaultHostExecutionSpace::name();
  if (host != backends) backends += ", " + host;
  return fmt::format("{}.{}.{} ({})", KOKKOS_VERSION / 10000, KOKKOS_VERSION / 100 % 100, KOKKOS_VERSION % 100, backends);
}

std::string mpi_text() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  check_mpi(MPI_Get_library_version(text, &length), "MPI_Get_library_version");
  const std::string_view library(text, static_cast<std::size_t>(length));
  return std::string(library.substr(0, library.find_first_of(",\n")));  // the rest tells who built it
}

std::string hdf5_text() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace

std::string build_text() {
  return fmt::format("compiler      {}\nvector flags  {}\nKokkos        {}\nMPI           {}\nHDF5          {}\n", build_flags(),
                     native_vector_flags() ? "native" : "NOT native: kernels are about ten times slower than with -DBOLTZCURVE_NATIVE=ON",
                     kokkos_text(), mpi_text(), hdf5_text());
}

std::string version_text() { return fmt::format("boltzcurve {} ({})\n{}", version(), git_description(), build_text()); }

}  // namespace boltzcurve
