# shellcheck shell=bash disable=SC2154,SC2034  # variables of the scripts that source this, and for them
# What the tests on a Slurm cluster share; sourced. Wants the variables `program` and `source`, leaves a folder of its own in `folder`, with
# small.ini, a run of a second.
: "${SLURM_CONF:?is for tests/support/slurm_cluster.sh to set}"
folder=$(mktemp -d "${TMPDIR:-/tmp}/boltzcurve-jobs-XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit
cat >small.ini <<'INI'
[target]
name = gaussian-mixture
preset = two
[curve]
horizon = 2
[network]
width = 16
hidden-layers = 2
[pilot]
particles = 600
[collocation]
points = 700
box = -6:6
[training]
steps = 40
log-every = 10
[sampling]
particles = 300
[evaluation]
exact-samples = 200
INI

# Nodes share this machine's two cores: no rank has one for itself.
export BOLTZCURVE=$program BOLTZCURVE_JOBS=$source/jobs/slurm LAUNCHER="mpirun --bind-to none --oversubscribe" PATH=$source/jobs/slurm:$PATH
# And have one name, by which Open MPI tells apart the segments of shared memory of its ranks: between nodes it is to be TCP anyway.
export OMPI_MCA_btl=self,tcp
jobs=$source/jobs/slurm

fail() {
  echo "FAILED: $*" >&2
  tail -n 20 ./*.out >&2 2>/dev/null || true
  exit 1
}
passed() { echo "passed after $SECONDS s: $*"; }

# wait_until SECONDS COMMAND...
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.1
  done
}

# same FILE_OF_THIS FILE_OF_THAT OBJECT...: equal to the bit. h5diff ends with 0 where shapes differ; h5ls lists them.
same() {
  local one=$1 other=$2 object
  shift 2
  for object in "$@"; do
    if ! h5diff --nan "$one" "$other" "$object" >/dev/null || [ "$(h5ls -r "$one$object")" != "$(h5ls -r "$other$object")" ]; then
      fail "$object differs between $one and $other"
    fi
  done
}

same_run() {
  same "$1/checkpoint.h5" "$2/checkpoint.h5" /parameters /average /optimizer
  same "$1/samples.h5md" "$2/samples.h5md" /samples
  same "$1/metrics.h5" "$2/metrics.h5" /training/loss /evaluation/ess /evaluation/energy_distance
}
