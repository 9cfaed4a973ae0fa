#!/usr/bin/env python3
"""Our model, libmagic and Magika on the same labelled files, as tables in Markdown. See scripts/compare_filetypes.sh.

usage: compare.py BYTEFORMER MODEL VIEWS [PYTHON-WITH-MAGIKA]

VIEWS is what views.py wrote: test-whole, test-4096, test-512. A peer is judged on the labels that it has a word for;
libmagic's answer is right if its media type is one that formats.py accepts for the label, and no word for everything.
"""

import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from formats import FORMATS  # noqa: E402

# Magika's word, where it is not ours.
MAGIKA = {
    "7z": "sevenzip",
    "assembly": "asm",
    "bibtex": "bib",
    "bzip2": "bzip",
    "class": "javabytecode",
    "csharp": "cs",
    "der": "crt",
    "email": "eml",
    "hdf5": "h5",
    "lisp": "lisp",
    "emacslisp": "lisp",
    "protobuf": "proto",
    "pe": "pebin",
    "pyc": "pythonbytecode",
    "pgp-armor": "pem",
    "stl": "stltext",
    "stl-binary": "stlbinary",
    "pdb": "proteindb",
    "plist": "applebplist",
    "vb": "vba",
    "llvm-bc": None,
    "webm": "webm|mkv",
    "mp4": "mp4|qt|3gp",
    "jinja": "jinja|erb|twig|handlebars",
    "groovy": "groovy|gradle",
    "ruby": "ruby|gemfile|gemspec",
    "json": "json|ipynb|jsonl",
    "txt": "txt",
    "jar": "jar",
    "zip": "zip|xpi|nupkg|npz",
}
# libmagic's media types of texts that it knows; of other formats formats.py has them.
LIBMAGIC = {
    "html": "text/html",
    "xml": "text/xml|application/xml",
    "svg": "image/svg",
    "c": r"text/x-c$",
    "cpp": r"text/x-c\+\+",
    "java": "text/x-java",
    "python": "text/x-(script.)?python",
    "perl": "text/x-perl",
    "ruby": "text/x-ruby",
    "php": "text/x-php",
    "shell": "text/x-shellscript",
    "makefile": "text/x-makefile",
    "json": "application/json",
    "tcl": "text/x-tcl",
    "lua": "text/x-lua",
    "awk": "text/x-[gn]?awk",
    "javascript": "(application|text)/javascript",
    "m4": "text/x-m4",
    "troff": "text/troff",
    "latex": "text/x-tex",
    "texinfo": "text/x-texinfo",
    "po": "text/x-po",
    "diff": "text/x-diff",
    "txt": "text/plain",
    "batch": "text/x-msdos-batch",
    "csv": "(text|application)/csv",
    "objectivec": "text/x-objective-c",
    "fortran": "text/x-fortran",
    "ics": "text/calendar",
    "vcard": "text/vcard",
    "email": "message/|text/x-mail",
    "pgp-armor": "(application|text)/pgp",
    "emacslisp": "text/x-lisp",
    "lisp": "text/x-lisp",
}


def libmagic_pattern(label):
    f = FORMATS[label]
    if f.is_text:
        return LIBMAGIC.get(label)
    pattern = "|".join(p for p in re.split(r"\|(?![^(]*\))", f.mime.pattern) if "octet" not in p)
    return pattern if pattern and label not in ("random", "terminfo") else None


def files_of(folder):
    return {
        os.path.join(folder, label, name): label
        for label in sorted(os.listdir(folder))
        for name in sorted(os.listdir(os.path.join(folder, label)))
    }


def with_list(paths, make_command):
    """Standard output of a command that reads the paths from a list, and its seconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as names:
        names.write("\n".join(paths) + "\n")
        names.flush()
        begin = time.perf_counter()
        done = subprocess.run(make_command(names.name), capture_output=True, text=True, errors="replace")
        return done.stdout, time.perf_counter() - begin


def ask_ours(program, model, paths):
    words = "classify --threshold 0 --top-k 1 --jsonl --no-progress --files-from".split()
    out, seconds = with_list(paths, lambda names: [program, *words, names, "--model", model])
    answers = {}
    for line in out.splitlines():
        row = json.loads(line)
        answers[row["path"]] = row["predictions"][0]["label"] if row.get("predictions") else "error"
    return answers, seconds


def ask_libmagic(paths):
    out, seconds = with_list(paths, lambda names: ["file", "--mime-type", "-N", "-F", "\t", "-f", names])
    rows = (line.split("\t", 1) for line in out.splitlines() if "\t" in line)
    return {path: answer.strip() for path, answer in rows}, seconds


MAGIKA_PROGRAM = """
import json, sys
from magika import Magika
m = Magika()
for path in open(sys.argv[1]).read().split("\\n"):
    if path: print(json.dumps([path, str(m.identify_path(path).output.label)]))
