# `cmake --install`: the executable, the library with its headers, and a package file for find_package(boltzcurve).
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/boltzcurve)
install(TARGETS boltzcurve EXPORT boltzcurveTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/boltzcurve DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(EXPORT boltzcurveTargets NAMESPACE boltzcurve:: DESTINATION ${package_folder})
if(TARGET boltzcurve_executable)
  install(TARGETS boltzcurve_executable DESTINATION ${CMAKE_INSTALL_BINDIR})
  if(BUILD_SHARED_LIBS)
    set_target_properties(boltzcurve_executable PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  endif()
endif()

configure_package_config_file(cmake/boltzcurveConfig.cmake.in ${PROJECT_BINARY_DIR}/boltzcurveConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/boltzcurveConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/boltzcurveConfig.cmake ${PROJECT_BINARY_DIR}/boltzcurveConfigVersion.cmake
              cmake/MendKokkosTarget.cmake cmake/modules/FindRandom123.cmake
        DESTINATION ${package_folder})
