# Debian 12's package (Kokkos 3.4) puts an include folder on Kokkos::kokkos that does not exist (/usr/lib/include), which is an error at
# generation; its variable Kokkos_INCLUDE_DIRS is right. Newer packages set no such variable and need no mending.
# Used here and by the installed package file.
if(TARGET Kokkos::kokkos AND Kokkos_INCLUDE_DIRS)
  set_target_properties(Kokkos::kokkos PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${Kokkos_INCLUDE_DIRS}")
endif()
