#!/usr/bin/env bash
# Writes jobs/OPTIONS.md, the reference of all keys, from the program's own tables.
#   tools/update_reference.sh [PROGRAM]     (default: build/release/boltzcurve)
set -euo pipefail
program=${1:-}
[ -z "$program" ] || program=$(realpath "$program")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=${program:-build/release/boltzcurve}
if [ ! -x "$program" ]; then
  echo "update_reference.sh: no program at $program; build it, or name it: tools/update_reference.sh PROGRAM" >&2
  exit 3
fi
{
  cat <<'HEAD'
# Options

All keys of a configuration, by section; on the command line `--section.key=value`. Names that a key chooses among are explained by
`boltzcurve list`. Written by `tools/update_reference.sh`: edit `include/boltzcurve/*_settings.hpp`, not this page.

HEAD
  "$program" list reference
} > jobs/OPTIONS.md.part
mv jobs/OPTIONS.md.part jobs/OPTIONS.md
