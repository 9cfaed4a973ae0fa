#!/usr/bin/env python3
"""Collects real files of many formats from Debian's archive, for a model that tells formats apart.

usage: collect.py DATA [--download-gb 4] [--files 450] [--per-package 8] [--jobs 2]

The mirror is the one in apt's own configuration. The archive's indices (Contents, Packages, Sources) say which package
holds files of which names; those packages of `main` are chosen that bring the most that is still missing for the fewest
bytes, downloaded one by one, read as a stream, and deleted. A file is kept when its name and libmagic agree on a label
(formats.py), once by its SHA-256, in DATA/files.sqlite: whole up to 28 KiB, else seven pieces of 4 KiB, evenly spread
from its first byte to its last. Everything is split by project, so that no project is on two sides. A second call goes
on where the first one stopped.

Needs Debian's python3, libmagic1 and apt's configuration; no package from elsewhere.
"""

import argparse
import bz2
import ctypes
import ctypes.util
import functools
import gzip
import hashlib
import heapq
import io
import lzma
import math
import multiprocessing
import os
import pickle
import random
import re
import sqlite3
import subprocess
import sys
import tarfile
import time
import urllib.request
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from formats import BY_EXTENSION, BY_NAME, FORMATS, agrees, candidates  # noqa: E402

PIECE, PIECES = 4096, 7
READ_FOR_MAGIC = 1 << 18
LARGEST_MEMBER = 64 << 20
FOREIGN = (
    "arm64",
    "armhf",
    "i386",
    "mips64el",
    "ppc64el",
    "s390x",
)  # where executables of other processors are taken from
KEPT_FROM_BINARIES = {
    "elf",
    "mo",
    "ar",
    "pyc",
    "class",
    "jar",
    "qm",
    "hi",
    "haskell-hi",
    "ocaml-obj",
    "beam",
    "elc",
    "pe",
}


class Magic:
    """libmagic by ctypes: Debian's python3 has no binding of its own."""

    def __init__(self):
        lib = ctypes.CDLL(ctypes.util.find_library("magic") or "libmagic.so.1")
        lib.magic_open.restype = ctypes.c_void_p
        lib.magic_buffer.restype = ctypes.c_char_p
        lib.magic_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        lib.magic_load.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        self.lib, self.cookies = lib, []
        for flags in (0x10, 0x0):  # MAGIC_MIME_TYPE, MAGIC_NONE
            cookie = lib.magic_open(flags)
            lib.magic_load(cookie, None)
            self.cookies.append(cookie)

    def ask(self, content, kind):
        return (self.lib.magic_buffer(self.cookies[kind], content, len(content)) or b"").decode("utf-8", "replace")


def project_of(source):
    """One name for all versions and parts of a project: gcc-11, gcc-12-cross -> gcc; 0ad-data -> 0ad."""
    name = re.sub(r"(-(data|doc|docs|assets|media|l10n|cross|defaults|dev|tests?))+$", "", source)
    return re.sub(r"(?<=[a-z]{2})[-.]?\d.*$", "", name) or source


def side_of(project):
    number = int(hashlib.sha256(project.encode()).hexdigest()[:4], 16) / 65536
    return "test" if number < 0.12 else "val" if number < 0.20 else "train"


