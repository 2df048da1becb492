# cmake -DPRESET=<name> -DEXPECTED=<what must be printed> -DCACHE=<regular expressions of lines that the cache must have> -DSOURCE=<source
#       folder> -DWORK=<scratch folder> -P presets.cmake
# Configures with a preset, in a folder of the test.
file(REMOVE_RECURSE ${WORK})
execute_process(COMMAND ${CMAKE_COMMAND} --list-presets=all WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE listed COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "\"${PRESET}\"" times "${listed}")
list(LENGTH times count)
if(NOT count EQUAL 3)
  message(FATAL_ERROR "${PRESET} should be a preset to configure, to build and to test with:\n${listed}")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} --preset ${PRESET} -B ${WORK} WORKING_DIRECTORY ${SOURCE}
                OUTPUT_VARIABLE output ERROR_VARIABLE output)
string(REGEX REPLACE "[ \n]+" " " output "${output}")
if(NOT output MATCHES "${EXPECTED}")
  message(FATAL_ERROR "cmake --preset ${PRESET} should print ${EXPECTED}, but printed ${output}")
endif()
foreach(line ${CACHE})
  file(STRINGS ${WORK}/CMakeCache.txt found REGEX "^${line}")
  if(NOT found)
    message(FATAL_ERROR "--preset ${PRESET}: the cache has no line ${line}")
  endif()
endforeach()
