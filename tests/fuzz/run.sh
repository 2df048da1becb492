#!/usr/bin/env bash
# Builds the fuzzers with clang and runs each on its corpus, under the address and undefined-behavior sanitizers. Fails on a finding and
# leaves the input that shows it in build/fuzz/findings.
#   tests/fuzz/run.sh [SECONDS a harness, default 10] [HARNESS ...]
# Needs clang with its runtime libraries (Debian, Ubuntu: clang libclang-rt-dev, or clang-14 libclang-rt-14-dev). CLANG: another clang++.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tools/mpi_environment.sh

seconds=${1:-10}
shift || true
clang=${CLANG:-}
for candidate in clang++ clang++-19 clang++-16 clang++-14; do
  [ -n "$clang" ] || clang=$(command -v "$candidate" || true)
done
if [ -z "$clang" ] || ! echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }' |
  "$clang" -x c++ -fsanitize=fuzzer,address,undefined -o /dev/null - 2>/dev/null; then
  echo "run.sh: needs clang++ with libFuzzer; Debian, Ubuntu: sudo apt-get install clang libclang-rt-dev (or libclang-rt-14-dev)" >&2
  exit 1
fi

build=build/fuzz
cmake -S . -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$clang" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-g -O1" \
  -DBOLTZCURVE_NATIVE=OFF -DBOLTZCURVE_TESTS=ON -DBOLTZCURVE_BENCHMARKS=OFF -DBOLTZCURVE_FUZZERS=ON >"$build.log" 2>&1 ||
  { tail -20 "$build.log" >&2; exit 1; }
cmake --build "$build" --target fuzzers

harnesses=("$@")
[ $# -gt 0 ] || mapfile -t harnesses < <(find tests/fuzz/corpus -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)
suppressions=$PWD/tests/sanitizers/leaks.supp
mkdir -p "$build/findings" "$build/empty"
failed=()
for harness in "${harnesses[@]}"; do
  mkdir -p "$build/corpus/$harness" "$build/empty"
  dictionary=tests/fuzz/$harness.dict
  options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$PWD/$build/findings/$harness-")
  [ ! -f "$dictionary" ] || options+=(-dict="$PWD/$dictionary")
  # New inputs go to the first folder, below the build.
  if (cd "$build/empty" && UBSAN_OPTIONS=print_stacktrace=1 LSAN_OPTIONS=suppressions="$suppressions" "../tests/fuzz/fuzz_$harness" "${options[@]}" "../corpus/$harness" \
    "../../../tests/fuzz/corpus/$harness") >"$build/$harness.log" 2>&1; then
    echo "$harness: $(awk '/stat::number_of_executed_units/ { print $2 }' "$build/$harness.log") inputs in $seconds s, no findings"
  else
    echo "$harness: a finding; see $build/$harness.log and $build/findings"
    failed+=("$harness")
  fi
done
[ ${#failed[@]} -eq 0 ]
