#!/usr/bin/env python3
"""Makes files of formats that few packages ship from files that collect.py keeps whole, with Debian's tools.

usage: convert.py DATA [--files 260]

Pictures go through ImageMagick, sounds and films through FFmpeg, packed files through Python, bsdtar, lz4, zstd and GnuPG,
each with options drawn anew. A file stays on the side of the project that it was made from, and its `origin` names the
tool, so that results can be read without these. A tool that is not there costs a line.
"""

import argparse
import glob
import hashlib
import io
import os
import py_compile
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from collect import Magic, have, pieces_of, project_of, side_of, store  # noqa: E402
from formats import agrees  # noqa: E402

PICTURES = ("png", "jpeg", "gif", "tiff", "bmp", "ico", "svg")
SOUNDS = ("wav", "ogg", "flac", "aiff", "au", "mp3")
TEXTS = (
    "txt",
    "c",
    "python",
    "html",
    "xml",
    "markdown",
    "png",
    "json",
    "perl",
    "javascript",
    "gif",
    "elf",
    "css",
    "po",
)


def magick(ending, *options):
    def make(inputs, folder, rng):
        out = f"{folder}/out.{ending}"
        chosen = [rng.choice(o) if isinstance(o, tuple) else o for o in options]
        size = rng.choice(("24x24!", "64x64", "100x70!", "160x160", "320x240", "640x480", "100%"))
        run("convert", f"{inputs[0]}[0]", "-resize", size, *chosen, out)
        found = sorted(glob.glob(f"{folder}/out*.{ending}"))
        return found[0]

    return PICTURES, 1, "convert", make


def ffmpeg_sound(ending, *options):
    def make(inputs, folder, rng):
        out = f"{folder}/out.{ending}"
        chosen = [rng.choice(o) if isinstance(o, tuple) else o for o in options]
        run("ffmpeg", "-y", "-threads", "1", "-i", inputs[0], "-t", str(rng.choice((1, 3, 8))), *chosen, out)
        return out

    return SOUNDS, 1, "ffmpeg", make


def ffmpeg_film(ending, *options):
    def make(inputs, folder, rng):
        out = f"{folder}/out.{ending}"
        chosen = [rng.choice(o) if isinstance(o, tuple) else o for o in options]
        size = rng.choice(("128x96", "176x144", "320x240"))
        run(
            "ffmpeg",
            "-y",
            "-threads",
            "1",
            "-loop",
            "1",
            "-i",
            inputs[0],
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=300",
            "-t",
            "2",
            "-vf",
            f"scale={size.replace('x', ':')},zoompan=z='zoom+0.01':d=50:s={size},format=yuv420p",
            *chosen,
            out,
        )
        return out

    return ("png", "jpeg"), 1, "ffmpeg", make


def packed(ending, *command):
    """The command gets OUT and IN (a file) or DIR (a folder of files)."""

    def make(inputs, folder, rng):
        out = f"{folder}/out.{ending}"
        words = [rng.choice(w) if isinstance(w, tuple) else w for w in command]
        run(*[w.replace("OUT", out).replace("IN", inputs[0]) for w in words], cwd=f"{folder}/in")
        return out

    return TEXTS, 6 if "." in command else 1, command[0], make


def zipped(inputs, folder, rng):
    out = f"{folder}/out.zip"
    with zipfile.ZipFile(out, "w", rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))) as z:
        for path in inputs:
            z.write(path, rng.choice(("", "src/", "doc/", "data/")) + os.path.basename(path))
    return out


def lzma_alone(inputs, folder, rng):
    import lzma

    out = f"{folder}/out.lzma"
    with lzma.open(out, "wb", format=lzma.FORMAT_ALONE, preset=rng.randrange(10)) as file:
        for path in inputs:
            file.write(open(path, "rb").read())
    return out


def shipped_pyc(inputs, folder, rng):
    return py_compile.compile(inputs[0], f"{folder}/out.pyc", doraise=True, optimize=rng.randrange(3))


