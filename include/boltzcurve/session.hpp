#pragma once

#include <boltzcurve/communicator.hpp>

#include <optional>
#include <string>
#include <vector>

#include <Kokkos_Core.hpp>

namespace boltzcurve {

/// MPI from its construction to its destruction. Sets OMPI_MCA_fbtl_posix_write_datasieving=0 first, unless the user chose a value:
/// with data sieving, Open MPI 4.1 corrupts small collective HDF5 writes silently (open-mpi/ompi #12718).
/// MPI's errors come back as return codes (MPI_ERRORS_RETURN): see check_mpi().
class MpiSession {
 public:
  MpiSession(int& argc, char**& argv);
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  const Communicator& world() const { return *world_; }

 private:
  std::optional<Communicator> world_;
};

/// Kokkos from construction to destruction. Hands on only arguments that begin with --kokkos-, on a copy: Kokkos 3.4 answers a bare
/// --help itself and warns about options that it does not know.
class KokkosSession {
 public:
  KokkosSession(int argc, const char* const* argv);

 private:
  std::vector<std::string> arguments_;
  std::vector<char*> pointers_;
  std::optional<Kokkos::ScopeGuard> guard_;
};

}  // namespace boltzcurve
