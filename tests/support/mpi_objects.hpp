#pragma once

#include <cstdint>
#include <string>

// Programs that link mpi_objects.cpp count the objects of MPI that they make and free, also those that HDF5 makes for them: MPI calls its
// functions by names that a program may define itself, and keeps them under PMPI_ (the profiling interface). What memcheck cannot tell:
// it leaves out what MPI itself holds.
namespace boltzcurve::testing_support {

/// So far, in this process.
std::int64_t mpi_objects_made();

/// "2 communicators, 1 file" that are not freed yet; empty if there are none.
std::string mpi_objects_left();

}  // namespace boltzcurve::testing_support