def pieces_of(content):
    if len(content) <= PIECE * PIECES:
        return content
    starts = [(len(content) - PIECE) * i // (PIECES - 1) for i in range(PIECES)]
    return b"".join(content[s : s + PIECE] for s in starts)


# The archive's indices


def mirror():
    """Address and suite of the first archive with `main` in apt's configuration."""
    lines = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    for line in lines:
        uri, release, component, kind = (line.split() + [""] * 4)[:4]
        if kind == "Packages" and component == "main" and "debian" in uri and "security" not in uri:
            return uri.rstrip("/"), release
    sys.exit("apt has no mirror of Debian's main archive")


def fetched(url, path):
    if not os.path.exists(path):
        for attempt in range(3):
            try:
                with urllib.request.urlopen(url, timeout=60) as answer, open(path + ".part", "wb") as out:
                    while block := answer.read(1 << 20):
                        out.write(block)
                os.rename(path + ".part", path)
                break
            except OSError:
                if attempt == 2:
                    raise
                time.sleep(2)
    return path


def paragraphs(path):
    fields, key = {}, None
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line == "\n":
                yield fields
                fields = {}
            elif line[0] == " ":
                fields[key] += "\n" + line.strip()
            else:
                key, _, value = line.partition(":")
                fields[key] = value.strip()


def archives(folder, base, suite):
    """{unit: (source, version, path on the mirror, bytes)}; a unit is a binary package or the upstream part of a source."""
    units = {}
    for arch in ("amd64",) + FOREIGN:
        for p in paragraphs(
            fetched(f"{base}/dists/{suite}/main/binary-{arch}/Packages.xz", f"{folder}/Packages-{arch}.xz")
        ):
            if arch != "amd64" and p["Architecture"] != arch:
                continue
            source, _, version = p.get("Source", p["Package"]).partition(" ")
            name = p["Package"] if arch == "amd64" else f"{p['Package']}:{arch}"
            units["binary", name] = (source, version.strip("()") or p["Version"], p["Filename"], int(p["Size"]))
    for p in paragraphs(fetched(f"{base}/dists/{suite}/main/source/Sources.xz", f"{folder}/Sources.xz")):
        files = [line.split() for line in p["Files"].split("\n") if line.strip()]
        tars = [f for f in files if ".tar." in f[2] and ".debian.tar" not in f[2] and not f[2].endswith(".asc")]
        if tars:
            _, size, name = max(tars, key=lambda f: int(f[1]))
            units["source", p["Package"]] = (p["Package"], p["Version"], f"{p['Directory']}/{name}", int(size))
    return units


def counts(folder, base, suite):
    """{unit: {label: number of files whose names allow it}}"""
    found = {}
    exact = {
        "Makefile",
        "CMakeLists.txt",
        "Dockerfile",
        "configure",
        "configure.ac",
        "meson.build",
        "Rakefile",
        "README",
        "Makefile.am",
        "Makefile.in",
    }

    def note(unit, labels):
        of_unit = found.setdefault(unit, {})
        for label in labels:
            of_unit[label] = of_unit.get(label, 0) + 1

    for kind, name in (("source", "Contents-source"), ("binary", "Contents-amd64"), ("binary", "Contents-all")):
        with gzip.open(
            fetched(f"{base}/dists/{suite}/main/{name}.gz", f"{folder}/{name}.gz"), "rt", errors="replace"
        ) as lines:
            for line in lines:
                path, _, package = line.rstrip("\n").replace("\t", " ").rpartition(" ")
                path = path.rstrip()
                dot, slash = path.rfind("."), path.rfind("/")
                labels = BY_EXTENSION.get(path[dot + 1 :].lower()) if dot > slash + 1 else None
                if not labels and (kind == "binary" or path[slash + 1 :] in exact):
                    labels = candidates(path)
                if labels:
                    note((kind, package.split(",")[0].rsplit("/", 1)[-1]), labels)
    return found


def index(folder, base, suite):
    cache = f"{folder}/index.pickle"
    if not os.path.exists(cache):
        os.makedirs(folder, exist_ok=True)
        units, labels = archives(folder, base, suite), counts(folder, base, suite)
        for arch in FOREIGN:  # a package's files are named alike for all processors
            for (kind, name), of_unit in list(labels.items()):
                if kind == "binary" and "elf" in of_unit and (kind, f"{name}:{arch}") in units:
                    labels[kind, f"{name}:{arch}"] = {k: v for k, v in of_unit.items() if k in ("elf", "ar", "mo")}
        both = {u: (units[u], labels[u]) for u in units if u in labels}
        with open(cache, "wb") as out:
            pickle.dump(both, out)
    with open(cache, "rb") as out:
        return pickle.load(out)


# What to download next


def plan(both, have, seen, options):
    """Units in the order of what they bring for their bytes: a lazy greedy cover, in which a format's first files count
    for far more than its hundredth."""
    expected = {label: have.get(label, 0) for label in FORMATS}
    scarce = {label for label in FORMATS if expected[label] < options.files}
    useful = {}
    for unit, ((_, _, _, size), labels) in both.items():
        if size <= options.largest_mb << 20 and unit not in seen:
            wanted = [(label, min(n, options.per_package)) for label, n in labels.items() if label in scarce]
            if wanted:
                useful[unit] = wanted, size + 1_500_000

    def gain(unit):
        wanted, cost = useful[unit]
        return (
            sum(math.log1p(n / (expected[label] + 5)) for label, n in wanted if expected[label] < options.files) / cost
        )

    heap = [(-gain(u), u) for u in useful]
    heapq.heapify(heap)
    chosen, total = [], 0
    while heap and total < options.round_gb * (1 << 30):
        unit = heapq.heappop(heap)[1]
        now = gain(unit)
        if heap and now < -heap[0][0] * 0.9:
            if now > 0:
                heapq.heappush(heap, (-now, unit))
            continue
        if now <= 0:
            break
        for label, n in useful[unit][0]:
            expected[label] += n * 0.5  # some will not agree with libmagic, and some share a name with other formats
        chosen.append(unit)
        total += both[unit][0][3]
    return chosen, total


# One package


def opened(path, content):
    if path.endswith(".deb"):
        at = 8
        while at + 60 <= len(content):
            name, size = content[at : at + 16].strip().rstrip(b"/"), int(content[at + 48 : at + 58])
            if name.startswith(b"data.tar"):
                content, path = content[at + 60 : at + 60 + size], name.decode()
                break
            at += 60 + size + size % 2
    opener = {"xz": lzma.open, "lzma": lzma.open, "gz": gzip.open, "bz2": bz2.open}[path.rsplit(".", 1)[-1]]
    return opener(io.BytesIO(content))


def members(unit, archive, content, per_package):
    """(label candidates, path, file): at most one and a half times per_package of each format, chosen by hash."""
    most = per_package * 3 // 2
    best = {}
    with tarfile.open(fileobj=opened(archive, content), mode="r|") as tar:
        for member in tar:
            if not member.isreg() or not 16 <= member.size <= LARGEST_MEMBER:
                continue
            path = member.name.lstrip("./") if unit[0] == "binary" else member.name.partition("/")[2] or member.name
            labels = candidates(path)
            if not labels:
                continue
            rank = -int.from_bytes(hashlib.blake2b(path.encode("utf-8", "replace"), digest_size=6).digest(), "big")
            key = tuple(labels)
            heap = best.setdefault(key, [])
            if len(heap) >= most and rank <= heap[0][0]:
                continue
            file = tar.extractfile(member).read()
            digest = hashlib.sha256(file).digest()
            kept = (rank, path, len(file), digest, file[:READ_FOR_MAGIC], pieces_of(file))
            (heapq.heappush if len(heap) < most else heapq.heappushpop)(heap, kept)
    for labels, heap in best.items():
        for item in sorted(heap, reverse=True):
            yield labels, item


@functools.cache
def magic():
    return Magic()


def collect_unit(job):
    """Rows of the table `files` that one package gives."""
    unit, (source, version, archive, size), base, wanted, per_package = job
    try:
        with urllib.request.urlopen(f"{base}/{archive}", timeout=120) as answer:
            content = answer.read()
        rows = []

        def add(label, path, n, digest, pieces):
            rows.append(
                (
                    digest,
                    label,
                    source,
                    version,
                    os.path.basename(archive),
                    path,
                    n,
                    "archive",
                    zlib.compress(pieces, 1),
                )
            )

        kind = {"deb": "deb", "xz": "xz", "gz": "gzip", "bz2": "bzip2", "lzma": "lzma"}[archive.rsplit(".", 1)[-1]]
        if kind in wanted:  # the package is itself a file of a format
            add(kind, os.path.basename(archive), len(content), hashlib.sha256(content).digest(), pieces_of(content))
        if "tar" in wanted and len(content) < 1 << 20:
            tar = opened(archive, content).read()
            add("tar", os.path.basename(archive) + "#tar", len(tar), hashlib.sha256(tar).digest(), pieces_of(tar))
        taken = {}
        for labels, (_, path, n, digest, start, pieces) in members(unit, archive, content, per_package):
            labels = [l for l in labels if l in wanted and taken.get(l, 0) < per_package]
            if not labels:
                continue
            mime = magic().ask(start, 0)
            needs_description = any(FORMATS[l].description for l in labels)
            description = magic().ask(start, 1) if needs_description else ""
            for label in labels:
                if agrees(label, start, mime, description):  # the first that fits
                    taken[label] = taken.get(label, 0) + 1
                    add(label, path, n, digest, pieces)
                    break
        return unit, len(content), rows, None
    except Exception as error:  # one package costs one line
        return unit, size, [], f"{type(error).__name__}: {error}"


# The store


def store(folder):
    db = sqlite3.connect(f"{folder}/files.sqlite", timeout=600)
    db.executescript("""
        pragma journal_mode=wal; pragma synchronous=off;
        create table if not exists files(sha256 blob primary key, label text, source text, version text, archive text,
                                         path text, size integer, origin text, side text) without rowid;
        create index if not exists by_label on files(label);
        create table if not exists pieces(sha256 blob primary key, pieces blob);
        create table if not exists units(kind text, name text, bytes integer, files integer, error text, primary key(kind, name));
    """)
    return db


def have(db):
    return dict(db.execute("select label, count(*) from files group by label"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--download-gb", type=float, default=4, help="stop after as many")
    parser.add_argument("--round-gb", type=float, default=0.4, help="plan anew after as many")
    parser.add_argument("--files", type=int, default=450, help="wanted of each format")
    parser.add_argument("--per-package", type=int, default=8, help="at most, of each format")
    parser.add_argument("--largest-mb", type=int, default=40, help="skip larger packages")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    os.makedirs(options.data, exist_ok=True)
    os.nice(max(0, 10 - os.nice(0)))
    base, suite = mirror()
    both = index(f"{options.data}/index", base, suite)
    db = store(options.data)
    done = db.execute("select coalesce(sum(bytes), 0) from units").fetchone()[0]
    with multiprocessing.Pool(options.jobs, maxtasksperchild=200) as pool:
        while done < options.download_gb * (1 << 30):
            seen = set(db.execute("select kind, name from units"))
            chosen, total = plan(both, have(db), seen, options)
            if not chosen:
                break
            print(f"{len(chosen)} packages, {total / 1e6:.0f} MB", flush=True)
            missing = {l for l in FORMATS if have(db).get(l, 0) < options.files * 1.3}
            jobs = ((u, both[u][0], base, missing, options.per_package) for u in chosen)
            for number, (unit, size, rows, error) in enumerate(pool.imap_unordered(collect_unit, jobs)):
                before = db.total_changes
                db.executemany(
                    "insert or ignore into files values (?,?,?,?,?,?,?,?,?)",
                    [row[:-1] + (side_of(project_of(row[2])),) for row in rows],
                )
                kept = db.total_changes - before
                db.executemany("insert or ignore into pieces values (?,?)", [(row[0], row[-1]) for row in rows])
                db.execute("insert or replace into units values (?,?,?,?,?)", (*unit, size, kept, error))
                done += size
                if error:
                    print(*unit, error, file=sys.stderr, flush=True)
                db.commit()
                if number % 10 == 9:
                    print(f"{done / 1e6:.0f} MB, {sum(have(db).values())} files", flush=True)
            db.commit()
    print(sorted(have(db).items(), key=lambda item: item[1]))


if __name__ == "__main__":
    main()
