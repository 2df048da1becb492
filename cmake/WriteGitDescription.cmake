# cmake -DSOURCE=<source folder> -DOUTPUT=<header> -P WriteGitDescription.cmake
# Writes `git describe` of the source as a macro; touches the header only when the text changed, so that an unchanged source compiles nothing.
# Outside a clone: what `git archive` wrote into archive_description.txt, else "unknown".
set(description "")
find_program(GIT git)
if(GIT)
  # An empty prefix means that SOURCE is the top of its repository: an unpacked tarball inside someone else's clone is not described by it.
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse --show-prefix OUTPUT_VARIABLE prefix OUTPUT_STRIP_TRAILING_WHITESPACE
                  RESULT_VARIABLE failed ERROR_QUIET)
  if(NOT failed AND prefix STREQUAL "")
    execute_process(COMMAND ${GIT} -C ${SOURCE} describe --always --dirty --tags OUTPUT_VARIABLE description OUTPUT_STRIP_TRAILING_WHITESPACE
                    ERROR_QUIET)
  endif()
endif()
if(description STREQUAL "" AND EXISTS ${SOURCE}/cmake/archive_description.txt)
  file(STRINGS ${SOURCE}/cmake/archive_description.txt archived LIMIT_COUNT 1)
  # "<describe> <commit>", or " <commit>" where no tag lies behind it; "$Format:...$" where git archive was not at work.
  if(NOT archived MATCHES "Format:" AND archived MATCHES "[^ ]+")
    set(description "${CMAKE_MATCH_0}")
  endif()
endif()
if(description STREQUAL "")
  set(description "unknown")
endif()

set(text "#define BOLTZCURVE_GIT_DESCRIPTION \"${description}\"\n")
set(before "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT text STREQUAL before)
  file(WRITE ${OUTPUT} "${text}")
endif()
