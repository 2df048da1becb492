# shellcheck shell=bash
# Sourced by the job scripts beside it: where the program is, what MPI needs to know, how ranks are started and how a job goes on when its
# time is up. Set these before sbatch, or once for a machine in a file of your own named by BOLTZCURVE_MACHINE:
#   BOLTZCURVE          the program (default: that of these scripts, build/release/boltzcurve or as installed, or boltzcurve on the path)
#   BOLTZCURVE_JOBS     this folder (default: as installed, or jobs/slurm below the folder that sbatch was called in)
#   BOLTZCURVE_MODULES  modules to load, those that the program was built with ("gcc/12 openmpi/4.1 hdf5/1.12-mpi")
#   LAUNCHER            what starts the ranks (default: mpirun with a core, or --cpus-per-task cores, for each; "srun --mpi=pmix" works too;
#                       LAUNCHER=echo bash run.sbatch ..., outside the queue, shows the command)
#   MAX_REQUEUES        how often a job may take its place in the queue again (default: 20)
# shellcheck source=/dev/null
[ -z "${BOLTZCURVE_MACHINE-}" ] || . "$BOLTZCURVE_MACHINE"

# shellcheck disable=SC2086  # several words
[ -z "${BOLTZCURVE_MODULES-}" ] || module load $BOLTZCURVE_MODULES
if [ -z "${BOLTZCURVE-}" ]; then
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  for BOLTZCURVE in "$root/build/release/boltzcurve" "${SLURM_SUBMIT_DIR:-.}/build/release/boltzcurve" \
    "${root%/share/boltzcurve}/bin/boltzcurve" "$(command -v boltzcurve || true)"; do
    [ ! -x "$BOLTZCURVE" ] || break
  done
fi
[ -x "$BOLTZCURVE" ] || {
  echo "no program${BOLTZCURVE:+ at $BOLTZCURVE}: build it (cmake --preset release), put it on the path, or set BOLTZCURVE" >&2
  exit 3
}

# Open MPI 4.1 writes small parts of HDF5 files wrongly without this. The program sets it as well; here it reaches every node in any case.
export OMPI_MCA_fbtl_posix_write_datasieving=${OMPI_MCA_fbtl_posix_write_datasieving-0}

# Threads of a rank (Kokkos with OpenMP), on its own cores.
threads=${SLURM_CPUS_PER_TASK:-1}
export OMP_NUM_THREADS=${OMP_NUM_THREADS-$threads} OMP_PROC_BIND=${OMP_PROC_BIND-close} OMP_PLACES=${OMP_PLACES-cores}
# srun no longer takes this from the job by itself.
export SRUN_CPUS_PER_TASK=$threads
# A GPU for each rank of a node, the first for the first (Kokkos with CUDA or HIP).
export KOKKOS_MAP_DEVICE_ID_BY=${KOKKOS_MAP_DEVICE_ID_BY-mpi_rank}

LAUNCHER=${LAUNCHER:-mpirun --bind-to core --map-by slot:PE=$threads}

# Slurm tells the job script that time is short (USR1, see --signal); the launcher hands it on to the ranks, which write what they have and
# end with 75.
time_is_short=no launcher=
trap 'time_is_short=yes; [ -z "$launcher" ] || kill -USR1 "$launcher"' USR1

# launch ARGUMENT...: the program on all ranks of the job.
launch() {
  local code=75
  [ $time_is_short = no ] || return $code
  # shellcheck disable=SC2086  # a launcher and its options
  $LAUNCHER "$BOLTZCURVE" "$@" &
  launcher=$!
  # A signal ends wait, not the launcher.
  while :; do
    code=0
    wait "$launcher" || code=$?
    kill -0 "$launcher" 2>/dev/null || break
  done
  launcher=
  return $code
}

# launch_until_done ARGUMENT...: the same for a command that can be resumed. When time was short the job goes back to the queue, and ends
# here; the file STOP in the output folder ends it for good.
launch_until_done() {
  local code=0
  launch "$@" || code=$?
  if [ "$code" -eq 75 ] && [ "$time_is_short" = yes ]; then
    local requeues=${SLURM_RESTART_COUNT:-0} most=${MAX_REQUEUES:-20}
    if [ "$requeues" -lt "$most" ]; then
      echo "time is up; back to the queue (requeue $((requeues + 1)) of at most $most)"
      local job=$SLURM_JOB_ID
      [ -z "${SLURM_ARRAY_TASK_ID-}" ] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
      scontrol requeue "$job" && sleep 60  # Slurm ends this script
    else
      echo "time is up, and the job was requeued $most times (MAX_REQUEUES); submit it again to go on" >&2
    fi
  fi
  return "$code"
}
