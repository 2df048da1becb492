# Version and git description, renewed at every build, for --version and for the provenance in every file.
function(boltzcurve_add_build_information target)
  target_compile_definitions(${target} PRIVATE BOLTZCURVE_VERSION="${PROJECT_VERSION}")
endfunction()
