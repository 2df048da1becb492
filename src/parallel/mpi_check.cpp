#include "parallel/mpi_check.hpp"
#include <boltzcurve/error.hpp>

#include <string>

#include <mpi.h>

namespace boltzcurve {
namespace {

std::string text_of(int code) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) return "error " + std::to_string(code);
  return {text, static_cast<std::size_t>(length)};
}

std::string this_rank() {
  int rank = 0, size = 1;
  if (MPI_Comm_rank(MPI_COMM_WORLD, &rank) != MPI_SUCCESS || MPI_Comm_size(MPI_COMM_WORLD, &size) != MPI_SUCCESS || size == 1) return {};
  return " on rank " + std::to_string(rank) + " of " + std::to_string(size);
}

}  // namespace

void check_mpi(int code, const char* function) {
  if (code == MPI_SUCCESS) return;
  auto reason = text_of(code);
  int error_class = code;
  if (MPI_Error_class(code, &error_class) == MPI_SUCCESS && error_class != code)
    if (const auto of_class = text_of(error_class); of_class != reason) reason += " (" + of_class + ")";
  throw Error(ExitCode::internal_error, std::string(function) + " failed" + this_rank() + ": " + reason);
}

}  // namespace boltzcurve
