"""Measures what trains better: for each way of one choice and each data set, the accuracy after the same number of files.

Usage: training_choices.py BYTEFORMER DATA WORK [--choice NAME] [--data-set NAME] [--files N] [--seeds N]
  BYTEFORMER  the program, with its trainer beside it
  DATA        folder of the data sets: fsdd, cifar10_jpg, speech_commands
  WORK        folder for the models; a run that is there already is not repeated
Prints Markdown rows: the mean of validation top-1 over the seeds in percent, and in brackets the least and the most.
"""
import argparse
import pathlib
import re
import statistics
import subprocess

BYTES = ["--init-from", "none", "--positions", "learned"]
SOUND = [*BYTES, "--sample-rate", "8000"]
DATA = {  # name: folder, options
    "spoken digits, uint8": ("fsdd", [*SOUND, "--split-by", "speaker", "--sample-format", "uint8", "--kernel", "64"]),
    "spoken digits, int16": ("fsdd", [*SOUND, "--split-by", "speaker", "--sample-format", "int16", "--kernel", "128"]),
    "CIFAR-10, fHWC": ("cifar10_jpg", [*BYTES, "--encode", "fhwc", "--kernel", "48"]),
    "14 spoken words, uint8": ("speech_commands", [*SOUND, "--sample-format", "uint8", "--kernel", "64"]),
    "14 spoken words, int16": ("speech_commands", [*SOUND, "--sample-format", "int16", "--kernel", "128"]),
}
CHOICES = {  # name: {way: options}; what is not said is as in the first way of the other choices
    "start": {"filter bank": ["--initialisation", "filter-bank"], "released": ["--initialisation", "released"]},
    "optimizer": {"Muon": [], "AdamW": ["--optimizer", "adamw"]},
    "batch": {"32": [], "64": ["--batch-size", "64"], "128": ["--batch-size", "128"]},
    "rate": {"0.001": [], "0.0005": ["--learning-rate", "0.0005"], "0.002": ["--learning-rate", "0.002"]},
    "augment": {"auto": [], "none": ["--augment", "none"], "strong": ["--augment", "strong"]},
}


def options_of(way, files, seed):
    """All of them, where `way` wins over what is usual; the steps are those that `files` take."""
    options = {"--preset": "nano", "--initialisation": "filter-bank", "--batch-size": "32", "--seed": str(seed)}
    options.update(zip(way[::2], way[1::2]))
    options["--steps"] = str(files // int(options["--batch-size"]))
    return [word for pair in options.items() for word in pair]


def accuracy(arguments, data, choice, way, seed):
    """Validation top-1 in percent, of the best evaluation."""
    folder, fixed = DATA[data]
    options = options_of([*fixed, *CHOICES[choice][way]], arguments.files, seed)
    model = arguments.work / re.sub(r"[^\w.]+", "_", f"{data} {' '.join(options)}")  # the same for the same options
    log = model.with_name(model.name + ".log")
    if not log.exists() or "top-1" not in log.read_text(encoding="utf-8"):
        command = [arguments.byteformer, "train", "--data", arguments.data / folder, "--output", model, "--threads", "1",
                   "--workers", "1", "--no-progress", *options]
        run = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
        log.write_text(run.stdout + run.stderr, encoding="utf-8")
    return float(re.findall(r": top-1 ([\d.]+) % on", log.read_text(encoding="utf-8"))[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("byteformer")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--choice", choices=CHOICES, action="append")
    parser.add_argument("--data-set", choices=DATA, action="append")
    parser.add_argument("--files", type=int, default=32_000)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    for choice in arguments.choice or CHOICES:
        ways = list(CHOICES[choice])
        print(f"| {choice} | files | " + " | ".join(ways) + " |\n" + "|---" * (2 + len(ways)) + "|", flush=True)
        for data in arguments.data_set or DATA:
            cells = []
            for way in ways:
                found = [accuracy(arguments, data, choice, way, seed) for seed in range(arguments.seeds)]
                cells.append(f"{statistics.mean(found):.1f} ({min(found):.1f} to {max(found):.1f})")
            print(f"| {data} | {arguments.files} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
