# Flags for our own code only; they never reach those who link the library.
add_library(boltzcurve_options INTERFACE)
target_compile_options(boltzcurve_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  # no errno from sqrt and friends, no traps: both only stop loops from being vectorised and change no result
  -fno-math-errno -fno-trapping-math)
if(BOLTZCURVE_WERROR)
  target_compile_options(boltzcurve_options INTERFACE -Werror)
endif()
if(BOLTZCURVE_NATIVE)
  target_compile_options(boltzcurve_options INTERFACE -march=native)
endif()
if(BOLTZCURVE_SANITIZE)
  target_compile_options(boltzcurve_options INTERFACE -fsanitize=${BOLTZCURVE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(boltzcurve_options INTERFACE -fsanitize=${BOLTZCURVE_SANITIZE})
endif()
string(REPLACE "-O2" "-O3" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
