#!/usr/bin/env bash
# Runs clang-tidy with the profile in .clang-tidy over the sources, and shellcheck over the scripts. Fails on the first kind of finding.
#   tools/lint.sh [FILE.cpp ...]     (default: all of src)
# BUILD: a configured build folder (default build/release, configured here when absent).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v clang-tidy >/dev/null; then
  echo "lint.sh: clang-tidy was not found; Debian, Ubuntu: sudo apt-get install clang-tidy" >&2
  exit 1
fi

tools/check_scripts.sh

build=${BUILD:-build/release}
if [ ! -f "$build/compile_commands.json" ]; then
  cmake -S . -B "$build" -G Ninja
fi
cmake --build "$build" --target boltzcurve_git_description
# GCC's precompiled headers are none of clang's.
commands=$(mktemp -d)
trap 'rm -rf "$commands"' EXIT
sed -E 's/ -include [^ ]*cmake_pch\.hxx//; s/ -fpch-preprocess//; s/ -Winvalid-pch//' "$build/compile_commands.json" > "$commands/compile_commands.json"

files=("$@")
if [ ${#files[@]} -eq 0 ]; then
  mapfile -t files < <(find src -name '*.cpp' | sort)
fi
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy --quiet -p "$commands"
