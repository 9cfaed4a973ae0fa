#!/usr/bin/env python3
"""What a network costs a training by ranks: measures it between network namespaces, fits a model of cost, and says what that
expects of many machines.

Usage: network.py measure BIN WORK RESULTS [--windows N] [--seconds S] [--case NAME]...
       network.py table BIN RESULTS
  BIN      folder of byteformer and byteformer-train
  WORK     folder for made files and models, best on a tmpfs
  RESULTS  bench/network.json, which holds what was measured

`measure` needs root. Two ranks of one thread train, one of them in a namespace of its own. Between both is a pair of veth
devices, held at a rate by a token bucket (tc-tbf); where a delay is asked for, a process that forwards the packets between
two tun devices later (not every kernel has tc-netem). Two trainings without ranks, with half of the batch each, are what
the same work costs without a network. All trainings of a case are there at once, and stopped but for one: they take turns,
for some seconds each, so that a machine that is slower for a while is so for all of them.

`table` prints Markdown for docs/scale.md: the fit, predictions beside measurements, and what they say of many machines.
"""

import argparse
import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time

from ranks import SHAPES, command, make_files
from step_cost import Link, table

NAMESPACE, DEVICES, ADDRESSES = "bf-peer", ("bf-here", "bf-there"), ("10.77.0.1", "10.77.0.2")
PORT = 29_777
INSIDE = ["ip", "netns", "exec", NAMESPACE]
UNLIMITED = Link(gbits=0, delay_ms=0)


@dataclasses.dataclass(frozen=True)
class Case:
    """Trainings that take turns."""

    shape: str
    batch_size: int  # of both ranks
    links: tuple


CASES = {
    # What the model is fitted to.
    "cifar10, 16 files": Case("cifar10", 16, (UNLIMITED, Link(1), Link(10))),
    "cifar10, 64 files": Case("cifar10", 64, (UNLIMITED, Link(1), Link(10))),
    # What it has to predict.
    "cifar10, 32 files": Case("cifar10", 32, (Link(1), Link(10), Link(25))),
    "BF-Ti k 32, 4 files": Case("tiny", 4, (Link(1), Link(10), Link(25))),
    "cifar10, 32 files, relayed": Case("cifar10", 32, (Link(1, 0.1), Link(1, 1), Link(10, 0.1), Link(10, 1))),
}  # fmt: skip


def run(*words):
    subprocess.run(list(map(str, words)), check=True)


class Wire:
    """The way between both namespaces; its rate can be changed while it is in use."""

    def __init__(self, has_delay):
        self.relay = None
        self.close()  # what a run that was killed has left
        run("ip", "netns", "add", NAMESPACE)
        if has_delay:
            self.relay = subprocess.Popen([sys.executable, pathlib.Path(__file__).with_name("relay.py"), *DEVICES],
                                          stdin=subprocess.PIPE, text=True)  # fmt: skip
            while not all(os.path.exists(f"/sys/class/net/{device}") for device in DEVICES):
                time.sleep(0.05)
        else:
            run("ip", "link", "add", DEVICES[0], "type", "veth", "peer", "name", DEVICES[1])
        run("ip", "link", "set", DEVICES[1], "netns", NAMESPACE)
        self.inside = [[], INSIDE]
        run(*self.inside[1], "ip", "link", "set", "lo", "up")
        for inside, device, address in zip(self.inside, DEVICES, ADDRESSES):
            run(*inside, "ip", "address", "add", address + "/30", "dev", device)
            run(*inside, "ip", "link", "set", device, "up")

    def set(self, link):
        for inside, device in zip(self.inside, DEVICES):
            words = ["root", "tbf", "rate", f"{link.gbits}gbit", "burst", "1mb", "latency", "50ms"]
            if link.gbits > 0:
                run(*inside, "tc", "qdisc", "replace", "dev", device, *words)
            else:
                subprocess.run([*inside, "tc", "qdisc", "del", "dev", device, "root"], stderr=subprocess.DEVNULL)
        if self.relay:
            self.relay.stdin.write(f"{link.delay_ms}\n")
            self.relay.stdin.flush()

    @staticmethod
    def sent_bytes():
        return int(pathlib.Path(f"/sys/class/net/{DEVICES[0]}/statistics/tx_bytes").read_text())

    def close(self):
        if self.relay:
            self.relay.kill()
            self.relay.wait()
        subprocess.run(["ip", "link", "del", DEVICES[0]], stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "netns", "del", NAMESPACE], stderr=subprocess.DEVNULL)


@dataclasses.dataclass
class Seen:
    """What a trainer told of one step."""

    time: float
    step: int
    sent_bytes: int


