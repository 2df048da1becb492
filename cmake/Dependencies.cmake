# Everything boltzcurve needs, each found where the user has it.

find_package(MPI REQUIRED COMPONENTS C CXX)

find_package(Kokkos REQUIRED)
# Debian 12's package (Kokkos 3.4) puts an include folder on Kokkos::kokkos that does not exist (/usr/lib/include), which is an error at
# generation; its variable Kokkos_INCLUDE_DIRS is right. The same line adds "-DKOKKOS_DEPENDENCE", harmless.
if(Kokkos_INCLUDE_DIRS)
  set_target_properties(Kokkos::kokkos PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${Kokkos_INCLUDE_DIRS}")
endif()

set(HDF5_PREFER_PARALLEL ON)
find_package(HDF5 REQUIRED COMPONENTS C)
if(NOT TARGET HDF5::HDF5)
  add_library(HDF5::HDF5 INTERFACE IMPORTED)
  set_target_properties(HDF5::HDF5 PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${HDF5_INCLUDE_DIRS}" INTERFACE_LINK_LIBRARIES "${HDF5_LIBRARIES}")
endif()

find_package(Boost 1.71 REQUIRED COMPONENTS program_options)
find_package(fmt REQUIRED)
find_package(nlohmann_json 3 REQUIRED)
