#!/usr/bin/env bash
# Runs the short suite under valgrind's memcheck: unit tests, the tests of several ranks, and a short training with sampling and measuring on
# one rank and on two. Prints a line a program; ends with 1 where memcheck finds an error or a lost block of ours.
#   tests/sanitizers/memcheck.sh [PROGRAM ...]     (default: all, half an hour; unit_io, mpi_2, run_1, ...; see below)
# Exit code 77, with the reason, where valgrind is not there. JOBS: processes at once when building (default: the cores this process may use).
#
# The build below build/memcheck does without AVX-512, which valgrind does not know, and with little optimization. What Open MPI, PMIx and the
# loader do is suppressed by the files that come with them and by memcheck.supp. Code of plug-ins that are unloaded keeps its names here, so
# that leaks can be told apart. Objects of MPI that we do not free hide behind that: tests/support/mpi_objects.hpp counts them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tools/mpi_environment.sh

if ! command -v valgrind >/dev/null; then
  echo "memcheck.sh: valgrind was not found (Debian, Ubuntu: sudo apt-get install valgrind); nothing was tested" >&2
  exit 77
fi

build=$PWD/build/memcheck
jobs=${JOBS:-$(nproc)}
flags="-g1 -O1"
[ "$(uname -m)" != x86_64 ] || flags+=" -march=x86-64-v3"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="$flags" -DBOLTZCURVE_NATIVE=OFF -DBOLTZCURVE_TESTS=ON \
  -DBOLTZCURVE_BENCHMARKS=OFF >/dev/null
units=()
for folder in tests/unit/*/; do units+=("unit_$(basename "$folder")"); done
programs=("$@")
[ $# -gt 0 ] || programs=("${units[@]}" mpi_1 mpi_2 run_1 run_2)
targets=()
for name in "${programs[@]}"; do
  case $name in
    run_*) targets+=(boltzcurve_executable) ;;
    mpi_*) targets+=(mpi_tests) ;;
    *) targets+=("$name") ;;
  esac
done
cmake --build "$build" --parallel "$jobs" --target "${targets[@]}"

logs=$build/logs
rm -rf "$logs"
mkdir -p "$logs"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
finding=99
memcheck=(valgrind --error-exitcode="$finding" --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
  --keep-debuginfo=yes --child-silent-after-fork=yes --num-callers=30 --suppressions="$PWD/tests/sanitizers/memcheck.supp")
for known in /usr/share/openmpi/openmpi-valgrind.supp /usr/lib/*/pmix2/share/pmix/pmix-valgrind.supp; do
  [ ! -f "$known" ] || memcheck+=(--suppressions="$known")
done
# Messages pass through memory that memcheck sees, not from one process straight into another.
export OMPI_MCA_btl_vader_single_copy_mechanism=none
short_run=(--target.name=gaussian-mixture --target.preset=three --network.width=8 --network.hidden-layers=2 --collocation.points=192
  --collocation.refresh-every=3 --training.steps=8 --training.checkpoint-steps=3 --training.evaluate-every=4 --training.log-every=2
  --training.verify-checkpoints=yes --sampling.particles=128 --sampling.frames=3 --sampling.relative-tolerance=1e-3
  --sampling.absolute-tolerance=1e-3 --evaluation.exact-samples=128)

# Left out: what measures resident memory, here mostly valgrind's, and what is compared with long double, which has 64 bits under valgrind.
all_but_these="--gtest_filter=-Checkpoint.WrittenOverAndOverTakesNoMoreMemory:PackMath/1.SineAndCosineOfTurnsAreRightToTwoUnitsOfOne"

check() { # RANKS PROGRAM ARGUMENTS...
  local launcher=()
  [ "$1" -eq 1 ] || launcher=(mpirun --oversubscribe --bind-to none -n "$1")
  shift
  "${launcher[@]}" "${memcheck[@]}" --log-file="$logs/$name.%p" "$@"
}

train_sample_and_measure() { # RANKS
  local program=$build/boltzcurve output=run_on_$1
  check "$1" "$program" train --output "$output" "${short_run[@]}" &&
    check "$1" "$program" train --output "$output" --resume --training.steps=12 --accept-changes &&
    check "$1" "$program" sample --output "$output" &&
    check "$1" "$program" evaluate --output "$output"
}

execute() {
  case $name in
    run_[1-9]*) train_sample_and_measure "${name#run_}" ;;
    mpi_[1-9]*) check "${name#mpi_}" "$build/tests/mpi_tests" ;;
    unit_*) check 1 "$build/tests/$name" "$all_but_these" ;;
    *) echo "memcheck.sh: no program $name; there are ${units[*]}, mpi_RANKS and run_RANKS" ; return 1 ;;
  esac
}

failed=()
for name in "${programs[@]}"; do
  start=$SECONDS
  code=0
  (cd "$scratch" && execute) >"$logs/$name.out" 2>&1 || code=$?
  read -r errors processes < <(cat "$logs/$name".[0-9]* 2>/dev/null |
    awk '/ERROR SUMMARY/ { errors += $4; processes += 1 } END { print errors + 0, processes + 0 }')
  verdict=clean
  if [ "$code" -ne 0 ] || [ "$errors" -ne 0 ] || [ "$processes" -eq 0 ]; then
    verdict="NOT CLEAN: exit code $code, see $logs/$name.*"
    failed+=("$name")
  fi
  printf '%-18s %3d process(es), %d error(s), %4d s  %s\n' "$name" "$processes" "$errors" "$((SECONDS - start))" "$verdict"
done
echo "memcheck: ${#programs[@]} programs, ${#failed[@]} with findings${failed[*]:+: ${failed[*]}}"
[ ${#failed[@]} -eq 0 ]
