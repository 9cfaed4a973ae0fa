#!/usr/bin/env python3
"""Gives a trained model what `classify` shows beside a label, what it reads of a file, and when it says `unknown`.

usage: finish.py PROGRAM MODEL VIEWS

Writes MODEL/config.json anew with `label_info` (formats.py), `preprocess` (views.py) and `unknown_below`: the score below
which one in fifty of the right answers on VIEWS/val lies. Files of unknown formats choose nothing here.
"""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from formats import FORMATS  # noqa: E402
from views import END, MIDDLE, START  # noqa: E402

LOST = 0.02  # share of the right answers that become `unknown`


def right_scores(program, model, folder):
    words = "classify --threshold 0 --top-k 1 --jsonl --no-progress".split()
    command = [program, *words, "--model", model, "-r", folder]
    answers = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [json.loads(line) for line in answers.splitlines()]
    best = [
        (os.path.basename(os.path.dirname(row["path"])), row["predictions"][0]) for row in rows if row["status"] == "ok"
    ]
    return sorted(prediction["score"] for label, prediction in best if prediction["label"] == label)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    program, model, views = sys.argv[1:]
    path = f"{model}/config.json"
    with open(path) as file:
        config = json.load(file)
    labels = sorted(config["id2label"].values())
    scores = right_scores(program, model, f"{views}/val")
    config["label_info"] = {
        label: {"extensions": list(f.extensions), "media_type": f.media_type, "group": f.group}
        for label, f in ((label, FORMATS[label]) for label in labels)
    }
    config["unknown_below"] = round(scores[int(LOST * len(scores))], 3)
    config["preprocess"] = {
        "version": 1,
        "kind": "bytes",
        "transforms": [{"type": "pieces", "start": START, "middle": MIDDLE, "end": END}],
    }
    with open(path, "w") as file:
        json.dump(config, file, indent=1)
        file.write("\n")
    print(f"unknown below {config['unknown_below']}")


if __name__ == "__main__":
    main()
