#include "support/mpi_objects.hpp"

#include <array>
#include <atomic>

#include <mpi.h>

namespace boltzcurve::testing_support {
namespace {

enum Kind { communicator, group, type, operation, file, info, error_handler, kind_count };
constexpr std::array<const char*, kind_count> names = {"communicator(s)", "group(s)", "datatype(s)",     "operation(s)",
                                                       "file(s)",         "info(s)",  "error handler(s)"};

std::array<std::atomic<std::int64_t>, kind_count> made, freed;

/// Counts what a successful call has made or freed, and hands its code on.
int count(int code, std::array<std::atomic<std::int64_t>, kind_count>& counts, Kind kind, bool there_is_one = true) {
  if (code == MPI_SUCCESS && there_is_one) ++counts[kind];
  return code;
}

}  // namespace

std::int64_t mpi_objects_made() {
  std::int64_t all = 0;
  for (const auto& number : made) all += number;
  return all;
}

std::string mpi_objects_left() {
  std::string text;
  for (int kind = 0; kind < kind_count; ++kind)
    if (const auto left = made[static_cast<std::size_t>(kind)] - freed[static_cast<std::size_t>(kind)]; left != 0)
      text += (text.empty() ? "" : ", ") + std::to_string(left) + " " + names[static_cast<std::size_t>(kind)];
  return text;
}

}  // namespace boltzcurve::testing_support

using namespace boltzcurve::testing_support;

extern "C" {

int MPI_Comm_dup(MPI_Comm old, MPI_Comm* made_here) { return count(PMPI_Comm_dup(old, made_here), made, communicator); }
int MPI_Comm_create(MPI_Comm old, MPI_Group members, MPI_Comm* made_here) {
  const int code = PMPI_Comm_create(old, members, made_here);
  return count(code, made, communicator, code == MPI_SUCCESS && *made_here != MPI_COMM_NULL);
}
int MPI_Comm_split(MPI_Comm old, int color, int key, MPI_Comm* made_here) {
  const int code = PMPI_Comm_split(old, color, key, made_here);
  return count(code, made, communicator, code == MPI_SUCCESS && *made_here != MPI_COMM_NULL);
}
int MPI_Comm_split_type(MPI_Comm old, int split_type, int key, MPI_Info hints, MPI_Comm* made_here) {
  const int code = PMPI_Comm_split_type(old, split_type, key, hints, made_here);
  return count(code, made, communicator, code == MPI_SUCCESS && *made_here != MPI_COMM_NULL);
}
int MPI_Comm_free(MPI_Comm* comm) { return count(PMPI_Comm_free(comm), freed, communicator); }
int MPI_Comm_disconnect(MPI_Comm* comm) { return count(PMPI_Comm_disconnect(comm), freed, communicator); }

int MPI_Comm_group(MPI_Comm comm, MPI_Group* made_here) { return count(PMPI_Comm_group(comm, made_here), made, group); }
int MPI_Group_incl(MPI_Group old, int n, const int ranks[], MPI_Group* made_here) {
  return count(PMPI_Group_incl(old, n, ranks, made_here), made, group);
}
int MPI_Group_free(MPI_Group* old) { return count(PMPI_Group_free(old), freed, group); }

int MPI_Type_contiguous(int n, MPI_Datatype old, MPI_Datatype* made_here) {
  return count(PMPI_Type_contiguous(n, old, made_here), made, type);
}
int MPI_Type_vector(int n, int length, int stride, MPI_Datatype old, MPI_Datatype* made_here) {
  return count(PMPI_Type_vector(n, length, stride, old, made_here), made, type);
}
int MPI_Type_create_hvector(int n, int length, MPI_Aint stride, MPI_Datatype old, MPI_Datatype* made_here) {
  return count(PMPI_Type_create_hvector(n, length, stride, old, made_here), made, type);
}
int MPI_Type_create_hindexed(int n, const int lengths[], const MPI_Aint offsets[], MPI_Datatype old, MPI_Datatype* made_here) {
  return count(PMPI_Type_create_hindexed(n, lengths, offsets, old, made_here), made, type);
}
int MPI_Type_create_hindexed_block(int n, int length, const MPI_Aint offsets[], MPI_Datatype old, MPI_Datatype* made_here) {
  return count(PMPI_Type_create_hindexed_block(n, length, offsets, old, made_here), made, type);
}
int MPI_Type_create_indexed_block(int n, int length, const int offsets[], MPI_Datatype old, MPI_Datatype* made_here) {
  return count(PMPI_Type_create_indexed_block(n, length, offsets, old, made_here), made, type);
}
int MPI_Type_create_struct(int n, const int lengths[], const MPI_Aint offsets[], const MPI_Datatype olds[], MPI_Datatype* made_here) {
  return count(PMPI_Type_create_struct(n, lengths, offsets, olds, made_here), made, type);
}
int MPI_Type_create_subarray(int n, const int sizes[], const int parts[], const int starts[], int order, MPI_Datatype old,
                             MPI_Datatype* made_here) {
  return count(PMPI_Type_create_subarray(n, sizes, parts, starts, order, old, made_here), made, type);
}
int MPI_Type_create_resized(MPI_Datatype old, MPI_Aint lower, MPI_Aint extent, MPI_Datatype* made_here) {
  return count(PMPI_Type_create_resized(old, lower, extent, made_here), made, type);
}
int MPI_Type_dup(MPI_Datatype old, MPI_Datatype* made_here) { return count(PMPI_Type_dup(old, made_here), made, type); }
int MPI_Type_free(MPI_Datatype* old) { return count(PMPI_Type_free(old), freed, type); }

int MPI_Op_create(MPI_User_function* function, int commutes, MPI_Op* made_here) {
  return count(PMPI_Op_create(function, commutes, made_here), made, operation);
}
int MPI_Op_free(MPI_Op* old) { return count(PMPI_Op_free(old), freed, operation); }

int MPI_File_open(MPI_Comm comm, const char* name, int mode, MPI_Info hints, MPI_File* made_here) {
  return count(PMPI_File_open(comm, name, mode, hints, made_here), made, file);
}
int MPI_File_close(MPI_File* old) { return count(PMPI_File_close(old), freed, file); }

int MPI_Info_create(MPI_Info* made_here) { return count(PMPI_Info_create(made_here), made, info); }
int MPI_Info_dup(MPI_Info old, MPI_Info* made_here) { return count(PMPI_Info_dup(old, made_here), made, info); }
int MPI_File_get_info(MPI_File of, MPI_Info* made_here) { return count(PMPI_File_get_info(of, made_here), made, info); }
int MPI_Comm_get_info(MPI_Comm of, MPI_Info* made_here) { return count(PMPI_Comm_get_info(of, made_here), made, info); }
int MPI_Info_free(MPI_Info* old) { return count(PMPI_Info_free(old), freed, info); }

int MPI_Comm_create_errhandler(MPI_Comm_errhandler_function* function, MPI_Errhandler* made_here) {
  return count(PMPI_Comm_create_errhandler(function, made_here), made, error_handler);
}
int MPI_Errhandler_free(MPI_Errhandler* old) { return count(PMPI_Errhandler_free(old), freed, error_handler); }

}  // extern "C"
