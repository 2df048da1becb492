#!/usr/bin/env bash
# Whether training and sampling give the same bits on 1 to 4 ranks and, where Kokkos has its OpenMP back end, on 1 and 2 threads under each;
# in one go, and interrupted half-way by a change of these numbers:
#   tests/restart/same_bits.sh EXECUTABLE [EXECUTABLE of another build ...]
# Further builds, for example one with Kokkos' OpenMP beside one with its Serial back end, are compared with the first: they must be of one
# compiler and one mathematical library, which may round differently from others. tests/compat/debian_sid.sh -R same_bits makes one with
# OpenMP and runs this. Prints a checksum a run; ends with 1 where one differs. Takes a minute a build, three minutes with threads.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tools/mpi_environment.sh
if [ $# -eq 0 ]; then
  echo "same_bits.sh: name an executable, for example build/release/boltzcurve" >&2
  exit 1
fi
executables=()
for executable in "$@"; do executables+=("$(realpath "$executable")"); done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >short.ini <<'INI'
[pilot]
particles = 1000
[target]
name = gaussian-mixture
preset = three
[network]
width = 16
hidden-layers = 2
[collocation]
points = 1500
refresh-every = 11
[optimizer]
decay = constant
[sampling]
particles = 1000
frames = 3
[evaluation]
exact-samples = 200
INI

# Threads that wait sleep: eight on two cores, spinning, keep each other from working (80 s a run in place of 3 s).
run() { # RANKS THREADS OUTPUT STEPS
  env OMP_NUM_THREADS="$2" OMP_PROC_BIND=false OMP_WAIT_POLICY=passive mpirun --oversubscribe --bind-to none -n "$1" "$executable" run --config short.ini \
    --curve.form="$form" --output "$3" --resume=auto --training.steps="$4" --quiet
}

# Of all arrays of a checkpoint.
checksum() {
  for group in parameters average optimizer; do h5dump -m %.17g -g "/$group" "$1/checkpoint.h5" | tail -n +2; done | sha256sum | cut -c1-16
}

# Equal to the bit. h5diff ends with 0 where shapes differ; h5ls lists them.
equal() { # FILE FILE OBJECT
  h5diff --nan -q "$@" && [ "$(h5ls -r "$1$3")" = "$(h5ls -r "$2$3")" ]
}

compared=0
different=0
compare() { # OUTPUT WHAT
  local verdict=same object
  local one=one_$form
  [ -d "$one" ] || cp -r "$1" "$one"
  for object in /parameters /average /optimizer /survey; do equal "$one/checkpoint.h5" "$1/checkpoint.h5" "$object" || verdict=DIFFERS; done
  for object in /samples /particles; do equal "$one/samples.h5md" "$1/samples.h5md" "$object" || verdict=DIFFERS; done
  [ "$(checksum "$1")" = "$(checksum "$one")" ] || verdict=DIFFERS
  compared=$((compared + 1))
  [ "$verdict" = same ] || different=$((different + 1))
  printf '%-52s %s  %s\n' "form $form, $2" "$(checksum "$1")" "$verdict"
  rm -rf "$1"
}

for executable in "${executables[@]}"; do
  kokkos=$("$executable" --version | sed -n 's/^Kokkos *//p')
  case $kokkos in
    *OpenMP*) numbers_of_threads=(1 2) ;;
    *) numbers_of_threads=(1) ;;
  esac
  echo "$executable, Kokkos $kokkos"
  for form in auto contracted; do  # by matching, and by the residual
    for threads in "${numbers_of_threads[@]}"; do
      for ranks in 1 2 3 4; do
        run "$ranks" "$threads" whole 60
        compare whole "ranks $ranks, threads $threads"
      done
      for ranks in 1 2 3 4; do
        # The last number of threads becomes the first, and the other way round.
        threads_later=$((numbers_of_threads[-1] + 1 - threads)) ranks_later=$((5 - ranks))
        run "$ranks" "$threads" parts 31
        run "$ranks_later" "$threads_later" parts 60
        compare parts "ranks $ranks, threads $threads, then $ranks_later, $threads_later"
      done
    done
  done
  [ ${#numbers_of_threads[@]} -gt 1 ] || echo "more than one thread: skipped, this Kokkos has no OpenMP back end"
done
echo "compared = $compared, different = $different"
[ "$different" -eq 0 ]
