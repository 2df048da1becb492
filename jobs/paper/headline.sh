#!/bin/sh
# The headline: every shipped configuration with three seeds on two ranks, then one table and one figure of what came out.
#
#   jobs/paper/headline.sh [--output DIR] [--program FILE] [--ranks N] [--seeds "1 2 3"] [--particles N] [CONFIGURATION]...
#
# CONFIGURATION is a name under jobs/configs, by default those with a known answer. A run that has an evaluation.json already is not
# repeated, so an interrupted headline goes on where it stopped. Writes DIR/CONFIGURATION/seedK, DIR/headline.md and DIR/headline.png.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tools/mpi_environment.sh"
output=runs/headline program='' ranks=2 seeds="1 2 3" particles=50000 configurations=
while [ $# -gt 0 ]; do
  case $1 in
    --output) output=$2; shift 2 ;;
    --program) program=$2; shift 2 ;;
    --ranks) ranks=$2; shift 2 ;;
    --seeds) seeds=$2; shift 2 ;;
    --particles) particles=$2; shift 2 ;;
    --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit ;;
    --*) echo "headline.sh: unknown option $1; see the head of this file" >&2; exit 2 ;;
    *) configurations="$configurations $1"; shift ;;
  esac
done
[ -n "$configurations" ] || configurations="two_modes three_modes asymmetric_two rings gmm40 many_well_8 many_well_16 many_well_32 mixture_20 mixture_50 funnel"
[ -n "$program" ] || program=$(find_program "$root")
[ -x "$program" ] || { echo "headline.sh: no program at $program; build it (tools/quickstart.sh) or give --program" >&2; exit 3; }
for name in $configurations; do
  config=$root/jobs/configs/$name.ini
  [ -f "$config" ] || { echo "headline.sh: there is no configuration $config" >&2; exit 3; }
  for seed in $seeds; do
    folder=$output/$name/seed$seed
    [ -f "$folder/evaluation.json" ] && continue
    echo "== $name, seed $seed"
    mkdir -p "$folder"
    mpirun -n "$ranks" "$program" run --config "$config" --seed "$seed" --sampling.particles="$particles" \
      --evaluation.exact-samples="$particles" --output "$folder" > "$folder/log.txt" 2>&1 ||
      { echo "headline.sh: $name with seed $seed failed; its last words:" >&2; tail -n 5 "$folder/log.txt" >&2; exit 4; }
  done
done
"$root/tools/headline.py" "$output"
