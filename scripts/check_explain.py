#!/usr/bin/env python3
"""Measures what explanations are worth: the table of docs/explain.md.

Usage: check_explain.py BYTEFORMER MODEL FOLDER [--files N] [--method METHOD] [OPTION...]

Takes N files (default: 100), evenly spread over all files below FOLDER in the order of their names, explains each with
`BYTEFORMER explain --model MODEL --json`, and compares how far the score of the answer falls without the hottest tenth of
the bytes, and without random tenths. Options that are not known here go to `explain`. Exit status 1 if the hottest
tenth does not make the mean score fall further.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

RANDOM = {"runs": "score_without_random_runs", "single bytes": "score_without_random_bytes"}


def spread(folder, count):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md")
    if not files:
        sys.exit(f"{folder}: no files here")
    return [files[i * len(files) // min(count, len(files))] for i in range(min(count, len(files)))]


def deletion(program, arguments, path):
    command = [program, "explain", *arguments, "--json", "--", str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["deletion"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=100)
    arguments, rest = parser.parse_known_args()
    results = [deletion(arguments.program, ["--model", arguments.model, *rest], path)
               for path in spread(arguments.folder, arguments.files)]
    falls = [r["score"] - r["score_without_hottest"] for r in results]
    print(f"{arguments.model} {' '.join(rest)}: {len(results)} files, mean score {statistics.mean(r['score'] for r in results):.3f}")
    print(f"  without the hottest tenth it falls by {statistics.mean(falls):.3f}")
    is_better = True
    for name, key in RANDOM.items():
        random_falls = [r["score"] - r[key] for r in results]
        larger = sum(fall > other for fall, other in zip(falls, random_falls))
        print(f"  without a random tenth, {name}, by {statistics.mean(random_falls):.3f}; the hottest makes it fall "
              f"further in {larger} of {len(results)} files")
        is_better &= statistics.mean(falls) > statistics.mean(random_falls)
    sys.exit(0 if is_better else 1)


if __name__ == "__main__":
    main()
