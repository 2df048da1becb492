# Everything boltzcurve needs, each found where the user has it. What is missing or unfit stops the configuration with a message that
# says what was found, what to install and how to point at another copy.

# Stops with a message about one dependency: boltzcurve_stop(<problem> PACKAGES <Debian packages> POINT <how to name another copy>)
function(boltzcurve_stop problem)
  cmake_parse_arguments(PARSE_ARGV 1 advice "" "PACKAGES;POINT" "")
  set(lines "${problem}")
  if(advice_PACKAGES)
    string(APPEND lines "\n  Debian, Ubuntu:  sudo apt-get install ${advice_PACKAGES}   (all at once: tools/install_dependencies.sh)")
  endif()
  if(advice_POINT)
    string(APPEND lines "\n  Elsewhere:       ${advice_POINT}")
  endif()
  message(FATAL_ERROR "${lines}")
endfunction()

# Compiler
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 11)
  boltzcurve_stop("The C++ compiler is GCC ${CMAKE_CXX_COMPILER_VERSION} (${CMAKE_CXX_COMPILER}); C++20 as used here needs GCC 11 or newer."
    PACKAGES "g++" POINT "module load a newer GCC, then configure a fresh build folder with -DCMAKE_CXX_COMPILER=/path/to/g++")
endif()

# MPI
set(MPI_DETERMINE_LIBRARY_VERSION ON)
find_package(MPI QUIET COMPONENTS C CXX)
if(NOT MPI_CXX_FOUND OR NOT MPI_C_FOUND)
  boltzcurve_stop("No MPI found (looked for mpicc and mpicxx): every run of boltzcurve is an MPI program."
    PACKAGES "openmpi-bin libopenmpi-dev" POINT "module load an MPI, or -DMPI_CXX_COMPILER=/path/to/mpicxx -DMPI_C_COMPILER=/path/to/mpicc")
endif()

# Kokkos. The version is checked here because its own version file accepts one major version only.
set(kokkos_advice PACKAGES "libtrilinos-kokkos-dev" POINT "-DKokkos_ROOT=<prefix where Kokkos 3.4 to 5.x is installed>")
find_package(Kokkos QUIET)
if(NOT Kokkos_FOUND)
  boltzcurve_stop("No Kokkos found (looked for KokkosConfig.cmake)." ${kokkos_advice})
endif()
if(Kokkos_VERSION VERSION_LESS 3.4 OR Kokkos_VERSION VERSION_GREATER_EQUAL 6)
  boltzcurve_stop("Kokkos ${Kokkos_VERSION} found in ${Kokkos_DIR}; boltzcurve is written for Kokkos 3.4 to 5.x." ${kokkos_advice})
endif()
include(${CMAKE_CURRENT_LIST_DIR}/MendKokkosTarget.cmake)
if(BOLTZCURVE_BACKEND AND NOT BOLTZCURVE_BACKEND IN_LIST Kokkos_DEVICES)
  list(JOIN Kokkos_DEVICES ", " devices)
  boltzcurve_stop("The Kokkos in ${Kokkos_DIR} has ${devices}, but not ${BOLTZCURVE_BACKEND}, which BOLTZCURVE_BACKEND asks for."
    POINT "-DKokkos_ROOT=<prefix of a Kokkos built with Kokkos_ENABLE_${BOLTZCURVE_BACKEND}=ON>, or the preset release, which takes any back end")
endif()

# HDF5, built on the MPI above
set(hdf5_advice PACKAGES "libhdf5-openmpi-dev" POINT "-DHDF5_ROOT=<prefix of a parallel HDF5>, the one whose bin folder holds h5pcc")
set(HDF5_PREFER_PARALLEL ON)
find_package(HDF5 QUIET COMPONENTS C)
if(NOT HDF5_FOUND)
  boltzcurve_stop("No HDF5 found (looked for h5pcc and hdf5.h)." ${hdf5_advice})
