#!/usr/bin/env python3
"""Knows which entries of ctest passed before with the same programs and the same files, so that they need not run again.

usage: remembered_tests.py skip BUILD [LABEL]       a regular expression for `ctest --exclude-regex`, empty if all have to run;
                                                    exit status 10 if none has to
       remembered_tests.py remember BUILD RESULTS   RESULTS is what `ctest --output-junit` wrote

An entry that runs a test program depends on that program, on the modules that it loads, on the files that its property
REQUIRED_FILES names and on everything in the repository but the code, which is in the program. Any other entry, a script,
depends on all of the repository and on all programs. What an entry passed with is kept in BUILD/passed.json.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NONE = 10  # exit status
CODE = ("src/", "apps/", "include/", "cmake/", "docs/")


def digest_of(paths):
    total = hashlib.sha256()
    for path in sorted(paths):
        with open(path, "rb") as file:
            total.update(f"{os.path.basename(path)} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def files_below(folder, left_out=()):
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in left_out]
        for name in names:
            path = os.path.join(parent, name)
            if os.path.isfile(path):
                yield path


def fingerprints(build):
    """{entry: what its result depends on, as one digest}, and {entry: labels}"""
    told = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], capture_output=True, check=True)
    sources = list(files_below(REPOSITORY, left_out=("build", ".git", "__pycache__")))
    read = digest_of(path for path in sources if not os.path.relpath(path, REPOSITORY).startswith(CODE))
    modules = digest_of(path for path in files_below(f"{build}/lib") if path.endswith("-codecs.so"))
    everything = digest_of(sources + [path for path in files_below(f"{build}/bin") if "_test" not in path])
    found, labels = {}, {}
    for test in json.loads(told.stdout)["tests"]:
        properties = {p["name"]: p["value"] for p in test["properties"]}
        program = test["command"][0] if test.get("command") else ""
        own = [program, *properties.get("REQUIRED_FILES", [])]
        is_program = program.startswith(f"{os.path.abspath(build)}/bin/")
        parts = (digest_of(own), modules, read) if is_program else (everything, modules)
        found[test["name"]] = hashlib.sha256(" ".join((*parts, *test.get("command", []))).encode()).hexdigest()
        labels[test["name"]] = properties.get("LABELS", [])
    return found, labels


def main():
    action, build = sys.argv[1:3]
    memory = f"{build}/passed.json"
    passed = {}
    if os.path.exists(memory):
        with open(memory) as file:
            passed = json.load(file)
    now, labels = fingerprints(build)
    if action == "remember":
        for case in xml.etree.ElementTree.parse(sys.argv[3]).iter("testcase"):
            name, status = case.get("name"), case.get("status")
            if status == "run":
                passed[name] = now[name]
            else:
                passed.pop(name, None)
        with open(memory + ".new", "w") as file:
            json.dump(passed, file, indent=1)
        os.replace(memory + ".new", memory)
        return 0
    wanted = [name for name in now if len(sys.argv) < 4 or sys.argv[3] in labels[name]]
    unchanged = [name for name in wanted if passed.get(name) == now[name]]
    if unchanged:
        print(f"^({'|'.join(map(re.escape, unchanged))})$")
        print(f"{len(unchanged)} of {len(wanted)} entries are not run: they passed with the same files", file=sys.stderr)
    return NONE if wanted and len(unchanged) == len(wanted) else 0


if __name__ == "__main__":
    sys.exit(main())
