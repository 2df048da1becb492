# shellcheck shell=bash
# Sourced by scripts of the tree. Open MPI refuses to run as root unless told twice that this is meant; containers are root.
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# find_program ROOT: the program that was built in ROOT, or installed with it, or is on the path.
find_program() {
  local program
  for program in "$1/build/release/boltzcurve" "${1%/share/boltzcurve}/bin/boltzcurve" "$(command -v boltzcurve)"; do
    [ ! -x "$program" ] || break
  done
  echo "${program:-$1/build/release/boltzcurve}"
}
