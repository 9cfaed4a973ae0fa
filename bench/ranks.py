#!/usr/bin/env python3
"""Two ranks of one thread against one rank of two threads: the files per second of trainings that take turns.

Usage: ranks.py BIN WORK [--shape cifar10|tiny]... [--rounds 5]
  BIN   folder of byteformer and byteformer-train
  WORK  folder for made files and models; on a tmpfs, if writing of checkpoints is not to be measured

Every round runs each of the two for the same number of steps on the same files; what is printed are medians. Run it on a
machine that does nothing else.
"""

import argparse
import dataclasses
import json
import pathlib
import random
import shutil
import statistics
import subprocess


@dataclasses.dataclass(frozen=True)
class Shape:
    """A model and its files, which are random bytes: what they are has no influence on how long a step takes."""

    text: str
    num_bytes: int
    num_files: int
    batch_size: int
    steps: int
    options: tuple


SHAPES = {
    "cifar10": Shape("the model cifar10, 128 files a step", 3_072, 2_000, 128, 24,
                     ("--preset", "micro", "--kernel", "48", "--positions", "learned")),
    "tiny": Shape("BF-Ti k 32 on 150,668 bytes, 16 files a step", 150_668, 80, 16, 8,
                  ("--preset", "tiny", "--kernel", "32", "--positions", "learned", "--max-bytes", "0")),
}  # fmt: skip
FIRST_STEPS = 2  # memory is touched the first time, ranks wait for each other's start


def make_files(shape, folder):
    """Two classes in folders, and as few for validation as there can be."""
    draw = random.Random(0)
    for part, count in (("train", shape.num_files), ("val", 2)):
        for i in range(count):
            path = folder / part / "ab"[i % 2] / f"{i}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.stat().st_size != shape.num_bytes:
                path.write_bytes(draw.randbytes(shape.num_bytes))
    return folder


def command(binaries, data, output, shape, *words):
    fixed = ["--encode", "as-is", "--init-from", "none", "--augment", "none", "--no-progress", "--json"]
    return list(
        map(str, [binaries / "byteformer", "train", "--data", data, "-o", output, *shape.options, *fixed, *words])
    )


def train(binaries, data, output, shape, *words):
    """Files per second in each step that the trainer told of."""
    shutil.rmtree(output, ignore_errors=True)
    words = ["--batch-size", shape.batch_size, "--steps", shape.steps, *words]
    run = subprocess.run(command(binaries, data, output, shape, *words), check=True, capture_output=True, text=True)
    lines = map(json.loads, run.stdout.splitlines())
    rates = [line["files_per_second"] for line in lines if line["event"] == "step" and line["step"] > FIRST_STEPS]
    if not rates:
        raise SystemExit(f"no step took long enough to be told of: {output}")
    return rates


WAYS = {"two ranks of one thread": ("--ranks", "2", "-j", "1"), "one rank of two threads": ("-j", "2")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", metavar="BIN", type=pathlib.Path)
    parser.add_argument("work", metavar="WORK", type=pathlib.Path)
    parser.add_argument("--shape", choices=SHAPES, action="append")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print("| files per second, median | " + " | ".join(WAYS) + " | ratio | ratios of rounds |\n|---|---|---|---|---|")
    for name in arguments.shape or SHAPES:
        shape = SHAPES[name]
        data = make_files(shape, arguments.work / f"{name}-files")
        rates = {way: [] for way in WAYS}
        ratios = []
        for i in range(arguments.rounds):
            medians = {}
            for way in list(WAYS)[:: 1 if i % 2 == 0 else -1]:  # whoever is first in one round is second in the next
                found = train(arguments.binaries, data, arguments.work / f"{name}-model", shape, *WAYS[way])
                rates[way] += found
                medians[way] = statistics.median(found)
            ratios.append(medians["two ranks of one thread"] / medians["one rank of two threads"])
        cells = [f"{statistics.median(rates[way]):.2f}" for way in WAYS]
        print(f"| {shape.text} | {' | '.join(cells)} | {statistics.median(ratios):.3f} | {min(ratios):.3f} to {max(ratios):.3f} |",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
