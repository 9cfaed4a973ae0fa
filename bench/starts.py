"""Measures how the stem's start changes what a model learns in a fixed number of steps: the table of docs/training.md.

Usage: starts.py BYTEFORMER DATA WORK [--steps N] [--seeds N] [--only NAME]
  BYTEFORMER  the program, with its trainer beside it
  DATA        folder of the data sets: fsdd, cifar10_jpg, speech_commands
  WORK        folder for the models; a run that is there already is not repeated
"""
import argparse
import pathlib
import re
import statistics
import subprocess

SOUND = ["--sample-rate", "8000", "--batch-size", "32"]
DATA = {  # name: folder, options
    "spoken digits, uint8": ("fsdd", [*SOUND, "--sample-format", "uint8", "--kernel", "64"]),
    "spoken digits, int16": ("fsdd", [*SOUND, "--sample-format", "int16", "--kernel", "128"]),
    "CIFAR-10, fHWC": ("cifar10_jpg", ["--encode", "fhwc", "--kernel", "48", "--batch-size", "32"]),
    "14 spoken words, int16": ("speech_commands", [*SOUND, "--sample-format", "int16", "--kernel", "128"]),
}
STARTS = ("released", "filter-bank")


def accuracy(arguments, name, start, seed):
    """Validation top-1 in percent, of the best evaluation."""
    folder, options = DATA[name]
    model = arguments.work / re.sub(r"\W+", "-", f"{name} {start} {seed}")
    log = model.with_suffix(".log")
    if not log.exists() or "top-1" not in log.read_text(encoding="utf-8"):
        command = [arguments.byteformer, "train", "--data", arguments.data / folder, "--output", model, "--preset", "nano",
                   "--positions", "learned", "--steps", arguments.steps, "--seed", seed, "--initialisation", start,
                   "--no-progress", *options]
        run = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
        log.write_text(run.stdout + run.stderr, encoding="utf-8")
    return float(re.findall(r": top-1 ([\d.]+) % on", log.read_text(encoding="utf-8"))[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("byteformer")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=DATA)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    print("| data | steps | " + " | ".join(STARTS) + " |\n|---|---|---|---|", flush=True)
    for name in [arguments.only] if arguments.only else DATA:
        cells = []
        for start in STARTS:
            found = [accuracy(arguments, name, start, seed) for seed in range(arguments.seeds)]
            cells.append(f"{statistics.mean(found):.1f} ({min(found):.1f} to {max(found):.1f})")
        print(f"| {name} | {arguments.steps} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
