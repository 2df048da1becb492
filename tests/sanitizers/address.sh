#!/usr/bin/env bash
# Builds with the address and undefined-behavior sanitizers and passes the short suite under them; fails on the first finding of a test.
#   tests/sanitizers/address.sh [options of ctest instead of the short suite, for example: -L restart]
# JOBS: processes at once (default: the cores this process may use).
#
# The short suite: unit, mpi, cli, fuzz. Left out are tests that run none of our code (of the tree, of CMake, of plots) and long ones. Leaks
# are for memcheck.sh: Open MPI unloads its plug-ins before LeakSanitizer looks, so that nothing tells its leaks from ours.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tools/mpi_environment.sh
jobs=${JOBS:-$(nproc)}
cmake --preset asan
cmake --build --preset asan --parallel "$jobs"
selection=("$@")
[ $# -gt 0 ] || selection=(-L 'unit|mpi|cli|fuzz' -LE 'hygiene|slow' -E '^(configure|install|plot|tools)[.]')
exec ctest --preset asan --parallel "$jobs" "${selection[@]}"
