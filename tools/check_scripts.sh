#!/usr/bin/env bash
# Looks for faults in the project's shell scripts with shellcheck. Exits with 77 where that is not installed.
#   tools/check_scripts.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v shellcheck >/dev/null; then
  echo "check_scripts.sh: shellcheck was not found; Debian, Ubuntu: sudo apt-get install shellcheck" >&2
  exit 77
fi
exec shellcheck --external-sources tools/*.sh tests/*/*.sh jobs/*/*.sh jobs/slurm/*.sbatch .ci/run
