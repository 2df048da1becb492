# `cmake --install`: the executable, the library with its headers, a package file for find_package(boltzcurve), and what users of the program
# need beside it, in share/boltzcurve as it lies in the sources, so that scripts and links find each other there as here.
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/boltzcurve)
install(TARGETS boltzcurve EXPORT boltzcurveTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/boltzcurve DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(EXPORT boltzcurveTargets NAMESPACE boltzcurve:: DESTINATION ${package_folder})
configure_package_config_file(cmake/boltzcurveConfig.cmake.in ${PROJECT_BINARY_DIR}/boltzcurveConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/boltzcurveConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/boltzcurveConfig.cmake ${PROJECT_BINARY_DIR}/boltzcurveConfigVersion.cmake
              cmake/MendKokkosTarget.cmake cmake/modules/FindRandom123.cmake
        DESTINATION ${package_folder})

if(BOLTZCURVE_PROGRAM)
  install(TARGETS boltzcurve_executable DESTINATION ${CMAKE_INSTALL_BINDIR})
  if(BUILD_SHARED_LIBS)
    set_target_properties(boltzcurve_executable PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  endif()
  # Made from what the program says of itself; left out where it does not run here (built for another machine). The manual page takes help2man.
  find_program(BOLTZCURVE_HELP2MAN help2man DOC "Makes the manual page")
  mark_as_advanced(BOLTZCURVE_HELP2MAN)
  function(boltzcurve_install_document file folder)
    install(CODE "
      execute_process(COMMAND ${ARGN} OUTPUT_FILE \"${PROJECT_BINARY_DIR}/generated/${file}\" RESULT_VARIABLE failed ERROR_QUIET)
      if(failed)
        message(WARNING \"the program does not run here: ${file} is not installed\")
      else()
        file(INSTALL \"${PROJECT_BINARY_DIR}/generated/${file}\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${folder}\")
      endif()")
  endfunction()
  boltzcurve_install_document(boltzcurve ${CMAKE_INSTALL_DATADIR}/bash-completion/completions \"$<TARGET_FILE:boltzcurve_executable>\" list completion)
  if(BOLTZCURVE_HELP2MAN)
    boltzcurve_install_document(boltzcurve.1 ${CMAKE_INSTALL_MANDIR}/man1
      \"${BOLTZCURVE_HELP2MAN}\" --no-info --name \"${PROJECT_DESCRIPTION}\" \"$<TARGET_FILE:boltzcurve_executable>\")
  endif()

  set(share ${CMAKE_INSTALL_DATADIR}/boltzcurve)
  install(DIRECTORY jobs DESTINATION ${share} USE_SOURCE_PERMISSIONS)
  install(DIRECTORY tools/boltzcurve_tools DESTINATION ${share}/tools FILES_MATCHING PATTERN "*.py" PATTERN "*.css" PATTERN "*.js")
  file(GLOB tools tools/*.py)
  install(PROGRAMS ${tools} tools/boltzcurve-tools tools/install_dependencies.sh DESTINATION ${share}/tools)
  install(FILES tools/mpi_environment.sh tools/pyproject.toml tools/README.md tools/FORMATS.md DESTINATION ${share}/tools)
  install(FILES tests/perf/README.md tests/perf/baseline.json DESTINATION ${share}/tests/perf)
  install(DIRECTORY tests/examples DESTINATION ${share}/tests FILES_MATCHING PATTERN "*.cpp" PATTERN "*.c")
  install(FILES README.md CHANGELOG.md CITATION.cff CONTRIBUTING.md LICENSE DESTINATION ${share})
  set(modulefile ${PROJECT_SOURCE_DIR}/cmake/modulefile.in)
  configure_file(cmake/FinishInstall.cmake.in ${PROJECT_BINARY_DIR}/generated/FinishInstall.cmake @ONLY)
  install(SCRIPT ${PROJECT_BINARY_DIR}/generated/FinishInstall.cmake)
endif()
