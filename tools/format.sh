#!/usr/bin/env bash
# Formats every C++ file of the tree, or with --check only tells which differ (and fails).
#   tools/format.sh [--check]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v clang-format >/dev/null; then
  echo "format.sh: clang-format was not found; Debian, Ubuntu: sudo apt-get install clang-format" >&2
  exit 1
fi
case "${1-}" in
  "") action=(-i) ;;
  --check) action=(--dry-run --Werror) ;;
  *)
    echo "format.sh: unknown option $1; known: --check" >&2
    exit 2
    ;;
esac
find include src tests -name '*.[ch]pp' -print0 | xargs -0 --no-run-if-empty clang-format "${action[@]}"
