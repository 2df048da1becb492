# Flags for our own code only; they never reach those who link the library.
include(CheckCXXCompilerFlag)

add_library(boltzcurve_options INTERFACE)
target_compile_options(boltzcurve_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  # no errno from sqrt and friends, no traps: both only stop loops from being vectorised and change no result
  -fno-math-errno -fno-trapping-math)
# Newer HDF5 libraries keep the interface of 1.10 behind the first; the C++ interface of MPI, which nobody uses, would be compiled with every
# source without the others.
target_compile_definitions(boltzcurve_options INTERFACE H5_USE_110_API OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
if("CUDA" IN_LIST Kokkos_DEVICES)
  # nvcc's own front end: constants of the standard library in kernels, {fmt} as with GCC alone, and what it
  # hands on to the host compiler is not pedantic C++. The wrapper passes all other flags to the host compiler.
  # A host function called in a kernel is an error: nvcc would leave the kernel empty with no more than a warning.
  target_compile_options(boltzcurve_options INTERFACE --expt-relaxed-constexpr --Werror=cross-execution-space-call -Wno-pedantic)
  target_compile_definitions(boltzcurve_options INTERFACE FMT_USE_CONSTEXPR=1)
endif()
if(BOLTZCURVE_WERROR)
  target_compile_options(boltzcurve_options INTERFACE -Werror)
endif()

set(boltzcurve_native_flag "")
if(BOLTZCURVE_NATIVE)
  check_cxx_compiler_flag(-march=native BOLTZCURVE_HAS_MARCH_NATIVE)
  check_cxx_compiler_flag(-mcpu=native BOLTZCURVE_HAS_MCPU_NATIVE)
  if(BOLTZCURVE_HAS_MARCH_NATIVE)
    set(boltzcurve_native_flag -march=native)
  elseif(BOLTZCURVE_HAS_MCPU_NATIVE)
    set(boltzcurve_native_flag -mcpu=native)
  else()
    message(WARNING "This compiler knows neither -march=native nor -mcpu=native: kernels may run ten times slower than the machine can. "
                    "Name its vector flags in CMAKE_CXX_FLAGS and set BOLTZCURVE_NATIVE=OFF.")
  endif()
  target_compile_options(boltzcurve_options INTERFACE ${boltzcurve_native_flag})
endif()

if(BOLTZCURVE_SANITIZE)
  target_compile_options(boltzcurve_options INTERFACE -fsanitize=${BOLTZCURVE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(boltzcurve_options INTERFACE -fsanitize=${BOLTZCURVE_SANITIZE})
endif()

# The kernels need -O3 (inlining and unrolling of the register blocks); CMake's own Release has it, its RelWithDebInfo has not.
string(REPLACE "-O2" "-O3" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")

# Headers of others that most sources of a target include, parsed once: about half of the time that compiling them takes.
# CMAKE_DISABLE_PRECOMPILE_HEADERS=ON does without. With FROM OTHER in place of headers: those of another target.
function(boltzcurve_precompile target)
  if("CUDA" IN_LIST Kokkos_DEVICES)
    return()
  endif()
  if("${ARGV1}" STREQUAL FROM)
    target_precompile_headers(${target} REUSE_FROM ${ARGV2})
  else()
    target_precompile_headers(${target} PRIVATE <algorithm> <array> <cmath> <cstdint> <filesystem> <functional> <map> <memory> <optional> <span>
                                                <string> <string_view> <utility> <vector> <mpi.h> ${ARGN})
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)  # for ccache, which looks at what a source includes
  endif()
endfunction()
