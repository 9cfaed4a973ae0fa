#!/usr/bin/env python3
"""Turns the files that collect.py keeps into what the model is trained and tested on.

usage: views.py DATA OUT [--per-label 1500]

OUT/train and OUT/val hold what the model reads of a file: all of up to 1,536 bytes, else its first 768, the 512 in its
middle and its last 256. A view is of the whole file, of its start alone, or of a fragment of 4,096 or 512 bytes from
inside, since a piece of a file is read like a file. OUT/test-whole holds the test files at their full length, with holes
where the store kept nothing (no reader compared here looks there); test-4096 and test-512 hold one inner fragment of
each. OUT/test-unknown holds files of formats that have too few files for a label of their own.
"""

import argparse
import collections
import math
import os
import random
import sqlite3
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from collect import PIECE, PIECES  # noqa: E402
from formats import FORMATS  # noqa: E402

START, MIDDLE, END = 768, 512, 256
FEWEST_FILES, FEWEST_PROJECTS = 7, 3  # of a label, in training
KINDS = (("whole", 0.35), ("start", 0.15), ("4096", 0.28), ("512", 0.22))


class Stored:
    """A file of which the store has all, or PIECES pieces."""

    def __init__(self, size, pieces):
        self.size, self.pieces = size, pieces
        self.is_whole = size == len(pieces)
        self.starts = [(size - PIECE) * i // (PIECES - 1) for i in range(PIECES)]

    def read(self, begin, count):
        """Bytes from `begin`, which have to lie in one piece."""
        if self.is_whole:
            return self.pieces[begin : begin + count]
        for i, start in enumerate(self.starts):
            if start <= begin and begin + count <= start + PIECE:
                at = i * PIECE + begin - start
                return self.pieces[at : at + count]
        raise ValueError("not kept")

    def whole(self, shift=0.0):
        """What the model reads of all of it; `shift` moves the middle, by at most half of what is kept around it."""
        if self.size <= START + MIDDLE + END:
            return self.pieces
        room = self.size - START - END if self.is_whole else PIECE - 2  # two: for rounding
        begin = (self.size - MIDDLE) // 2 + int(shift * (room - MIDDLE) / 2)
        return self.read(0, START) + self.read(begin, MIDDLE) + self.read(self.size - END, END)

    def without_first_lines(self, rng):
        """The file from a later line on, at most a third of it gone, as if it had begun there."""
        if not self.is_whole:
            return self
        cut = self.pieces.rfind(b"\n", 0, rng.randrange(self.size // 3 + 1)) + 1
        return Stored(self.size - cut, self.pieces[cut:])

    def fragment(self, count, rng):
        """`count` bytes or fewer from inside, without the first bytes; None where there is no inside."""
        if not self.is_whole:
            begin = self.starts[rng.randrange(1, PIECES - 1)] + rng.randrange(PIECE - min(count, PIECE) + 1)
            return self.read(begin, min(count, PIECE))
        least = min(512, self.size // 4)
        count = min(count, self.size - least)
        if count < 256:
            return None
        begin = rng.randrange(least, self.size - count + 1)
        return self.pieces[begin : begin + count]

    def write(self, path):
        with open(path, "wb") as out:
            if self.is_whole:
                out.write(self.pieces)
                return
            for i, start in enumerate(self.starts):
                out.seek(start)
                out.write(self.pieces[i * PIECE : (i + 1) * PIECE])


def read_in_pieces(content):
    return Stored(len(content), content).whole()


def view(file, kind, rng, begins_anywhere=False):
    """What the model reads in training. Of a file that is seen again the middle moves, and a program (which
    `begins_anywhere`) loses its first lines one time in three: licences and names stand there, and say no format."""
    if kind == "whole":
        if begins_anywhere and rng.random() < 1 / 3:
            file = file.without_first_lines(rng)
        return file.whole(shift=rng.uniform(-1, 1))
    if kind == "start":
        count = PIECE if rng.random() < 0.5 else int(math.exp(rng.uniform(math.log(128), math.log(PIECE))))
        return read_in_pieces(file.read(0, min(count, file.size, PIECE)))
    if kind == "4096":
        content = file.fragment(PIECE, rng)
    else:
        content = file.fragment(512 if rng.random() < 0.8 else rng.randrange(256, 1024), rng)
    return read_in_pieces(content) if content else file.whole()


def generated(count, rng):
    """Bytes that say nothing, as good encryption gives them."""
    return [Stored(n, rng.randbytes(n)) for n in (int(math.exp(rng.uniform(6.5, 10.2))) for _ in range(count))]


def write(folder, name, content):
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{name}", "wb") as out:
        out.write(content)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--per-label", type=int, default=1500, help="training views of each label, about")
    parser.add_argument("--per-file", type=int, default=16, help="training views of each file, at most")
    parser.add_argument("--test-per-label", type=int, default=60, help="test files of each label, at most")
    parser.add_argument("--val-per-label", type=int, default=8)
    options = parser.parse_args()
    db = sqlite3.connect(f"file:{options.data}/files.sqlite?mode=ro", uri=True)
    of_label = collections.defaultdict(lambda: collections.defaultdict(list))
    projects = collections.defaultdict(set)
    for digest, label, source, size, side in db.execute(
        "select sha256, label, source, size, side from files order by sha256"
    ):
        of_label[label][side].append((digest, size))
        if side == "train":
            projects[label].add(source)
    labels = [
        l for l in sorted(of_label) if len(of_label[l]["train"]) >= FEWEST_FILES and len(projects[l]) >= FEWEST_PROJECTS
    ]
    print(len(labels), "labels:", *labels)

    def stored(item):
        (pieces,) = db.execute("select pieces from pieces where sha256 = ?", (item[0],)).fetchone()
        return Stored(item[1], zlib.decompress(pieces))

    rng = random.Random(20)
    kinds, weights = zip(*KINDS)
    for label in labels + ["random"]:
        if label == "random":
            sides = {
                "train": generated(500, rng),
                "val": generated(options.val_per_label, rng),
                "test": generated(options.test_per_label, rng),
            }
            load = lambda file: file  # noqa: E731
        else:
            sides, load = of_label[label], stored
            for files in sides.values():
                rng.shuffle(files)
        each = max(2, min(options.per_file, math.ceil(options.per_label / len(sides["train"]))))
        begins_anywhere = label != "random" and FORMATS[label].is_text and FORMATS[label].group == "code"
        for number, item in enumerate(sides["train"][: options.per_label // 2]):
            file = load(item)
            for i in range(each):
                kind = "whole" if i == 0 else rng.choices(kinds, weights)[0]
                content = file.whole() if i == 0 else view(file, kind, rng, begins_anywhere)
                write(f"{options.out}/train/{label}", f"{number}-{i}-{kind}", content)
        for number, item in enumerate(sides["val"][: options.val_per_label]):
            file = load(item)
            for kind in ("whole", "4096", "512"):
                content = file.whole() if kind == "whole" else view(file, kind, rng)
                write(f"{options.out}/val/{label}", f"{number}-{kind}", content)
        for number, item in enumerate(sides["test"][: options.test_per_label]):
            file = load(item)
            os.makedirs(f"{options.out}/test-whole/{label}", exist_ok=True)
            file.write(f"{options.out}/test-whole/{label}/{number}")
            write(f"{options.out}/test-pieces/{label}", str(number), file.whole())
            for count in (4096, 512):
                if file.size >= count + 512:
                    write(f"{options.out}/test-{count}/{label}", str(number), file.fragment(count, rng))
    for label in sorted(set(of_label) - set(labels)):
        for number, item in enumerate(sum(of_label[label].values(), [])[:20]):
            write(f"{options.out}/test-unknown/{label}", str(number), stored(item).whole())


if __name__ == "__main__":
    main()
