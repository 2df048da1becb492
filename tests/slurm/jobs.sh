#!/usr/bin/env bash
# The shipped job scripts on a Slurm cluster: tests/support/slurm_cluster.sh tests/slurm/jobs.sh SOURCES PROGRAM
set -euo pipefail
source=$1 program=$2
# shellcheck source=tests/slurm/cluster.sh
. "$source/tests/slurm/cluster.sh"

# 1. A run over both nodes, a run per seed, and training with sampling behind it give what the program gives without Slurm.
train=$(sbatch --parsable --nodes=1 --ntasks=2 "$jobs/train.sbatch" --config small.ini --output parts)
sbatch --parsable --nodes=1 --ntasks=1 --dependency=afterok:"$train" "$jobs/sample.sbatch" --output parts >/dev/null
seeds=$(sbatch --parsable --array=1-2 --ntasks=1 "$jobs/seeds.sbatch" --config small.ini --output seeds)
sbatch --wait --parsable --nodes=2 --ntasks=4 "$jobs/run.sbatch" --config small.ini --output both >/dev/null || fail "run.sbatch"
mpirun --oversubscribe -n 2 "$program" run --config small.ini --output direct --quiet
grep -q '"ranks": 4' both/evaluation.json || fail "both/evaluation.json tells of $(grep ranks both/evaluation.json)"
same_run direct both
passed "run.sbatch over two nodes gives the bits of mpirun"

wait_until 60 test -s parts/evaluation.json || fail "sample.sbatch did not follow train.sbatch"
same direct/checkpoint.h5 parts/checkpoint.h5 /parameters /average
same direct/samples.h5md parts/samples.h5md /samples
passed "train.sbatch and sample.sbatch, one after the other, give the same"

wait_until 60 test -s seeds/seed2/evaluation.json || fail "seeds.sbatch (job $seeds) did not run both tasks"
same_run direct seeds/seed1
! h5diff direct/checkpoint.h5 seeds/seed2/checkpoint.h5 /parameters >/dev/null || fail "seed 2 gave what seed 1 gives"
passed "seeds.sbatch runs an array of seeds"

# 2. A job that is told that its time is short goes back to the queue and on from there, to the same bits.
long=(--config small.ini --training.steps=4000 --training.log-every=1000)
job=$(sbatch --parsable --nodes=2 --ntasks=2 "$jobs/run.sbatch" "${long[@]}" --output requeued)
wait_until 60 test -s requeued/checkpoint.h5 || fail "the job to be requeued did not start"
scancel --batch --signal=USR1 "$job"
mpirun --oversubscribe -n 1 "$program" run "${long[@]}" --output uninterrupted --quiet
wait_until 90 test -s requeued/evaluation.json || fail "the requeued job did not end"
grep -q "requeue 1 of at most 20" "boltzcurve-run-$job.out" || fail "no word of a requeue"
grep -Eq "resuming from requeued/checkpoint.h5 at step [1-9]" "boltzcurve-run-$job.out" || fail "it did not go on from its checkpoint"
same_run uninterrupted requeued
passed "a job goes back to the queue when time is short, and on to the same bits"

# 3. There is an end to that.
export MAX_REQUEUES=0
job=$(sbatch --parsable --ntasks=1 "$jobs/train.sbatch" --config small.ini --training.steps=100000000 --output endless)
wait_until 60 test -s endless/checkpoint.h5 || fail "the endless job did not start"
scancel --batch --signal=USR1 "$job"
wait_until 60 grep -q "was requeued 0 times (MAX_REQUEUES); submit it again" "boltzcurve-train-$job.out" || fail "no end to requeues"
wait_until 60 eval "scontrol show job $job | grep -q ExitCode=75:0" || fail "exit code: $(scontrol show job "$job" | grep ExitCode)"
passed "requeues are bounded"
