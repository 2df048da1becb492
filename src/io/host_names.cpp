#include "io/host_names.hpp"
#include "parallel/mpi_check.hpp"

namespace boltzcurve {

std::vector<std::string> host_of_each_rank(const Communicator& world) {
  char name[MPI_MAX_PROCESSOR_NAME];
  int length = 0;
  check_mpi(MPI_Get_processor_name(name, &length), "MPI_Get_processor_name");
  return world.all_gather(std::string(name, static_cast<std::size_t>(length)));
}

}  // namespace boltzcurve
