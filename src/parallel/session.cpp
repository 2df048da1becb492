#include <boltzcurve/error.hpp>
#include <boltzcurve/session.hpp>
#include "parallel/mpi_check.hpp"

#include <cstdio>
#include <cstdlib>

namespace boltzcurve {

MpiSession::MpiSession(int& argc, char**& argv) {
  constexpr int keep_the_users_value = 0;
  setenv("OMPI_MCA_fbtl_posix_write_datasieving", "0", keep_the_users_value);
  // Shared file pointers, which nobody here uses: this kind writes beyond its memory where a file's absolute path has 248 letters or more.
  setenv("OMPI_MCA_sharedfp", "^lockedfile", keep_the_users_value);
  int provided = MPI_THREAD_SINGLE;
  if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
    throw Error(ExitCode::internal_error, "MPI_Init_thread failed");
  // Errors come back and become exceptions with a cause, instead of an abort of MPI's own; communicators made of these two inherit it.
  for (const MPI_Comm comm : {MPI_COMM_WORLD, MPI_COMM_SELF})
    check_mpi(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  world_.emplace(MPI_COMM_WORLD);
}

MpiSession::~MpiSession() {
  if (MPI_Finalize() != MPI_SUCCESS) std::fputs("boltzcurve: warning: MPI_Finalize failed\n", stderr);
}

KokkosSession::KokkosSession(int argc, const char* const* argv) {
  arguments_.emplace_back(argc > 0 ? argv[0] : "boltzcurve");
  for (int i = 1; i < argc; ++i)
    if (std::string(argv[i]).rfind("--kokkos-", 0) == 0) arguments_.emplace_back(argv[i]);
  for (auto& argument : arguments_) pointers_.push_back(argument.data());
  int count = static_cast<int>(pointers_.size());
  pointers_.push_back(nullptr);
  guard_.emplace(count, pointers_.data());
}

}  // namespace boltzcurve