class Training:
    """A trainer of one rank, in a session of its own, which can be stopped as one."""

    def __init__(self, words, inside=(), environment=None):
        self.seen = []
        self.process = subprocess.Popen(
            [*inside, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            env={**os.environ, **(environment or {})})  # fmt: skip
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in map(json.loads, self.process.stdout):
            if line["event"] == "step":
                self.seen.append(Seen(time.monotonic(), line["step"], Wire.sent_bytes()))

    def send(self, number):
        if self.process.poll() is not None:
            raise SystemExit("a training has ended before its time: " + self.process.stderr.read())
        os.killpg(self.process.pid, number)


def start_trainings(arguments, case):
    """Both ranks, and both that train alone with half of the batch."""
    shape = SHAPES[case.shape]
    data = make_files(shape, arguments.work / f"{case.shape}-files")
    output = arguments.work / f"run-{os.getpid()}-{time.monotonic_ns()}"

    def start(name, batch_size, rank=None):
        fixed = ["--steps", 10_000_000, "-j", 1, "--workers", 1, "--seed", 1, "--batch-size", batch_size]
        words = command(arguments.binaries, data, f"{output}-{name}", shape, *fixed)
        place = {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "1", "MASTER_ADDR": ADDRESSES[0],
                 "MASTER_PORT": str(PORT)} if rank is not None else {}  # fmt: skip
        return Training(words, INSIDE if rank == 1 else [], place)

    half = case.batch_size // 2
    return [start("ranks", case.batch_size, rank) for rank in range(2)], [start(f"alone-{i}", half) for i in range(2)]


def row_of(link, seconds, sent_bytes):
    quartiles = statistics.quantiles(seconds, n=4)
    return {"link": dataclasses.asdict(link) if link else None, "seconds": statistics.median(seconds),
            "quartiles": [quartiles[0], quartiles[2]], "samples": len(seconds),
            "sent_bytes": statistics.median(sent_bytes) if link else 0}  # fmt: skip


def measure_case(arguments, case):
    """Median seconds of a step for each link, and without one; bytes per step."""
    wire = Wire(any(link.delay_ms > 0 for link in case.links))
    ranks, alone = [], []
    try:
        ranks, alone = start_trainings(arguments, case)
        while not all(training.seen for training in (ranks[0], *alone)):  # all have started
            time.sleep(0.1)
            for training in (*ranks, *alone):
                training.send(signal.SIGCONT)
        seconds, sent = collections.defaultdict(list), collections.defaultdict(list)
        for training in (*ranks, *alone):
            training.send(signal.SIGSTOP)
        for _ in range(arguments.windows):
            for link in (*case.links, None):
                running = alone if link is None else ranks
                if link is not None:
                    wire.set(link)
                first = [len(training.seen) for training in running]
                for training in running:
                    training.send(signal.SIGCONT)
                time.sleep(arguments.seconds)
                for training in running:
                    training.send(signal.SIGSTOP)
                for training, begin in zip(running, first):
                    seen = training.seen[begin + 1 :]  # the first step was stopped, or came over another link
                    if len(seen) > 1:
                        steps = seen[-1].step - seen[0].step
                        seconds[link].append((seen[-1].time - seen[0].time) / steps)
                        sent[link].append((seen[-1].sent_bytes - seen[0].sent_bytes) / steps)
        (plan,) = arguments.work.glob(f"run-{os.getpid()}-*-ranks/training/plan.json")
        return {"shape": case.shape, "num_bytes": SHAPES[case.shape].num_bytes, "batch_size": case.batch_size,
                "config": json.loads(plan.read_text())["model"],
                "rows": [row_of(link, seconds[link], sent[link]) for link in (*case.links, None)]}  # fmt: skip
    finally:
        for training in (*ranks, *alone):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(training.process.pid, signal.SIGKILL)
            training.process.wait()
        wire.close()
        for left in arguments.work.glob(f"run-{os.getpid()}-*"):
            subprocess.run(["rm", "-rf", left], check=True)


SUMS = """
import json, statistics, sys, time, torch, torch.distributed as ranks
ranks.init_process_group("gloo")
def seconds(count, times):
    numbers, found = torch.zeros(count), []
    for _ in range(times):
        start = time.perf_counter()
        ranks.all_reduce(numbers)
        found.append(time.perf_counter() - start)
    return statistics.median(found)
print(json.dumps([seconds(1, 2000), seconds(1 << 20, 200)]))
"""


def measure_sums():
    """What Gloo's sums of two ranks cost alone, where the link has no limit: per message, of which there are two, and per
    byte. Needs Debian's python3-torch."""
    wire = Wire(False)
    try:
        processes = []
        for rank, inside in enumerate(wire.inside):
            place = {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": ADDRESSES[0], "MASTER_PORT": str(PORT),
                     "GLOO_SOCKET_IFNAME": DEVICES[rank]}  # fmt: skip
            words = [*inside, "/usr/bin/python3", "-c", SUMS]
            processes.append(subprocess.Popen(words, env={**os.environ, **place}, stdout=subprocess.PIPE, text=True))
        small, large = json.loads(processes[0].communicate()[0])
        return {"message_seconds": small / 2, "byte_seconds": (large - small) / (4 << 20)}
    finally:
        for process in processes:
            process.kill()
            process.wait()
        wire.close()


def measure(arguments):
    results = json.loads(arguments.results.read_text()) if arguments.results.exists() else {"cases": {}}
    sums = [measure_sums() for _ in range(5)]
    results.update({key: statistics.median(found[key] for found in sums) for key in sums[0]})
    print({key: results[key] for key in ("message_seconds", "byte_seconds")}, file=sys.stderr, flush=True)
    for name in arguments.case if arguments.case is not None else CASES:
        results["cases"][name] = measure_case(arguments, CASES[name])
        for row in results["cases"][name]["rows"]:
            print(name, row, file=sys.stderr, flush=True)
        arguments.results.write_text(json.dumps(results, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    parts = {name: commands.add_parser(name) for name in ("measure", "table")}
    for part in parts.values():
        part.add_argument("binaries", metavar="BIN", type=pathlib.Path)
    parts["measure"].add_argument("work", metavar="WORK", type=pathlib.Path)
    parts["measure"].add_argument("--windows", type=int, default=8)
    parts["measure"].add_argument("--seconds", type=float, default=5)
    parts["measure"].add_argument("--case", choices=CASES, action="append")
    for part in parts.values():
        part.add_argument("results", metavar="RESULTS", type=pathlib.Path)
    parts["measure"].set_defaults(action=measure)
    parts["table"].set_defaults(action=lambda a: print(table(a.binaries, json.loads(a.results.read_text()))))
    arguments = parser.parse_args()
    arguments.action(arguments)


if __name__ == "__main__":
    main()