"""


def ask_magika(python, paths):
    out, seconds = with_list(paths, lambda names: [python, "-c", MAGIKA_PROGRAM, names])
    return dict(json.loads(line) for line in out.splitlines()), seconds


def magika_words(python):
    code = "from magika import Magika; print(*map(str, Magika().get_output_content_types()))"
    return set(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def magika_bytes(python):
    code = "import glob, magika, os; print(sum(map(os.path.getsize, glob.glob(magika.__path__[0] + '/models/*/*'))))"
    return int(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout)


def judged(files, is_right, labels):
    """Accuracy and macro recall, in percent, on these labels."""
    right, total = collections.Counter(), collections.Counter()
    for path, label in files.items():
        if label in labels:
            total[label] += 1
            right[label] += bool(is_right(path, label))
    if not total:
        return float("nan"), float("nan")
    return 100 * sum(right.values()) / sum(total.values()), 100 * sum(right[l] / total[l] for l in total) / len(total)


class Reader:
    """Who answers: the labels that it has a word for, its answers for paths, and whether one is right."""

    def __init__(self, name, labels, ask, is_right, num_bytes):
        self.name, self.labels, self.ask, self.is_right, self.num_bytes = name, labels, ask, is_right, num_bytes
        self.files_per_s = None


def readers(program, model, python):
    with open(f"{model}/config.json") as file:
        labels = set(json.load(file)["id2label"].values())
    size = os.path.getsize(f"{model}/model.safetensors") + os.path.getsize(program)
    yield Reader(
        "byteformer", labels, lambda p: ask_ours(program, model, p), lambda answer, label: answer == label, size
    )
    known = {label for label in FORMATS if libmagic_pattern(label)}
    matches = lambda answer, label: re.match(libmagic_pattern(label), answer or "")  # noqa: E731
    yield Reader("libmagic", known, ask_libmagic, matches, os.path.getsize("/usr/lib/file/magic.mgc"))
    if python:
        words = {label: set((MAGIKA.get(label, label) or "").split("|")) for label in FORMATS}
        its_words = magika_words(python)
        known = {label for label in FORMATS if words[label] & its_words}
        is_word = lambda answer, label: answer in words[label]  # noqa: E731
        yield Reader("Magika", known, lambda p: ask_magika(python, p), is_word, magika_bytes(python))


def compare(folder, title, everyone):
    files = {path: label for path, label in files_of(folder).items() if label in everyone[0].labels}
    present = set(files.values())
    common = present.intersection(*(reader.labels for reader in everyone))
    print(f"\n### {title}: {len(files)} files of {len(present)} formats, {len(common)} of which all know\n")
    print("| | formats | accuracy | macro recall | on those that all know | macro recall |\n|---|---|---|---|---|---|")
    for reader in everyone:
        answers, seconds = reader.ask(list(files))
        reader.files_per_s = reader.files_per_s or len(files) / seconds
        is_right = lambda path, label: reader.is_right(answers.get(path), label)  # noqa: E731
        own = reader.labels & present
        numbers = judged(files, is_right, own) + judged(files, is_right, common)
        print(f"| {reader.name} | {len(own)} | " + " | ".join(f"{number:.1f} %" for number in numbers) + " |")


def main():
    program, model, views = sys.argv[1:4]
    everyone = list(readers(program, model, sys.argv[4] if len(sys.argv) > 4 else None))
    compare(f"{views}/test-whole", "Whole files", everyone)
    compare(f"{views}/test-4096", "Inner pieces of 4,096 bytes", everyone)
    compare(f"{views}/test-512", "Inner pieces of 512 bytes", everyone)
    one = next(iter(files_of(f"{views}/test-whole")))
    print(
        "\n### Speed and size\n\n| | files/s, from start to end of the program | one file | size |\n|---|---|---|---|"
    )
    for reader in everyone:
        cold_s = min(reader.ask([one])[1] for _ in range(5))
        print(
            f"| {reader.name} | {reader.files_per_s:.0f} | {1000 * cold_s:.0f} ms | {reader.num_bytes / 1e6:.1f} MB |"
        )


if __name__ == "__main__":
    main()
