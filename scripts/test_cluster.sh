#!/usr/bin/env bash
# Uses the program under the launchers and on the engines of clusters, as far as this machine has them, and says at its end
# what passed and what was skipped, and why.
# Usage: test_cluster.sh [--install] [torchrun|mpirun|slurm|shards|array|kubernetes|dask|ray|spark]...
#   --install  pip fetches engines that VENV (build/cluster), a virtual environment, lacks; else they are skipped
# The first three train; the others classify the same pictures and compare bits with the command, also after a worker is killed.
# Needs a build (BUILD, by default build/release, which test.sh leaves); KILLS (20) is how often a rank is killed under
# torchrun. Debian's packages: python3-torch, openmpi-bin, slurmctld, slurmd, slurm-client, munge (Slurm needs root, and is started here for itself),
# default-jre-headless, python3-venv. DATA is a folder of pictures (some are made), FILES (400) how many of them are classified.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${BUILD:-build/release}")
export PATH="$build/bin:$PATH"
installs=no
if [ "${1:-}" = --install ]; then installs=yes; shift; fi
wanted=${*:-torchrun mpirun slurm shards array kubernetes dask ray spark}
kills=${KILLS:-20}
root=$PWD
source tests/train/tiny_data.sh
model=$root/models/cifar10
venv=$(realpath -m "${VENV:-build/cluster}")
export PYTHONPATH="${PYTHONPATH:-$build/python}"
files=${FILES:-400}
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
children() { cat /proc/"$1"/task/*/children 2>/dev/null || true; }  # ids of processes; pgrep is not everywhere
is_command() { tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -q "$2"; }  # whether process $1 was started with $2

train=(byteformer train --data data --batch-size 8 --hidden-size 64 --heads 2 --layers 4 --threads 1 --no-progress)

reference() {  # reference STEPS: a run of two ranks that nobody disturbs, once
  [ -d "$work/undisturbed-$1" ] ||
    (cd "$work" && "${train[@]}" --json --steps "$1" --ranks 2 -o "undisturbed-$1" >"undisturbed-$1.log" 2>&1) ||
    { cat "$work/undisturbed-$1.log"; fail "two ranks on this machine"; }
}

steps_of() {  # steps_of SECONDS: how many steps take so long here
  reference 100
  grep '"event":"end"' "$work/undisturbed-100.log" |
    python3 -c 'import json, sys; print(max(100, int(float(sys.argv[1]) * 100 / json.load(sys.stdin)["seconds"])))' "$1"
}

# -- launchers -----------------------------------------------------------------------------------------------------------

run_and_kill() {  # run_and_kill STEPS: under torchrun. Status 1 where the run is over before the last kill
  local steps=$1 killed=0 launcher ranks victim
  rm -rf "$work/torchrun"
  cd "$work"
  torchrun -r 2 -t 2 --standalone --monitor_interval 0.5 --nproc_per_node 2 --max_restarts $((2 * kills)) --no_python \
    "${train[@]}" --steps $steps -o torchrun --auto-resume --rank-timeout 30s >torchrun.log 2>&1 &
  launcher=$!
  background+=($launcher)
  while [ $killed -lt "$kills" ]; do
    sleep "$(awk -v seed="$RANDOM" 'BEGIN { srand(seed); print 0.5 + 4.5 * rand() }')"  # any instant
    kill -0 $launcher 2>/dev/null || { wait $launcher || { tail -20 torchrun.log; fail "torchrun did not end well"; }; return 1; }
    ranks=()
    for victim in $(children $launcher); do ! is_command "$victim" byteformer-train || ranks+=("$victim"); done
    [ ${#ranks[@]} -gt 0 ] || continue  # it is starting them
    victim=${ranks[RANDOM % ${#ranks[@]}]}
    kill -KILL "$victim" 2>/dev/null && killed=$((killed + 1))
  done
  wait $launcher || { tail -20 torchrun.log; fail "torchrun did not end well"; }
}

train_torchrun() {
  step "torchrun, $kills times one of two ranks is killed"
  has torchrun || { skipped torchrun "there is none (python3-torch)"; return; }
  local steps
  steps=$(steps_of $((4 * kills)))
  until run_and_kill $steps; do steps=$((4 * steps)); done  # until it takes longer than the kills
  reference $steps
  same_tensors "$work/torchrun" "$work/undisturbed-$steps" || fail "the bits differ after $kills kills"
  passed "torchrun: the bits of an undisturbed run after $kills kills"
}

train_mpirun() {
  step "mpirun, two ranks"
  has mpirun || { skipped mpirun "there is none (openmpi-bin)"; return; }
  reference 100
  local as_root=()
  [ "$(id -u)" != 0 ] || as_root=(--allow-run-as-root)
  (cd "$work" && mpirun ${as_root[@]+"${as_root[@]}"} --oversubscribe -np 2 "${train[@]}" --steps 100 -o mpirun >mpirun.log 2>&1) ||
    { cat "$work/mpirun.log"; fail "mpirun"; }
  same_tensors "$work/mpirun" "$work/undisturbed-100" || fail "mpirun's bits differ"
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
  local steps job
  steps=$(steps_of 40)  # so long that Slurm, which looks at its jobs once a second, sees it at work
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
  wait_for "start_now $job; sleep 1; [ \"\$(job_state $job)\" = RUNNING ]"
  touch -d now mark
  wait_for '[ slurm/training/checkpoint.safetensors -nt mark ]'
  scontrol requeue "$job"
  wait_for "[ \"\$(job_state $job)\" = PENDING ]"
  wait_for "start_now $job; sleep 1; [[ \$(job_state $job) =~ COMPLETED|FAILED ]]"
  same_tensors "$work/slurm" "$work/undisturbed-$steps" || { cat job.log; fail "the bits differ after two requeues"; }
  passed "Slurm $(srun --version | cut -d' ' -f2): the bits of an undisturbed run after two requeues"
}

seconds_since() { python3 -c 'import sys; print(f"{float(sys.argv[2]) - float(sys.argv[1]):.2f}")' "$1" "$(date +%s.%N)"; }

# has_module NAME MODULE PACKAGE: whether Python has MODULE, which pip brings as PACKAGE where that is asked for. If not, NAME
# is skipped.
has_module() {
  is_there() { "$venv/bin/python" -c "import $1, cffi" 2>/dev/null; }
  ! is_there "$2" || return 0
  if [ $installs = no ]; then
    skipped "$1" "Python's $3 is not in $venv; --install fetches it"
  elif [ ! -x "$venv/bin/python" ] && ! python3 -m venv "$venv" >/dev/null 2>&1; then
    skipped "$1" "python3 -m venv does not work (python3-venv)"
  elif ! "$venv/bin/pip" install -q "$3" cffi >"$work/pip" 2>&1 || ! is_there "$2"; then
    skipped "$1" "pip cannot install $3: $(tail -1 "$work/pip")"
  else
    return 0
  fi
  return 1
}

make_inputs() {
  if [ -n "${DATA:-}" ]; then
    find "$DATA" -type f | sort | awk -v n="$files" \
      '{ all[NR] = $0 } END { for (i = 0; i < n && i < NR; ++i) print all[1 + int(i * NR / n)] }'
  else
    python3 - "$work/pictures" "$files" <<'PYTHON'
import os, random, sys
folder, count = sys.argv[1], int(sys.argv[2])
os.makedirs(folder)
for i in range(count):
    with open(f"{folder}/{i}.ppm", "wb") as file:
        file.write(b"P6\n32 32\n255\n" + random.Random(i).randbytes(32 * 32 * 3))
    print(f"{folder}/{i}.ppm")
PYTHON
  fi >"$work/names"
  echo "$work/missing" >>"$work/names"
  head -1 "$work/names" >"$work/one"
}

answer() {  # answer LIST OUTPUT: by the command, on all processors
  byteformer classify -m "$model" --jsonl --logits --files-from "$work/$1" >"$2" 2>/dev/null || [ $? = 1 ]
}

answer_by_command() {  # once
  [ ! -e "$work/expected" ] || return 0
  make_inputs
  answer names "$work/expected"
}

# Whether the rows in FILES are the answers of the command: the same paths, errors and logits, bit for bit.
same_answers() {
  python3 - "$work/expected" "$@" <<'PYTHON'
import array, json, sys
def rows(files):
    found = {}
    for name in files:
        for line in open(name):
            row = json.loads(line)
            assert row["path"] not in found, row["path"] + " stands twice"
            answer = row["error"]["code"] if row["status"] == "error" else array.array("f", row["logits"]).tobytes()
            found[row["path"]] = answer
    return found
expected, got = rows(sys.argv[1:2]), rows(sys.argv[2:])
wrong = [path for path in expected.keys() | got.keys() if expected.get(path) != got.get(path)]
sys.exit(f"{len(wrong)} of {len(expected)} differ, for example {wrong[0]}" if wrong else 0)
PYTHON
}

descendants() {
  local child
  for child in $(children "$1"); do echo "$child"; descendants "$child"; done
}

# Kills a descendant of process $1 whose command line has $2, once one is there and the first file as $3 is.
kill_a_worker() {
  local pid
  while kill -0 "$1" 2>/dev/null; do
    if compgen -G "$3" >/dev/null; then for pid in $(descendants "$1" | tac); do
      if is_command "$pid" "$2"; then kill -9 "$pid"; return; fi
    done; fi
    sleep 0.02
  done
  return 1
}

# classify_by NAME PARTS WORKER BUSY COMMAND ...: LIST and OUT in COMMAND are replaced. PARTS: what the output consists of;
# WORKER: what the command line of a worker has; BUSY: what is in the output once the first part is done, and the next ones
# are at work.
classify_by() {
  local name=$1 parts=$2 worker=$3 busy=$4 list took=() start command pid
  shift 4
  step "$name: two workers, then one of them killed"
  for list in one names; do  # the command beside it: the machine may be busy now, and idle later
    start=$(date +%s.%N)
    answer $list /dev/null
    took+=("$(seconds_since "$start")")
    command=("${@/#LIST/$work/$list}")
    start=$(date +%s.%N)
    timeout 600 "${command[@]/#OUT/$work/$name-$list}" >"$work/log" 2>&1 || { tail -20 "$work/log"; fail "$name"; }
    took+=("$(seconds_since "$start")")
  done
  same_answers "$work/$name-names"/$parts || fail "$name: other answers than the command's"
  command=("${@/#LIST/$work/names}")
  timeout 600 "${command[@]/#OUT/$work/$name-killed}" >"$work/log" 2>&1 &
  pid=$!
  kill_a_worker $pid "$worker" "$work/$name-killed/$busy" || fail "$name: there was no worker to kill"
  wait $pid || { tail -20 "$work/log"; fail "$name: ended with its worker"; }
  same_answers "$work/$name-killed"/$parts || fail "$name: a worker was killed, and other answers came"
  passed "$name: the command's bits, also when a worker is killed; $(python3 - "${took[@]}" "$files" <<'PYTHON'
import sys
own_one, one, own_all, all, count = map(float, sys.argv[1:])
each, own_each = 1e3 * (all - one) / count, 1e3 * (own_all - own_one) / count
print(f"{one:.1f} s for one file, then {each:.2f} ms per file, {each - own_each:.2f} ms more than the command's {own_each:.2f}")
PYTHON
  )"
}

classify_dask() {
  has_module dask distributed 'dask[distributed]' || return 0
  classify_by dask 'part-*.jsonl' spawn_main 'part-*.jsonl' "$venv/bin/python" "$root"/deploy/dask/classify.py "$model" LIST OUT --logits \
    --batch-size $((files / 8))
}

classify_ray() {
  has_module ray ray ray || return 0
  export RAY_USAGE_STATS_ENABLED=0 RAY_worker_niceness=0  # its workers give way to all else, which would be measured
  classify_by ray 'part-*.jsonl' ray::Worker 'part-*.jsonl' "$venv/bin/python" "$root"/deploy/ray/classify.py "$model" LIST OUT --logits \
    --batch-size $((files / 8))
}

classify_spark() {
  has java || { skipped spark "there is no Java (Debian's default-jre-headless)"; return; }
  has_module spark pyspark pyspark || return 0
  export PYSPARK_PYTHON=$venv/bin/python
  classify_by spark 'part-*' pyspark.daemon '_temporary/0/task_*' "$venv/bin/spark-submit" --master 'local[2,4]' "$root"/deploy/spark/classify.py \
    "$model" LIST OUT --logits --partitions 8
}

classify_kubernetes() {
  step "Kubernetes: resources against the API's schema"
  has_module kubernetes kubernetes_validate kubernetes-validate || return 0
  "$venv/bin/kubernetes-validate" --strict "$root"/deploy/kubernetes/*.yaml || fail "kubernetes"
  passed "Kubernetes: resources are as the API's schema says"
}

# As an array job starts them: eight tasks, of which one is killed and started again, and one is started twice.
classify_shards() {
  step "shards: eight tasks, one killed, one started twice"
  local i pids=() tasks=()
  run_task() {
    SLURM_ARRAY_TASK_ID=$1 SLURM_CPUS_PER_TASK=1 SHARDS=8 MODEL=$model LIST=${2:-$work/names} OUT=$work/shards \
      exec bash "$root"/deploy/slurm/classify.sbatch --logits --no-progress 2>/dev/null
  }
  mkfifo "$work/slow"  # a list that never ends: the task that reads it is at work for certain
  (run_task 5 "$work/slow") & pids+=($!)
  exec 9>"$work/slow"
  head -100 "$work/names" >&9
  until compgen -G "$work/shards/*.tmp-*" >/dev/null; do sleep 0.05; done
  kill -9 $(descendants "${pids[0]}")
  exec 9>&-
  for i in 0 1 2 3 4 6 7 2; do (run_task $i) & tasks+=($!); done
  for i in "${tasks[@]}"; do wait "$i" || fail "shards: a task"; done
  ! byteformer gather "$work/shards" >/dev/null 2>"$work/log" || fail "shards: one is missing, and nobody says so"
  grep -q 'shard 5 of 8 is missing' "$work/log" || fail "shards: $(cat "$work/log")"
  (run_task 5) || fail "shards: the task that was killed"
  byteformer gather "$work/shards" >"$work/gathered" 2>/dev/null || [ $? = 1 ]
  cmp <(sort "$work/expected") <(sort "$work/gathered") || fail "shards: other lines than one run's"
  passed "shards: eight tasks, one killed, one started twice: the lines of one run"
}

classify_array() {
  step "Slurm: an array job of eight shards, one task of which is killed"
  start_slurm || { skipped array "$slurm_missing"; return; }
  local script=$root/deploy/slurm/classify.sbatch job how
  export SHARDS=8 MODEL=$model LIST=$work/names OUT=$work/array
  how=(--parsable --cpus-per-task=1 --mem=0 --time=10 --output="$work/array-%a.log")
  mkfifo "$work/slow-array"  # what the task that is killed reads
  job=$(LIST=$work/slow-array sbatch "${how[@]}" --array=5 "$script" --logits)
  exec 9<>"$work/slow-array"
  head -100 "$work/names" >&9
  wait_for 'compgen -G "$work/array/*.tmp-*" >/dev/null'
  scancel --signal=KILL --full "$job"
  exec 9>&-
  wait_for "[[ \$(job_state $job) =~ COMPLETED|FAILED|CANCELLED ]]"
  job=$(sbatch "${how[@]}" --array=0-4,6-7 "$script" --logits)
  wait_for "[ -z \"\$(squeue -h -j $job)\" ]"
  ! byteformer gather "$work/array" >/dev/null 2>"$work/log" || fail "array: a shard is missing, and nobody says so"
  grep -q 'shard 5 of 8 is missing' "$work/log" || { cat "$work"/array-*.log; fail "array: $(cat "$work/log")"; }
  job=$(sbatch "${how[@]}" --array=0-7 "$script" --logits)  # all of them again: those that are done stay
  wait_for "[ -z \"\$(squeue -h -j $job)\" ]"
  byteformer gather "$work/array" >"$work/gathered" 2>/dev/null || [ $? = 1 ]
  cmp <(sort "$work/expected") <(sort "$work/gathered") || fail "array: other lines than one run's"
  passed "Slurm $(srun --version | cut -d' ' -f2): an array job of eight shards, one killed: the lines of one run"
}

for name in $wanted; do
  if declare -F "train_$name" >/dev/null; then
    [ -d "$work/data" ] || text_data "$work/data"
    train_"$name"
  elif declare -F "classify_$name" >/dev/null; then
    answer_by_command
    classify_"$name"
  else
    echo "usage: $0 [--install] [torchrun|mpirun|slurm|shards|array|kubernetes|dask|ray|spark]..." >&2
    exit 2
  fi
done
printf '\n'; printf '%s\n' "${summary[@]}"
