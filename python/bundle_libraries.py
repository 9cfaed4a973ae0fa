#!/usr/bin/env python3
"""Makes an unpacked wheel whole: bundle_libraries.py FOLDER. The shared libraries that its files need and a machine may
lack are copied into it, under names of their own, so that they never meet other versions in a process.

What the standard manylinux (PEP 600) counts on is left to the machine: C and C++ libraries, nothing else.
"""

import hashlib
import pathlib
import re
import shutil
import subprocess
import sys

FROM_THE_MACHINE = re.compile(r"(ld-linux.*|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+))\.so\.\d+")


def output(*words):
    return subprocess.run(list(map(str, words)), check=True, stdout=subprocess.PIPE, text=True).stdout


def needed(file):
    """Names of the libraries that an ELF file asks for, and where the loader finds those that are not in the wheel."""
    found = dict(re.findall(r"(\S+) => (/\S+)", output("ldd", file)))
    names = output("patchelf", "--print-needed", file).split()
    return {name: found.get(name) for name in names if not FROM_THE_MACHINE.fullmatch(name)}


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def main():
    root = pathlib.Path(sys.argv[1])
    libraries = root / "byteformer" / "_bundle" / "lib"
    store = libraries / "byteformer" / "libs"
    store.mkdir(parents=True, exist_ok=True)
    ours = {path.name for path in libraries.iterdir()}
    todo = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and is_elf(path)]
    names = {}  # of copies, by that of the original
    while todo:
        file = todo.pop()
        folders = [libraries] if file.parent != store else []
        for name, place in needed(file).items():
            if name in ours:
                continue
            if name not in names:
                if place is None:
                    sys.exit(f"{file}: needs {name}, which is not installed here")
                stem, ending = name.split(".so", 1)
                names[name] = f"{stem}-{hashlib.sha256(pathlib.Path(place).read_bytes()).hexdigest()[:8]}.so{ending}"
                copy = store / names[name]
                shutil.copy(place, copy)
                copy.chmod(0o755)
                output("strip", "--strip-unneeded", copy)
                output("patchelf", "--set-soname", copy.name, copy)
                todo.append(copy)
            output("patchelf", "--replace-needed", name, names[name], file)
        folders.append(store)
        up = "../" * len(file.parent.relative_to(root).parts)
        output(
            "patchelf", "--set-rpath", ":".join(f"$ORIGIN/{up}{folder.relative_to(root)}" for folder in folders), file
        )
    print(f"bundled {len(names)} libraries:", ", ".join(sorted(names)))


if __name__ == "__main__":
    main()
