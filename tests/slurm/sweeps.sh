#!/usr/bin/env bash
# A sweep of 24 runs as an array and packed into one job over two nodes: tests/support/slurm_cluster.sh tests/slurm/sweeps.sh SOURCES PROGRAM
set -euo pipefail
source=$1 program=$2
# shellcheck source=tests/slurm/cluster.sh
. "$source/tests/slurm/cluster.sh"

cat >sweep.ini <<'INI'
[sweep]
base = small.ini
[set]
training.steps = 20
[grid]
network.width = 8, 16
optimizer.learning-rate = log(1e-3, 1e-1, 3)
run.seed = integers(1, 4)
INI
for way in array packed; do "$program" sweep plan sweep.ini --output $way --quiet; done

# All columns but those that tell how fast it was and where.
results_of() {
  "$program" sweep collect --output "$1" --quiet
  python3 - "$1/sweep.csv" <<'TABLE'
import csv, sys
for row in csv.DictReader(open(sys.argv[1])):
    print({key: value for key, value in row.items() if not key.startswith("seconds") and key != "ranks"})
TABLE
}

# 1. An array, six tasks with four rows each, two of them on two ranks; and all in one job of four ranks on two nodes.
CHUNK=4 sbatch --wait --parsable --array=0-3 --ntasks=1 "$jobs/sweep_array.sbatch" --output array >/dev/null || fail "sweep_array.sbatch"
CHUNK=4 sbatch --wait --parsable --array=4-5 --ntasks=2 "$jobs/sweep_array.sbatch" --output array >/dev/null || fail "sweep_array.sbatch"
"$program" sweep status --output array | grep -q "24 rows: 24 done" || fail "the array: $("$program" sweep status --output array)"
sbatch --wait --parsable --nodes=2 --ntasks=4 "$jobs/sweep_packed.sbatch" --output packed >/dev/null || fail "sweep_packed.sbatch"
"$program" sweep status --output packed | grep -q "24 rows: 24 done" || fail "packed: $("$program" sweep status --output packed)"
[ "$(results_of array)" = "$(results_of packed)" ] || fail "the tables differ: $(diff <(results_of array) <(results_of packed))"
[ "$(results_of array | wc -l)" -eq 24 ] || fail "no table of 24 rows"
for row in 0 13 23; do
  folder_of_row=$(awk -F, -v row=$row '$1 == row { print $2 }' packed/manifest.csv)
  same_run "array/$folder_of_row" "packed/$folder_of_row"
  mpirun --oversubscribe -n 2 "$program" run --config "packed/$folder_of_row/config.ini" --output "direct$row" --quiet
  same_run "direct$row" "packed/$folder_of_row"
done
passed "24 runs as an array and packed over two nodes: the bits of mpirun"

# 2. A packed sweep that is told that its time is short goes back to the queue, and on from there.
cat >long.ini <<'INI'
[sweep]
base = small.ini
[zip]
run.seed = 1, 2, 3
training.steps = 20, 5000, 20
INI
"$program" sweep plan long.ini --output long --training.log-every=1000 --quiet
job=$(sbatch --parsable --ntasks=1 "$jobs/sweep_packed.sbatch" --output long)
second=long/$(awk -F, '$1 == 1 { print $2 }' long/manifest.csv)
wait_until 60 test -s "$second/checkpoint.h5" || fail "the packed job did not come to its second row"
scancel --batch --signal=USR1 "$job"
is_done() { "$program" sweep status --output long | grep -q "3 rows: 3 done"; }
wait_until 90 is_done || fail "long: $("$program" sweep status --output long)"
grep -q "requeue 1 of at most 20" "boltzcurve-sweep-$job.out" || fail "no word of a requeue"
mpirun --oversubscribe -n 1 "$program" run --config "$second/config.ini" --output uninterrupted --quiet
same_run uninterrupted "$second"
passed "a packed sweep goes back to the queue when time is short, and on to the same bits"
