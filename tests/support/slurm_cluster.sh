#!/usr/bin/env bash
# Runs a command beside a Slurm cluster of two nodes, n1 and n2, both on this machine and only for as long as the command takes.
#   tests/support/slurm_cluster.sh COMMAND [ARGUMENT]...
# Installs Slurm and munge from Debian's packages where they are missing and this is root. All files are in a folder that is removed at the
# end, all processes are children of this script and stopped by their ids; SLURM_CONF leads COMMAND's sbatch, squeue and srun here.
# CPUS: of each node, more than there are, for small jobs that overlap (default 4).
# Exit code: COMMAND's; 77, with the reason, where no cluster can be had.
set -euo pipefail

cannot() {
  echo "slurm_cluster.sh: $1; nothing was tested" >&2
  exit 77
}
[ $# -gt 0 ] || { echo "usage: slurm_cluster.sh COMMAND [ARGUMENT]..." >&2; exit 2; }

# 1. The programs. A package of a service starts it; here only ours are to run.
[ "$(id -u)" -eq 0 ] || cannot "needs root rights (slurmd starts jobs as their users)"
if ! command -v slurmctld >/dev/null || ! command -v slurmd >/dev/null || ! command -v sbatch >/dev/null || ! command -v munged >/dev/null; then
  command -v apt-get >/dev/null || cannot "slurmctld, slurmd, sbatch and munged are not there, and there is no apt-get to install them"
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends slurmctld slurmd slurm-client munge; } \
    >/dev/null 2>&1 || cannot "slurmctld, slurmd, sbatch and munged are not there and cannot be installed with apt-get"
fi

# 2. Two nodes on this host, told apart by their ports.
folder=$(mktemp -d "${TMPDIR:-/tmp}/boltzcurve-slurm-XXXXXX")
processes=()
clean_up() {
  local process
  for process in "${processes[@]}"; do kill "$process" 2>/dev/null || true; done
  for process in "${processes[@]}"; do wait "$process" 2>/dev/null || true; done
  [ -z "${policy-}" ] || [ ! -e "${policy-}" ] || [ "$(wc -l <"$policy")" -ne 2 ] || rm -f "$policy"
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 143' TERM INT
chmod 755 "$folder"
mkdir "$folder/munge" "$folder/state" "$folder/n1" "$folder/n2"
head -c 1024 /dev/urandom >"$folder/munge/key"
chmod 400 "$folder/munge/key"
chown -R munge: "$folder/munge"
read -r controller_port port_1 port_2 < <(python3 - <<'PORTS'
import socket
sockets = [socket.socket() for _ in range(3)]
for one in sockets: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in sockets))
PORTS
)
host=$(hostname -s)
cat >"$folder/slurm.conf" <<CONF
ClusterName=boltzcurve
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$controller_port
SlurmctldPidFile=$folder/slurmctld.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdPidFile=$folder/%n/slurmd.pid
SlurmdLogFile=$folder/%n/slurmd.log
SlurmdSpoolDir=$folder/%n
StateSaveLocation=$folder/state
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
MessageTimeout=30
KillWait=5
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$port_1 CPUs=${CPUS:-4} State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$port_2 CPUs=${CPUS:-4} State=UNKNOWN
PartitionName=test Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
export SLURM_CONF=$folder/slurm.conf

setpriv --reuid munge --regid munge --clear-groups munged --foreground --key-file "$folder/munge/key" --socket "$folder/munge/socket" \
  --pid-file "$folder/munge/pid" --log-file "$folder/munge/log" --seed-file "$folder/munge/seed" >"$folder/munged.out" 2>&1 &
processes+=($!)
for _ in $(seq 50); do [ -S "$folder/munge/socket" ] && break; sleep 0.1; done
slurmctld -D >"$folder/slurmctld.out" 2>&1 &
processes+=($!)
for node in n1 n2; do
  slurmd -D -N "$node" >"$folder/$node.out" 2>&1 &
  processes+=($!)
done

# 3. Wait until both nodes take jobs.
ready=no
for _ in $(seq 150); do
  if [ "$(sinfo --noheader --Node --format %t 2>/dev/null | grep -c idle)" = 2 ]; then ready=yes; break; fi
  sleep 0.2
done
if [ $ready = no ]; then
  tail -n 5 "$folder"/*.out "$folder/munge/log" "$folder"/*.log "$folder"/n?/*.log >&2 || true
  cannot "the two nodes did not come up in 30 s"
fi

"$@"
