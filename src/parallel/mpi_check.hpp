#pragma once

namespace boltzcurve {

/// Throws Error (internal error) unless `code`, what a function of MPI returned, says success: "MPI_Allreduce failed on rank 2 of 4: " with
/// MPI's text of the code and of its class. Errors come back like this only where the communicator's handler is MPI_ERRORS_RETURN.
void check_mpi(int code, const char* function);

}  // namespace boltzcurve
