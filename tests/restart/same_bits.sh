#!/usr/bin/env bash
# Whether training and sampling give the same bits on 1 to 4 ranks, in one go and interrupted half-way by a change of their number:
#   tests/restart/same_bits.sh EXECUTABLE
# Prints a checksum a run; ends with 1 where one differs. Takes half a minute.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tools/mpi_environment.sh
executable=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >short.ini <<'INI'
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

run() { # RANKS OUTPUT STEPS
  mpirun --oversubscribe -n "$1" "$executable" run --config short.ini --output "$2" --resume=auto --training.steps="$3" --quiet
}

# The checksums that stand beside every array of a checkpoint, in one.
checksum() {
  for group in parameters average optimizer; do h5dump -A -g "/$group" "$1/checkpoint.h5" | grep -E '^ *\(0\): '; done | sha256sum | cut -c1-16
}

different=0
compare() { # OUTPUT WHAT
  local verdict=same object
  for object in /parameters /average /optimizer; do h5diff -q one/checkpoint.h5 "$1/checkpoint.h5" "$object" || verdict=DIFFERS; done
  for object in /samples /particles; do h5diff --nan -q one/samples.h5md "$1/samples.h5md" "$object" || verdict=DIFFERS; done
  [ "$(checksum "$1")" = "$(checksum one)" ] || verdict=DIFFERS
  [ "$verdict" = same ] || different=1
  printf '%-28s %s  %s\n' "$2" "$(checksum "$1")" "$verdict"
}

run 1 one 60
compare one "1 rank"
for ranks in 2 3 4; do
  run "$ranks" "ranks$ranks" 60
  compare "ranks$ranks" "$ranks ranks"
done
for ranks in 1 2 3 4; do
  run "$ranks" "resumed$ranks" 31
  run "$((5 - ranks))" "resumed$ranks" 60
  compare "resumed$ranks" "$ranks ranks, then $((5 - ranks))"
done
exit "$different"
