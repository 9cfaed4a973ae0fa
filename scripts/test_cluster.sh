#!/usr/bin/env bash
# Uses the program under the launchers of clusters, as far as this machine has them, and says at its end what passed and
# what was skipped, and why. Usage: test_cluster.sh [torchrun|mpirun|slurm]...
# Needs a build (BUILD, by default build/dev); KILLS (20) is how often a rank is killed under torchrun. Debian's packages:
# python3-torch, openmpi-bin, slurmctld, slurmd, slurm-client, munge (Slurm needs root, and is started here for itself).
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${BUILD:-build/dev}")
export PATH="$build/bin:$PATH"
wanted=${*:-torchrun mpirun slurm}
kills=${KILLS:-20}
work=$(mktemp -d)
summary=()
background=()  # processes to end with this one

end_all() {
  for id in ${background[@]+"${background[@]}"}; do kill "$id" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap end_all EXIT
step() { printf '\n==> %s\n' "$1"; }
fail() { echo "FAILED: $1" >&2; exit 1; }
passed() { summary+=("passed: $1"); }
skipped() { summary+=("SKIPPED: $1: $2"); }
has() { command -v "$1" >/dev/null; }

make_data() {  # two kinds of text of many lengths, told apart by the letters that they use
  local kind i
  for kind in letters digits; do
    mkdir -p "$work/data/$kind"
    for i in $(seq 60); do
      awk -v seed="$i" -v first="$([ $kind = letters ] && echo 97 || echo 48)" \
        'BEGIN { srand(seed); for (j = 0; j < 40 + 97 * seed % 400; ++j) printf "%c", first + int(10 * rand()) }' >"$work/data/$kind/$i.txt"
    done
  done
}
train=(byteformer train --data data --batch-size 8 --hidden-size 64 --heads 2 --layers 4 --threads 1 --no-progress)

same_tensors() {  # of two safetensors files, without their headers, which tell seconds
  local size
  size=$(stat -c %s "$work/$1/model.safetensors")
  cmp "$work/$1/model.safetensors" "$work/$2/model.safetensors" &&
    cmp <(tail -c "$size" "$work/$1/training/checkpoint.safetensors") <(tail -c "$size" "$work/$2/training/checkpoint.safetensors")
}

reference() {  # reference STEPS: a run of two ranks that nobody disturbs, once
  [ -d "$work/undisturbed-$1" ] || (cd "$work" && "${train[@]}" --steps "$1" --ranks 2 -o "undisturbed-$1" >"undisturbed-$1.log" 2>&1) ||
    { cat "$work/undisturbed-$1.log"; fail "two ranks on this machine"; }
}

# -- launchers -----------------------------------------------------------------------------------------------------------

train_torchrun() {
  step "torchrun, $kills times one of two ranks is killed"
  has torchrun || { skipped torchrun "there is none (python3-torch)"; return; }
  local steps=$((200 + 100 * kills)) killed=0 launcher ranks victim
  reference $steps
  cd "$work"
  torchrun -r 2 -t 2 --standalone --monitor_interval 0.5 --nproc_per_node 2 --max_restarts $((2 * kills)) --no_python \
    "${train[@]}" --steps $steps -o torchrun --auto-resume --rank-timeout 30s >torchrun.log 2>&1 &
  launcher=$!
  background+=($launcher)
  while [ $killed -lt "$kills" ]; do
    sleep "$(awk -v seed="$RANDOM" 'BEGIN { srand(seed); print 0.5 + 4.5 * rand() }')"  # any instant
    kill -0 $launcher 2>/dev/null || { tail -5 torchrun.log; fail "the run was over after $killed kills: it must be longer on this machine"; }
    mapfile -t ranks < <(pgrep -P $launcher -f byteformer-train)
    [ ${#ranks[@]} -gt 0 ] || continue  # it is starting them
    victim=${ranks[RANDOM % ${#ranks[@]}]}
    kill -KILL "$victim" 2>/dev/null && killed=$((killed + 1))
  done
  wait $launcher || { tail -20 torchrun.log; fail "torchrun did not end well"; }
  same_tensors torchrun undisturbed-$steps || fail "the bits differ after $killed kills"
  passed "torchrun: the bits of an undisturbed run after $killed kills"
}

train_mpirun() {
  step "mpirun, two ranks"
  has mpirun || { skipped mpirun "there is none (openmpi-bin)"; return; }
  reference 100
  local as_root=()
  [ "$(id -u)" != 0 ] || as_root=(--allow-run-as-root)
  (cd "$work" && mpirun ${as_root[@]+"${as_root[@]}"} --oversubscribe -np 2 "${train[@]}" --steps 100 -o mpirun >mpirun.log 2>&1) ||
    { cat "$work/mpirun.log"; fail "mpirun"; }
  same_tensors mpirun undisturbed-100 || fail "mpirun's bits differ"
  passed "mpirun: the bits of --ranks 2"
}

start_slurm() {  # a cluster of this machine alone; leaves SLURM_CONF set. Status 1 and $slurm_missing where it cannot be
  [ -z "${SLURM_CONF:-}" ] || return 0
  local program
  for program in slurmctld slurmd munged sbatch srun scontrol; do
    has $program || { slurm_missing="there is no $program"; return 1; }
  done
  [ "$(id -u)" = 0 ] || { slurm_missing="it needs root"; return 1; }
  local place=$work/cluster host
  host=$(hostname -s)
  mkdir -p "$place"/{state,spool,munge} && chmod 755 "$work" && chmod 700 "$place/munge"
  dd if=/dev/urandom of="$place/munge/key" bs=128 count=1 status=none && chmod 600 "$place/munge/key"
  munged --force --key-file="$place/munge/key" --socket="$place/munge.socket" --pid-file="$place/munge/pid" \
    --log-file="$place/munge/log" --seed-file="$place/munge/seed" || { slurm_missing="munged does not start"; return 1; }
  background+=("$(cat "$place/munge/pid")")
  cat >"$place/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$place/munge.socket
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd.pid
SlurmctldPort=$((20000 + RANDOM % 5000))
SlurmdPort=$((25000 + RANDOM % 5000))
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1
MpiDefault=none
JobRequeue=1
KillWait=10
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
CONF
  export SLURM_CONF=$place/slurm.conf
  slurmctld -D >"$place/slurmctld.log" 2>&1 & background+=($!)
  slurmd -D >"$place/slurmd.log" 2>&1 & background+=($!)
  local i
  for ((i = 0; i < 100; ++i)); do
    sinfo -h -o %t 2>/dev/null | grep -q idle && return 0
    sleep 0.2
  done
  tail -3 "$place"/*.log >&2
  slurm_missing="no node of it comes up" && unset SLURM_CONF && return 1
}

wait_for() {  # until a command succeeds, for three minutes
  local end=$((SECONDS + 180))
  until eval "$1"; do
    [ $SECONDS -lt $end ] || fail "in vain: $1"
    sleep 0.2
  done
}
start_now() { scontrol update JobId="$1" StartTime=now 2>/dev/null || true; }  # a requeued job waits two minutes by itself
job_state() { scontrol show job "$1" | grep -oE 'JobState=[A-Z]+' | cut -d= -f2; }

train_slurm() {
  step "Slurm: a job of two ranks is requeued twice, by its own signal and by scontrol"
  start_slurm || { skipped slurm "$slurm_missing"; return; }
  local steps=1500 job
  reference $steps
  cd "$work"
  cat >job.sh <<JOB
#!/bin/bash
#SBATCH --ntasks=2 --requeue --open-mode=append --output=job.log
srun --kill-on-bad-exit=0 ${train[@]} --steps $steps -o slurm --auto-resume --rank-timeout 30s
status=\$?
echo "srun: status \$status"
[ \$status != 130 ] || scontrol requeue "\$SLURM_JOB_ID"
JOB
  job=$(sbatch --parsable job.sh)
  wait_for '[ -f slurm/training/checkpoint.safetensors ]'
  scancel --signal=USR1 "$job.0"  # what --signal=USR1@120 sends before the time is up
  wait_for 'grep -q "srun: status 130" job.log'
  wait_for "[ \"\$(job_state $job)\" = PENDING ]"
  wait_for "start_now $job; sleep 3; [ \"\$(job_state $job)\" = RUNNING ]"
  touch -d now mark
  wait_for '[ slurm/training/checkpoint.safetensors -nt mark ]'
  scontrol requeue "$job"
  wait_for "[ \"\$(job_state $job)\" = PENDING ]"
  wait_for "start_now $job; sleep 3; [[ \$(job_state $job) =~ COMPLETED|FAILED ]]"
  same_tensors slurm undisturbed-$steps || { cat job.log; fail "the bits differ after two requeues"; }
  passed "Slurm $(srun --version | cut -d' ' -f2): the bits of an undisturbed run after two requeues"
}

make_data
for launcher in $wanted; do
  declare -F "train_$launcher" >/dev/null || { echo "usage: $0 [torchrun|mpirun|slurm]..." >&2; exit 2; }
  train_"$launcher"
done
printf '\n'; printf '%s\n' "${summary[@]}"
