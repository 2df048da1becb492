# Everything boltzcurve needs, each found where the user has it.

find_package(MPI REQUIRED COMPONENTS C CXX)

find_package(Kokkos REQUIRED)
# Debian 12's package names an include folder that does not exist (/usr/lib/include) on its imported target; its variable is right.
if(TARGET Kokkos::kokkoscore AND DEFINED Kokkos_INCLUDE_DIRS AND Kokkos_INCLUDE_DIRS)
  set_target_properties(Kokkos::kokkoscore PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${Kokkos_INCLUDE_DIRS}")
elseif(TARGET kokkoscore AND NOT TARGET Kokkos::kokkoscore)
  set_target_properties(kokkoscore PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${Kokkos_INCLUDE_DIRS}")
  add_library(Kokkos::kokkoscore ALIAS kokkoscore)
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
