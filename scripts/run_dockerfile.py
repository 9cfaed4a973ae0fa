#!/usr/bin/env python3
"""Takes the steps of a Dockerfile in folders, where no Docker engine runs:
run_dockerfile.py DOCKERFILE BASE.tar FOLDER [ARGUMENT...]

Each stage starts from BASE.tar, whatever it says it is FROM, and lies in FOLDER/STAGE; the last stage's program is then
started with the ARGUMENTs. It knows the instructions that our Dockerfile has, and refuses others. Needs root.
"""

import json
import os
import pathlib
import shlex
import subprocess
import sys

KEPT_OUT = [line for line in pathlib.Path(".dockerignore").read_text().split() if line]


class Stage:
    def __init__(self, folder, base):
        self.root, self.folder, self.user = folder, "/", "root"
        self.program, self.arguments = [], []
        if folder.exists():
            subprocess.run(["rm", "-rf", "--one-file-system", folder], check=True)
        folder.mkdir(parents=True)
        subprocess.run(["tar", "-C", folder, "-xf", base], check=True)

    def run(self, words, check=True):
        mounts = [(["-t", "proc", "proc"], "proc"), (["--bind", "/dev"], "dev")]
        for options, place in mounts:
            subprocess.run(["mount", *options, self.root / place], check=True)
        proxies = [f"{k}={v}" for k, v in os.environ.items() if k.lower() in ("http_proxy", "https_proxy", "no_proxy")]
        environment = [
            "env",
            "-i",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/root",
            *proxies,
        ]
        command = ["sh", "-c", f'cd {shlex.quote(self.folder)} && exec "$@"', "sh", *words]
        try:
            done = subprocess.run(["chroot", f"--userspec={self.user}", self.root, *environment, *command])
        finally:
            for _, place in reversed(mounts):
                subprocess.run(["umount", self.root / place], check=True)
        if check and done.returncode != 0:
            sys.exit(f"failed with status {done.returncode}: {' '.join(words)}")
        return done.returncode

    def place(self, path):
        return self.root / str(pathlib.PurePosixPath(self.folder, path)).lstrip("/")


def copy(stage, stages, words):
    origin = pathlib.Path(".")
    if words[0].startswith("--from="):
        origin = stages[words.pop(0)[len("--from=") :]].root
    *sources, target = words
    stage.place(target).mkdir(parents=True, exist_ok=True)
    left_out = [f"--exclude=./{name}" for name in KEPT_OUT] if origin == pathlib.Path(".") else []
    for source in sources:
        pack = subprocess.Popen(
            ["tar", "-C", origin / source.lstrip("/"), *left_out, "-c", "."], stdout=subprocess.PIPE
        )
        subprocess.run(
            ["tar", "-C", stage.place(target), "--no-overwrite-dir", "--keep-directory-symlink", "-x"],
            stdin=pack.stdout,
            check=True,
        )
        if pack.wait() != 0:
            sys.exit(f"cannot copy {source}")


def main():
    dockerfile, base, folder, *arguments = sys.argv[1:]
    lines = pathlib.Path(dockerfile).read_text().replace("\\\n", " ").splitlines()
    stages, stage = {}, None
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        instruction, rest = line.split(None, 1)
        print("==>", line, flush=True)
        if instruction == "FROM":
            name = rest.split()[2] if " AS " in rest else "image"
            stages[name] = stage = Stage(pathlib.Path(folder).resolve() / name, base)
        elif instruction == "RUN":
            stage.run(["sh", "-c", rest])
        elif instruction == "COPY":
            copy(stage, stages, rest.split())
        elif instruction == "WORKDIR":
            stage.folder = rest
            stage.place("").mkdir(parents=True, exist_ok=True)
        elif instruction == "USER":
            stage.user = rest
        elif instruction == "ENTRYPOINT":
            stage.program = json.loads(rest)
        elif instruction == "CMD":
            stage.arguments = json.loads(rest)
        else:
            sys.exit(f"unknown instruction: {line}")
    print("$", *stage.program, *(arguments or stage.arguments), flush=True)
    sys.exit(stage.run([*stage.program, *(arguments or stage.arguments)], check=False))


if __name__ == "__main__":
    main()