endif()
if(NOT HDF5_IS_PARALLEL)
  boltzcurve_stop("HDF5 ${HDF5_VERSION} found, but it is the serial one (${HDF5_C_LIBRARIES}): all ranks write one file, which needs HDF5 built with MPI."
    ${hdf5_advice})
endif()
if(HDF5_VERSION VERSION_LESS 1.10)
  boltzcurve_stop("HDF5 ${HDF5_VERSION} found; boltzcurve uses the 1.10 interface." ${hdf5_advice})
endif()

# The rest
find_package(Boost 1.71 QUIET CONFIG COMPONENTS program_options)
if(NOT TARGET Boost::program_options)
  boltzcurve_stop("No Boost.Program_options 1.71 or newer found." PACKAGES "libboost-program-options-dev" POINT "-DBoost_ROOT=<prefix that holds lib/cmake/Boost-*>")
endif()
if(NOT EXISTS ${Boost_INCLUDE_DIRS}/boost/math/special_functions/legendre.hpp)
  boltzcurve_stop("Boost ${Boost_VERSION} in ${Boost_INCLUDE_DIRS} is without the header boost/math/special_functions/legendre.hpp." PACKAGES "libboost-dev"
    POINT "-DBoost_ROOT=<prefix that holds lib/cmake/Boost-*>")
endif()
find_package(Eigen3 3.3 QUIET NO_MODULE)
if(NOT TARGET Eigen3::Eigen)
  boltzcurve_stop("No Eigen 3.3 or newer found (looked for Eigen3Config.cmake)." PACKAGES "libeigen3-dev" POINT "-DEigen3_ROOT=<prefix>")
endif()
find_package(fmt QUIET)
if(NOT fmt_FOUND)
  boltzcurve_stop("The formatting library {fmt} was not found." PACKAGES "libfmt-dev" POINT "-Dfmt_ROOT=<prefix>")
endif()
find_package(nlohmann_json 3 QUIET)
if(NOT nlohmann_json_FOUND)
  boltzcurve_stop("nlohmann_json 3 was not found." PACKAGES "nlohmann-json3-dev" POINT "-Dnlohmann_json_ROOT=<prefix>")
endif()
find_package(Random123 QUIET)
if(NOT Random123_FOUND)
  boltzcurve_stop("The header Random123/philox.h (counter-based random numbers) was not found."
    PACKAGES "librandom123-dev" POINT "-DRandom123_ROOT=<folder whose include/ holds Random123/>")
endif()

if(BOLTZCURVE_TESTS)
  find_package(GTest QUIET)
  if(NOT TARGET GTest::gmock)
    boltzcurve_stop("GoogleTest with GoogleMock was not found; the tests need it." PACKAGES "libgtest-dev libgmock-dev"
      POINT "-DGTest_ROOT=<prefix>, or build without tests: -DBOLTZCURVE_TESTS=OFF")
  endif()
  find_package(Python3 QUIET COMPONENTS Interpreter)
  if(NOT Python3_FOUND)
    boltzcurve_stop("No Python 3 found; the tests of the tree and of the plots need it." PACKAGES "python3"
      POINT "-DPython3_EXECUTABLE=/path/to/python3, or build without tests: -DBOLTZCURVE_TESTS=OFF")
  endif()
endif()

# Only the benchmarks know these two: google-benchmark to run them, OpenBLAS as the ceiling to compare with.
if(BOLTZCURVE_BENCHMARKS)
  find_package(benchmark QUIET)
  find_package(OpenBLAS QUIET CONFIG)
  if(OpenBLAS_FOUND AND NOT TARGET OpenBLAS::OpenBLAS)
    add_library(OpenBLAS::OpenBLAS INTERFACE IMPORTED)
    set_target_properties(OpenBLAS::OpenBLAS PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${OpenBLAS_INCLUDE_DIRS}"
                                                        INTERFACE_LINK_LIBRARIES "${OpenBLAS_LIBRARIES}")
  endif()
endif()
