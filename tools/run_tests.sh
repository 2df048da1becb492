#!/usr/bin/env bash
# Installs what is missing, builds with warnings as errors, runs every test. Ends with ctest's summary and with ctest's exit code.
#   tools/run_tests.sh [options of ctest, for example: -L unit, -R residual, --rerun-failed]
# BUILD: build folder (default build/tests). JOBS: processes at once (default: the cores this process may use).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/mpi_environment.sh

build=${BUILD:-build/tests}
jobs=${JOBS:-$(nproc)}

tools/install_dependencies.sh
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBOLTZCURVE_WERROR=ON -DBOLTZCURVE_TESTS=ON
cmake --build "$build" --parallel "$jobs"
exec ctest --test-dir "$build" --parallel "$jobs" --output-on-failure "$@"
