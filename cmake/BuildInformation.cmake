# Version, git description and flags, for --version and for the provenance in every file. The description is renewed at every build, since
# commits and edits do not make CMake configure again.
function(boltzcurve_add_build_information target)
  set(folder ${PROJECT_BINARY_DIR}/generated)
  set(description ${folder}/boltzcurve_git_description.hpp)
  add_custom_target(boltzcurve_git_description
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUTPUT=${description} -P ${PROJECT_SOURCE_DIR}/cmake/WriteGitDescription.cmake
    BYPRODUCTS ${description}
    COMMENT "Describing the source")
  add_dependencies(${target} boltzcurve_git_description)

  string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
  get_target_property(options boltzcurve_options INTERFACE_COMPILE_OPTIONS)
  list(FILTER options EXCLUDE REGEX "^-W")
  list(JOIN options " " options)
  string(STRIP "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_BUILD_TYPE}:" BOLTZCURVE_BUILD_FLAGS)
  foreach(flags "${CMAKE_CXX_FLAGS}" "${CMAKE_CXX_FLAGS_${build_type}}" "${options}")
    string(STRIP "${flags}" flags)
    if(flags)
      string(APPEND BOLTZCURVE_BUILD_FLAGS " ${flags}")
    endif()
  endforeach()
  set(BOLTZCURVE_NATIVE_FLAGS false)
  if(boltzcurve_native_flag)
    set(BOLTZCURVE_NATIVE_FLAGS true)
  endif()
  configure_file(${PROJECT_SOURCE_DIR}/cmake/boltzcurve_build.hpp.in ${folder}/boltzcurve_build.hpp @ONLY)
  target_include_directories(${target} PRIVATE ${folder})
  set(BOLTZCURVE_BUILD_FLAGS "${BOLTZCURVE_BUILD_FLAGS}" PARENT_SCOPE)
endfunction()

# What this build is made of, on one screen, after everything was found.
function(boltzcurve_print_summary)
  set(backends "${Kokkos_DEVICES}")
  list(JOIN backends ", " backends)
  if("${MPI_CXX_LIBRARY_VERSION_STRING}" MATCHES "^([^,\n]+)")
    set(mpi "${CMAKE_MATCH_1} (MPI ${MPI_CXX_VERSION}), ${MPIEXEC_EXECUTABLE}")
  else()
    set(mpi "MPI ${MPI_CXX_VERSION}, ${MPIEXEC_EXECUTABLE}")
  endif()
  set(native "off: kernels are about ten times slower than with BOLTZCURVE_NATIVE=ON")
  if(boltzcurve_native_flag)
    set(native "on (${boltzcurve_native_flag}): runs on this kind of machine only")
  endif()
  set(benchmarks "off")
  if(BOLTZCURVE_BENCHMARKS AND benchmark_FOUND)
    set(benchmarks "on")
    if(TARGET OpenBLAS::OpenBLAS)
      string(APPEND benchmarks ", OpenBLAS ${OpenBLAS_VERSION} as ceiling")
    endif()
  elseif(BOLTZCURVE_BENCHMARKS)
    set(benchmarks "off: google-benchmark (libbenchmark-dev) not found")
  endif()
  set(tests "off")
  if(BOLTZCURVE_TESTS)
    set(tests "on, GoogleTest ${GTest_VERSION}")
  endif()
  message(STATUS "boltzcurve ${PROJECT_VERSION}
     build          ${BOLTZCURVE_BUILD_FLAGS}
     vector flags   ${native}
     Kokkos         ${Kokkos_VERSION}, ${backends} (${Kokkos_DIR})
     MPI            ${mpi}
     HDF5           ${HDF5_VERSION}, parallel
     Boost          ${Boost_VERSION_STRING}
     fmt            ${fmt_VERSION}
     nlohmann_json  ${nlohmann_json_VERSION}
     Random123      ${Random123_INCLUDE_DIR}
     tests          ${tests}
     benchmarks     ${benchmarks}
     prefix         ${CMAKE_INSTALL_PREFIX}")
endfunction()
