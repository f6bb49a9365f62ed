#!/usr/bin/env bash
# SLURM of one node, this machine, for the tests that need one. As root, with Debian's slurm-wlm:
#   setsid --wait tests/sweeps/one_node_slurm.sh FOLDER
#   SLURM_CONF=FOLDER/slurm.conf pytest tests/sweeps
# To end it: kill $(cat FOLDER/*.pid)
set -euo pipefail
slurm=$(realpath -m "${1:?Give a folder for its files}")
mkdir -p "$slurm/state" "$slurm/spool"
chmod 755 "$slurm"
(umask 077 && head -c 1024 /dev/urandom > "$slurm/key")
here=$(hostname -s)
cat > "$slurm/slurm.conf" <<CONF
ClusterName=tests
SlurmctldHost=$here(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$slurm/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd.pid
SlurmctldLogFile=$slurm/slurmctld.log
SlurmdLogFile=$slurm/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,bf_interval=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobRequeue=1
KillWait=30
MpiDefault=none
ReturnToService=2
NodeName=$here NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=$here Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$slurm/slurm.conf
munged --force --key-file="$slurm/key" --socket="$slurm/munge.socket" \
  --pid-file="$slurm/munged.pid" --log-file="$slurm/munged.log" --seed-file="$slurm/munged.seed"
slurmctld -i -f "$SLURM_CONF"
slurmd -f "$SLURM_CONF"
sleep 3
sinfo