GPG = ("gpg", "--homedir", ".", "--batch", "--pinentry-mode", "loopback", "--passphrase", "x", "--yes", "-o", "OUT")
MAKERS = {
    "bmp": magick("bmp"),
    "tiff": magick("tiff", "-compress", ("none", "lzw", "zip", "jpeg")),
    "webp": magick("webp", "-quality", ("30", "75", "95")),
    "tga": magick("tga", "-compress", ("none", "rle")),
    "pcx": magick("pcx"),
    "pnm": magick("ppm", "-depth", "8", "-compress", ("none", "zip")),
    "psd": magick("psd"),
    "jp2": magick("jp2"),
    "exr": magick("exr"),
    "hdr": magick("hdr"),
    "dds": magick("dds"),
    "heif": magick("heic"),
    "avif": magick("avif"),
    "sgi": magick("sgi"),
    "xwd": magick("xwd"),
    "fits": magick("fits"),
    "ico": magick("ico", "-resize", ("16x16", "32x32", "64x64")),
    "xpm": magick("xpm", "-resize", "48x48"),
    "jpeg": magick("jpg", "-quality", ("40", "75", "90", "97")),
    "postscript": magick("eps"),
    "pdf": magick("pdf"),
    "mp3": ffmpeg_sound("mp3", "-b:a", ("64k", "128k", "192k")),
    "ogg": ffmpeg_sound("ogg"),
    "flac": ffmpeg_sound("flac"),
    "m4a": ffmpeg_sound("m4a", "-b:a", ("48k", "96k", "160k")),
    "aiff": ffmpeg_sound("aiff"),
    "au": ffmpeg_sound("au"),
    "wav": ffmpeg_sound("wav"),
    "mp4": ffmpeg_film("mp4", "-c:v", ("libx264", "mpeg4")),
    "webm": ffmpeg_film(("webm"), "-c:v", ("libvpx", "libvpx-vp9")),
    "avi": ffmpeg_film("avi", "-c:v", ("mpeg4", "mjpeg")),
    "mpeg": ffmpeg_film("mpg", "-r", "25"),
    "flv": ffmpeg_film("flv", "-ar", "22050"),
    "asf": ffmpeg_film("wmv"),
    "mpegts": ffmpeg_film("ts"),
    "zip": (TEXTS, 5, "python3", zipped),
    "lzma": (TEXTS, 2, "python3", lzma_alone),
    "pyc": (("python",), 1, "python3", shipped_pyc),
    "lz4": packed("lz4", "lz4", ("-1", "-9"), "IN", "OUT"),
    "zstd": packed("zst", "zstd", "-q", ("-1", "-3", "-19"), "IN", "-o", "OUT"),
    "bzip2": packed("bz2", "bsdtar", "-cjf", "OUT", "."),
    "xz": packed("xz", "bsdtar", "-cJf", "OUT", "."),
    "7z": packed("7z", "bsdtar", "--format", "7zip", "-cf", "OUT", "."),
    "cpio": packed("cpio", "bsdtar", "--format", ("cpio", "newc"), "-cf", "OUT", "."),
    "iso": packed("iso", "bsdtar", "--format", "iso9660", "-cf", "OUT", "."),
    "tar": packed("tar", "bsdtar", "--format", ("ustar", "pax", "gnutar"), "-cf", "OUT", "."),
    "rpm": None,
    "pgp": packed("gpg", *GPG, "-c", "IN"),
    "squashfs": packed("squashfs", "mksquashfs", ".", "OUT", "-comp", ("gzip", "xz")),
    "cab": packed("cab", "gcab", "-c", "OUT", "IN"),
}


def run(*command, cwd=None):
    subprocess.run(
        command,
        cwd=cwd,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--files", type=int, default=260)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    os.nice(max(0, 10 - os.nice(0)))
    db, magic = store(options.data), Magic()
    existing = have(db)
    for label, maker in MAKERS.items():
        missing = options.files - existing.get(label, 0)
        if maker is None or missing <= 0 or (options.only and label not in options.only):
            continue
        inputs_of, count, tool, make = maker
        if not shutil.which(tool):
            print(f"{label}: no {tool}, skipped", file=sys.stderr)
            continue
        marks = ",".join("?" * len(inputs_of))
        by_source = {}
        for row in db.execute(
            f"""select files.sha256, label, source, version, archive, path, pieces from files join pieces using (sha256)
                                  where label in ({marks}) and origin = 'archive' and size between 200 and {4096 * 7}""",
            inputs_of,
        ):
            by_source.setdefault(row[2], []).append(row)
        rng = random.Random(label)
        sources = sorted(by_source)
        made = failed = 0
        while made < missing and sources and failed < 60 + made:
            rows = by_source[rng.choice(sources)]
            chosen = rng.sample(rows, min(count, len(rows)))
            with tempfile.TemporaryDirectory() as folder:
                os.mkdir(f"{folder}/in")
                inputs = []
                for i, row in enumerate(chosen):
                    path = f"{folder}/in/{i}-{os.path.basename(row[5])}"[-200:]
                    with open(path, "wb") as file:
                        file.write(zlib.decompress(row[6]))
                    inputs.append(path)
                try:
                    with open(make(inputs, folder, rng), "rb") as file:
                        content = file.read()
                    if not agrees(
                        label, content[: 1 << 18], magic.ask(content[: 1 << 18], 0), magic.ask(content[: 1 << 18], 1)
                    ):
                        raise ValueError("libmagic calls it otherwise")
                except (
                    OSError,
                    ValueError,
                    IndexError,
                    py_compile.PyCompileError,
                    subprocess.SubprocessError,
                ) as error:
                    failed += 1
                    if failed == 20:
                        print(f"{label}: {error}"[:300], file=sys.stderr)
                    continue
            digest = hashlib.sha256(content).digest()
            before = db.total_changes
            _, _, source, version, archive, path, _ = chosen[0]
            db.execute(
                "insert or ignore into files values (?,?,?,?,?,?,?,?,?)",
                (
                    digest,
                    label,
                    source,
                    version,
                    archive,
                    path,
                    len(content),
                    f"converted by {tool}",
                    side_of(project_of(source)),
                ),
            )
            made += db.total_changes > before
            failed += db.total_changes == before
            db.execute("insert or ignore into pieces values (?,?)", (digest, zlib.compress(pieces_of(content), 1)))
            db.commit()
        print(f"{label}: {made} made, {failed} failed", flush=True)


if __name__ == "__main__":
    main()
