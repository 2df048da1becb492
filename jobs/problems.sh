#!/bin/sh
# Problems with known answers, each with nothing configured but its target; one table and one figure.
#
#   jobs/problems.sh [--output DIR] [--program FILE] [--ranks N] [--seeds "1 2 3"] [NAME]... [-- OPTION...]
#
# NAME is a name under jobs/configs/problems, by default all of them; options behind -- go to every run, as in -- --training.steps=1500.
# What has an evaluation.json already is not repeated; a run that was interrupted goes on; one that fails is recorded and does not stop the
# rest. Writes DIR/NAME/seedK, DIR/problems.md, .csv and .png.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/mpi_environment.sh"
output=runs/problems program='' ranks=1 seeds=1 names=
while [ $# -gt 0 ]; do
  case $1 in
    --output) output=$2; shift 2 ;;
    --program) program=$2; shift 2 ;;
    --ranks) ranks=$2; shift 2 ;;
    --seeds) seeds=$2; shift 2 ;;
    --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit ;;
    --) shift; break ;;
    --*) echo "problems.sh: unknown option $1; see the head of this file" >&2; exit 2 ;;
    *) names="$names $1"; shift ;;
  esac
done
if [ -z "$names" ]; then
  for config in "$root"/jobs/configs/problems/*.ini; do names="$names $(basename "$config" .ini)"; done
fi
[ -n "$program" ] || program=$(find_program "$root")
[ -x "$program" ] || { echo "problems.sh: no program at $program; build it (tools/quickstart.sh) or give --program" >&2; exit 3; }
for name in $names; do
  [ -f "$root/jobs/configs/problems/$name.ini" ] || { echo "problems.sh: there is no jobs/configs/problems/$name.ini" >&2; exit 3; }
done

for name in $names; do
  for seed in $seeds; do
    folder=$output/$name/seed$seed
    [ ! -f "$folder/evaluation.json" ] || continue
    [ ! -f "$folder/failed.txt" ] || continue
    mkdir -p "$folder"
    echo "== $name, seed $seed"
    code=0
    mpirun -n "$ranks" "$program" run --config "$root/jobs/configs/problems/$name.ini" --resume=auto --run.seed="$seed" --output "$folder" "$@" \
      > "$folder/log.txt" 2> "$folder/errors.txt" || code=$?
    case $code in
      0) ;;
      75) echo "problems.sh: stopped; the same command goes on" >&2; exit 75 ;;
      *) # mpirun has a last word of its own
        reason=$(grep "^boltzcurve: error" "$folder/errors.txt" | tail -n 1)
        echo "exit code $code: ${reason:-see errors.txt}" | tee "$folder/failed.txt"
        ;;
    esac
  done
done
python3 "$root/tools/problems.py" "$output" "$root/jobs/configs/problems"
