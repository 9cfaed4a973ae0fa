#!/usr/bin/env python3
"""Generates pictures and sounds of every combination that the formats allow, and compares what byteformer decodes with
what Pillow, ImageMagick, libtiff's tools, ffmpeg and sox say: pictures within 1 of 255, sounds within 2 of 32,768.

Usage: scripts/compare_decoders.py [--byteformer PROGRAM] [--keep FOLDER] [--report FILE]
Needs Debian's python3-pil, python3-numpy, imagemagick, libtiff-tools, libjpeg-turbo-progs, ffmpeg, lame, sox and
libsox-fmt-all. --report writes the table of docs/decoders.md (its part between the two marks). Exit status 1 where a
difference has no explanation below.
"""
import argparse
import collections
import concurrent.futures
import io
import itertools
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

import numpy
from PIL import Image

WIDTH, HEIGHT = 21, 13
RATE_TOLERANCE = 2 / 32768

# Why byteformer differs from every reference that reads the file: the start of a file's name, and the reason.
EXPLAINED = [
    ("tiff/lab", "ImageMagick counts a* and b* half a unit away, which is much at the edge of sRGB; libtiff's white is yellowish"),
    ("caf/alac", "libsndfile does not read ALAC as ffmpeg writes it into CAF"),
    ("w64/pcm_f64le", "libsndfile does not know 64-bit floats in W64, and byteformer refuses them"),
    ("opus/", "libsndfile decodes Opus at the rate that was put in, ffmpeg at 48 kHz"),
    ("aiff/adpcm_ima_qt", "libsndfile and ffmpeg carry the predictor of IMA ADPCM from block to block differently"),
]


def run(command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, check=False, **options)


# ---------------------------------------------------------------- pictures

def colours():
    """Red, green, blue and opacity from 0 to 1, [HEIGHT, WIDTH, 4], with both ends of each."""
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [x / (WIDTH - 1), y / (HEIGHT - 1), ((x * 7 + y * 3) % 16) / 15, ((x + 2 * y) % 11) / 10]
    return numpy.stack(planes, -1)


TURNS = {2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1], 5: lambda a: a.swapaxes(0, 1),
         6: lambda a: a.swapaxes(0, 1)[:, ::-1], 7: lambda a: a[::-1, ::-1].swapaxes(0, 1), 8: lambda a: a.swapaxes(0, 1)[::-1]}


def expectation(path):
    """Where the pixels are kept that were put into a file, of which nobody needs to be asked."""
    return path.parents[2] / "expected" / path.parent.name / f"{path.stem}.npy"


def remember(path, rgb):
    expectation(path).parent.mkdir(parents=True, exist_ok=True)
    numpy.save(expectation(path), numpy.clip(rgb, 0, 1) * 255)


def quantized(values, levels):
    return numpy.rint(values * levels) / levels


def packed(values, bits, kind, order):
    """[rows, samples] from 0 to 1 as rows of bytes."""
    rows = []
    for row in values:
        if kind == 3:
            rows.append(row.astype(f"{order}f{bits // 8}").tobytes())
        elif bits >= 8:
            levels = numpy.rint(row * (2**bits - 1)).astype(numpy.uint64)
            if kind == 2:
                levels = (levels + 2 ** (bits - 1)) % 2**bits
            rows.append(levels.astype(f"{order}u{bits // 8}").tobytes())
        else:
            levels = numpy.rint(row * (2**bits - 1)).astype(int)
            text = "".join(format(level, f"0{bits}b") for level in levels)
            text += "0" * (-len(text) % 8)
            rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    return rows


def write_tiff(path, samples, photometric, bits=8, kind=1, extra=None, planar=1, order="<", rows_per_strip=5, palette=None,
               orientation=None):
    """An uncompressed TIFF of `samples` [rows, columns, samples per pixel] from 0 to 1; extra None: no such tag."""
    height, width, count = samples.shape
    known = samples if kind == 3 else quantized(samples, 2**bits - 1)
    rgb = {0: lambda: 1 - known[:, :, [0] * 3], 1: lambda: known[:, :, [0] * 3], 2: lambda: known[:, :, :3],
           3: lambda: numpy.array(palette).reshape(3, -1).T[numpy.rint(known[:, :, 0] * (2**bits - 1)).astype(int)] / 65535,
           5: lambda: (1 - known[:, :, :3]) * (1 - known[:, :, 3:4])}[photometric]()
    for i, meaning in enumerate(extra or []):
        if meaning in (1, 2):
            alpha = known[:, :, count - len(extra) + i, None]
            rgb = (rgb if meaning == 1 else rgb * alpha) + 1 - alpha
            break
    if path.parents[1].name == "pictures":
        remember(path, TURNS.get(orientation, lambda a: a)(rgb))
    planes = [samples.reshape(height, -1)] if planar == 1 else [samples[:, :, i] for i in range(count)]
    strips = []
    for plane in planes:
        rows = packed(plane, bits, kind, order)
        strips += [b"".join(rows[top:top + rows_per_strip]) for top in range(0, height, rows_per_strip)]
    tags = {256: [width], 257: [height], 258: [bits] * count, 259: [1], 262: [photometric], 277: [count],
            278: [rows_per_strip], 284: [planar], 339: [kind] * count}
    if extra is not None:
        tags[338] = extra
    if palette is not None:
        tags[320] = palette
    if orientation is not None:
        tags[274] = [orientation]
    data_at = 8
    tags[273] = [data_at + sum(len(strip) for strip in strips[:i]) for i in range(len(strips))]
    tags[279] = [len(strip) for strip in strips]
    body = b"".join(strips)
    body += b"\0" * (len(body) % 2)
    directory_at = data_at + len(body)
    entries, behind = b"", b""
    behind_at = directory_at + 2 + 12 * len(tags) + 4
    for tag in sorted(tags):
        kind_of = 4 if tag in (273, 279) else 3
        values = b"".join(struct.pack(order + ("I" if kind_of == 4 else "H"), value) for value in tags[tag])
        entry = struct.pack(order + "HHI", tag, kind_of, len(tags[tag]))
        if len(values) <= 4:
            entry += values.ljust(4, b"\0")
        else:
            entry += struct.pack(order + "I", behind_at + len(behind))
            behind += values + b"\0" * (len(values) % 2)
        entries += entry
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, directory_at)
    path.write_bytes(head + body + struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", 0) + behind)


def make_tiffs(folder):
    image = colours()
    rgb, alpha = image[:, :, :3], image[:, :, 3:]
    grey = rgb.mean(-1, keepdims=True)
    palette = [int(value * 65535) for c in range(3) for value in numpy.linspace(c / 3, 1, 256) ** (c + 1)]
    extras = {"none": ([], None), "missing": (1, None), "unspecified": (1, [0]), "premultiplied": (1, [1]), "straight": (1, [2]),
              "second": (2, [0, 2])}
    for (name, colour, photometric), bits, (what, (count, extra)), planar, order in itertools.product(
            [("grey", grey, 1), ("white", grey, 0), ("rgb", rgb, 2), ("cmyk", numpy.concatenate([rgb, alpha / 3], -1), 5)],
            [1, 2, 4, 8, 16, 32], extras.items(), [1, 2], "<>"):
        samples = colour
        if what != "none":
            base = colour * alpha if what == "premultiplied" else colour
            samples = numpy.concatenate([base] + [alpha] * count, -1)
        if planar == 2 and samples.shape[2] == 1:
            continue
        write_tiff(folder / f"{name}-extra-{what}-{bits}-{'chunky' if planar == 1 else 'planar'}-{'le' if order == '<' else 'be'}.tiff",
                   samples, photometric, bits, 1, extra, planar, order)
    for (name, colour, photometric), (kind_name, kind, bits), order in itertools.product(
            [("grey", grey, 1), ("rgb", rgb, 2)],
            [("signed", 2, 8), ("signed", 2, 16), ("signed", 2, 32), ("float", 3, 16), ("float", 3, 32), ("float", 3, 64)], "<>"):
        write_tiff(folder / f"{kind_name}{bits}-{name}-{'le' if order == '<' else 'be'}.tiff", colour, photometric, bits, kind,
                   None, 1, order)
    for bits in (1, 2, 4, 8):
        entries = [v for c in range(3) for v in palette[c * 256:(c + 1) * 256:256 // 2**bits]]
        write_tiff(folder / f"palette-{bits}.tiff", grey, 3, bits, palette=entries)
    for orientation in range(0, 11):
        write_tiff(folder / f"orientation-{orientation}.tiff", rgb, 2, orientation=orientation)
    sources = sorted(folder.glob("*-none-8-chunky-le.tiff")) + sorted(folder.glob("rgb-extra-straight-*-chunky-le.tiff"))
    sources += sorted(folder.glob("*-none-16-chunky-le.tiff")) + sorted(folder.glob("palette-*.tiff"))
    for source, (name, options) in itertools.product(sources, {
            "lzw": ["-c", "lzw"], "lzw-predicted": ["-c", "lzw:2"], "zip": ["-c", "zip"], "packbits": ["-c", "packbits"],
            "tiles": ["-t", "-w", "16", "-l", "16"], "tiles-zip": ["-t", "-w", "16", "-l", "16", "-c", "zip"],
            "one-strip": ["-r", "13"], "big": ["-8"], "jpeg": ["-c", "jpeg:100"], "jpeg-ycbcr": ["-c", "jpeg:r:100"],
            "lsb": ["-f", "lsb2msb"]}.items()):
        out = folder / f"{source.stem}-{name}.tiff"
        if run(["tiffcp", *options, source, out]).returncode != 0:
            out.unlink(missing_ok=True)
        elif "jpeg" not in name:
            shutil.copy(expectation(source), expectation(out))
    bilevel = folder / "white-extra-none-1-chunky-le.tiff"
    for name in ("g3:1d", "g3:2d", "g4"):
        run(["tiffcp", "-c", name, bilevel, folder / f"fax-{name.replace(':', '-')}.tiff"])
    for name, options in {"lab": ["-colorspace", "Lab"], "lab16": ["-colorspace", "Lab", "-depth", "16"]}.items():
        run(["convert", folder / "rgb-extra-none-8-chunky-le.tiff", *options, folder / f"{name}.tiff"])


def write_bmp(path, header_bytes, bits, compression, masks, pixels, palette=b"", height=HEIGHT):
    header = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, bits) if header_bytes == 12 else \
        struct.pack("<IiiHHIIIIII", header_bytes, WIDTH, height, 1, bits, compression, len(pixels), 2835, 2835, 0, 0)[:max(header_bytes, 16)]
    if masks:
        header += b"".join(struct.pack("<I", mask) for mask in masks)
    if header_bytes > 12:
        header = header.ljust(max(header_bytes, len(header)), b"\0")
    offset = 14 + len(header) + len(palette)
    path.write_bytes(b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + header + palette + pixels)


def make_bmps(folder):
    image = colours()
    sizes = {12: [1, 4, 8, 24], 16: [1, 4, 8, 24], 40: [1, 4, 8, 16, 24, 32], 52: [16, 32], 56: [16, 32], 64: [1, 4, 8, 24],
             108: [1, 4, 8, 16, 24, 32], 124: [1, 4, 8, 16, 24, 32]}
    mask_sets = {"555": (16, [0x7C00, 0x3E0, 0x1F, 0]), "565": (16, [0xF800, 0x7E0, 0x1F, 0]),
                 "4444": (16, [0xF00, 0xF0, 0xF, 0xF000]), "1555": (16, [0x7C00, 0x3E0, 0x1F, 0x8000]),
                 "8888": (32, [0xFF0000, 0xFF00, 0xFF, 0xFF000000]), "rgba": (32, [0xFF, 0xFF00, 0xFF0000, 0xFF000000]),
                 "888": (32, [0xFF0000, 0xFF00, 0xFF, 0]), "101010": (32, [0x3FF00000, 0xFFC00, 0x3FF, 0])}

    def padded(rows):
        return b"".join(row + b"\0" * (-len(row) % 4) for row in rows)

    def masked(bits, masks):
        pixels = numpy.zeros((HEIGHT, WIDTH), numpy.uint64)
        for channel, mask in enumerate(masks):
            if mask:
                shift = (mask & -mask).bit_length() - 1
                pixels |= numpy.rint(image[:, :, channel] * (mask >> shift)).astype(numpy.uint64) << numpy.uint64(shift)
        return padded([row.astype(f"<u{bits // 8}").tobytes() for row in pixels[::-1]])

    for header_bytes, depths in sizes.items():
        for bits in depths:
            name = f"header{header_bytes}-{bits}"
            if bits <= 8:
                count = 2**bits
                table = b"".join(bytes([255 - i * 255 // (count - 1), i * 255 // (count - 1), i * 90 // count])
                                 + (b"" if header_bytes == 12 else b"\0") for i in range(count))
                rows = packed(image[::-1, :, 0], bits, 1, "<")
                write_bmp(folder / f"{name}.bmp", header_bytes, bits, 0, [], padded(rows), table)
                entries = numpy.frombuffer(table, "u1").reshape(count, -1)[:, 2::-1] / 255
                remember(folder / f"{name}.bmp", entries[numpy.rint(image[:, :, 0] * (count - 1)).astype(int)])
            else:
                masks = [0x7C00, 0x3E0, 0x1F, 0] if bits == 16 else [0xFF0000, 0xFF00, 0xFF, 0xFF000000 if bits == 32 else 0]
                if bits == 24:
                    pixels = padded([numpy.rint(row[:, 2::-1] * 255).astype("u1").tobytes() for row in image[::-1]])
                else:
                    pixels = masked(bits, masks)
                write_bmp(folder / f"{name}.bmp", header_bytes, bits, 0, [], pixels)
                remember(folder / f"{name}.bmp", quantized(image[:, :, :3], 31 if bits == 16 else 255))
                if header_bytes >= 40 and bits == 24:
                    write_bmp(folder / f"{name}-from-top.bmp", header_bytes, bits, 0, [], pixels, height=-HEIGHT)
        for name, (bits, masks) in mask_sets.items():
            if header_bytes == 40 or header_bytes >= 52 and header_bytes != 64:
                if masks[3] and header_bytes < 56:
                    continue
                kept = masks[:3] if header_bytes < 56 else masks
                path = folder / f"masks-{header_bytes}-{name}.bmp"
                write_bmp(path, header_bytes, bits, 3, kept, masked(bits, masks))
                levels = [mask // (mask & -mask) if mask else 1 for mask in masks]
                rgb = numpy.stack([quantized(image[:, :, c], levels[c]) for c in range(3)], -1)
                alpha = quantized(image[:, :, 3:], levels[3]) if masks[3] else 1
                remember(path, rgb * alpha + 1 - alpha)
    grey = Image.fromarray(numpy.rint(image[:, :, 0] * 255).astype("u1"))
    grey.save(folder / "grey-source.png")
    run(["convert", folder / "grey-source.png", "-compress", "RLE", "-type", "palette", f"bmp3:{folder}/rle8.bmp"])
    (folder / "grey-source.png").unlink()


def make_other_pictures(root):
    image = colours()
    rgba = Image.fromarray(numpy.rint(image * 255).astype("u1"), "RGBA")
    rgb = rgba.convert("RGB")
    modes = {"rgb": rgb, "rgba": rgba, "grey": rgb.convert("L"), "grey-alpha": rgba.convert("LA"), "bits": rgb.convert("1"),
             "palette": rgb.convert("P", palette=Image.ADAPTIVE, colors=40), "cmyk": rgb.convert("CMYK")}
    for kind in ("png", "gif", "jpeg", "webp", "pnm"):
        (root / kind).mkdir()
    for name, source in modes.items():
        if name != "cmyk":
            source.save(root / "png" / f"{name}.png")
        if name in ("rgb", "grey", "cmyk"):
            for quality, subsampling, progressive in itertools.product((40, 75, 95), (0, 1, 2), (False, True)):
                source.save(root / "jpeg" / f"{name}-{quality}-{subsampling}{'-progressive' if progressive else ''}.jpg",
                            quality=quality, subsampling=subsampling, progressive=progressive)
        if name in ("rgb", "rgba"):
            source.save(root / "webp" / f"{name}-lossless.webp", lossless=True)
            for quality in (20, 80):
                source.save(root / "webp" / f"{name}-{quality}.webp", quality=quality)
    modes["palette"].save(root / "png" / "palette-transparent.png", transparency=3)
    modes["grey"].save(root / "png" / "grey-transparent.png", transparency=128)
    rgb.save(root / "png" / "rgb-transparent.png", transparency=rgb.getpixel((3, 3)))
    wide = root / "wide.tiff"
    for name, samples, photometric, extra in (("rgb16", image[:, :, :3], 2, None), ("rgba16", image, 2, [2]),
                                              ("grey16", image[:, :, :1], 1, None)):
        write_tiff(wide, samples, photometric, 16, extra=extra)
        run(["convert", wide, root / "png" / f"{name}.png"])
        wide.unlink()
    for path in sorted((root / "png").glob("*.png")):
        run(["convert", path, "-interlace", "PNG", root / "png" / f"{path.stem}-interlaced.png"])
    exif = Image.Exif()
    for orientation in range(0, 11):
        exif[274] = orientation
        rgb.save(root / "jpeg" / f"orientation-{orientation}.jpg", exif=exif, quality=95)
        rgb.save(root / "webp" / f"orientation-{orientation}.webp", exif=exif, lossless=True)
        rgb.save(root / "png" / f"orientation-{orientation}.png", exif=exif)
    rgb.save(root / "rgb.ppm")
    for name, options in {"arithmetic": ["-arithmetic"], "restarts": ["-restart", "1"], "grey": ["-grayscale"],
                          "rgb": ["-rgb"], "422": ["-sample", "2x1"], "440": ["-sample", "1x2"], "411": ["-sample", "4x1"]}.items():
        run(["cjpeg", "-quality", "90", *options, "-outfile", root / "jpeg" / f"cjpeg-{name}.jpg", root / "rgb.ppm"])
    for colours_of, interlace, transparent in itertools.product((2, 4, 16, 64, 256), (0, 1), (False, True)):
        source = rgb.convert("P", palette=Image.ADAPTIVE, colors=colours_of)
        options = {"transparency": 1} if transparent else {}
        name = f"{colours_of}{'-interlaced' if interlace else ''}{'-transparent' if transparent else ''}.gif"
        source.save(root / "gif" / name, interlace=interlace, **options)
        data = bytearray((root / "gif" / name).read_bytes())
        for side in (0, 5):
            data[6:10] = struct.pack("<HH", side, side)
            (root / "gif" / name.replace(".gif", f"-screen{side}.gif")).write_bytes(data)
    for maximum, kind in itertools.product((1, 3, 100, 255, 1000, 65535), ("P2", "P3", "P5", "P6")):
        samples = image[:, :, :3] if kind in ("P3", "P6") else image[:, :, :1]
        levels = numpy.rint(samples * maximum).astype(int).ravel()
        head = f"{kind}\n# a comment\n{WIDTH} {HEIGHT}\n{maximum}\n".encode()
        body = " ".join(map(str, levels)).encode() if kind in ("P2", "P3") else levels.astype(">u2" if maximum > 255 else "u1").tobytes()
        (root / "pnm" / f"{kind}-{maximum}.pnm").write_bytes(head + body)
    modes["bits"].save(root / "pnm" / "P4.pbm")
    (root / "rgb.ppm").unlink()


def over_white(rgba):
    rgba = rgba.astype(float)
    return rgba[:, :, :3] * rgba[:, :, 3:] / 255 + 255 - rgba[:, :, 3:]


def by_pillow(path):
    try:
        with Image.open(path) as image:
            image.seek(0)
            image.load()
            orientation = image.getexif().get(274, 1)
            if path.suffix == ".gif":
                orientation = 1
            if image.mode.startswith("I;16"):
                rgb = numpy.repeat((numpy.asarray(image).astype(float) / 257)[:, :, None], 3, 2)
            elif image.mode in ("I", "F", "LAB"):
                return None  # numbers without a range
            elif image.mode == "CMYK":
                rgb = numpy.asarray(image.convert("RGB")).astype(float)
            else:
                rgb = over_white(numpy.asarray(image.convert("RGBA")))
    except Exception:  # Pillow raises whatever comes to its mind
        return None
    return TURNS.get(orientation, lambda a: a)(rgb)


def as_written(path):
    return numpy.load(expectation(path)) if expectation(path).exists() else None


def by_rgb(command):
    """The pixels that a command writes as PPM."""
    try:
        return numpy.asarray(Image.open(io.BytesIO(run(command).stdout)).convert("RGB")).astype(float)
    except Exception:
        return None


def by_magick(path):
    return by_rgb(["convert", f"{path}[0]", "-auto-orient", "-background", "white", "-alpha", "remove", "-alpha", "off",
                   "-colorspace", "sRGB", "-type", "truecolor", "-depth", "8", "ppm:-"])


def by_libtiff(path):
    if path.suffix != ".tiff":
        return None
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "rgba.tiff"
        if run(["tiff2rgba", "-c", "none", path, out]).returncode != 0 or not out.exists():
            return None
        try:
            with Image.open(out) as image:
                rgba = numpy.asarray(image.convert("RGBA")).astype(float)
        except Exception:
            return None
    return numpy.minimum(rgba[:, :, :3] + 255 - rgba[:, :, 3:], 255)  # it multiplies


def by_ffmpeg_picture(path):
    return by_rgb(["ffmpeg", "-v", "error", "-noautorotate", "-i", path, "-frames:v", "1", "-f", "image2pipe", "-pix_fmt", "rgb24",
                   "-vcodec", "ppm", "-"])


# ---------------------------------------------------------------- sounds

def make_sounds(root):
    for kind in ("wav", "aiff", "au", "caf", "w64", "flac", "ogg", "opus", "mp3"):
        (root / kind).mkdir()
    formats = {"wav": ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw",
                       "adpcm_ms", "adpcm_ima_wav"],
               "w64": ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"],
               "aiff": ["pcm_s8", "pcm_s16be", "pcm_s24be", "pcm_s32be", "pcm_f32be", "pcm_f64be", "pcm_alaw", "pcm_mulaw",
                        "pcm_s16le", "adpcm_ima_qt"],
               "au": ["pcm_s8", "pcm_s16be", "pcm_s24be", "pcm_s32be", "pcm_f32be", "pcm_f64be", "pcm_alaw", "pcm_mulaw"],
               "caf": ["pcm_s8", "pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s32be", "pcm_f32be", "pcm_f64be", "pcm_alaw",
                       "pcm_mulaw", "alac"],
               "flac": ["flac"], "ogg": ["libvorbis", "flac"], "opus": ["libopus"], "mp3": ["libmp3lame"]}
    with tempfile.TemporaryDirectory() as folder:
        for rate, channels in itertools.product((8000, 16000, 44100, 48000), (1, 2)):
            source = pathlib.Path(folder) / "source.wav"
            run(["sox", "-R", "-n", "-r", rate, "-c", channels, "-b", "24", source, "synth", "0.4", "sine", "300:900",
                 *(["sine", "700"] if channels == 2 else []), "vol", "0.6"])
            for kind, codecs in formats.items():
                for codec in codecs:
                    if codec == "libopus" and rate == 44100:
                        continue
                    name = f"{codec}-{rate}-{channels}"
                    muxer = {"opus": "opus", "ogg": "ogg"}.get(kind, kind)
                    common = ["ffmpeg", "-v", "error", "-i", source, "-c:a", codec, "-f", muxer]
                    if kind == "wav" and codec.startswith("pcm"):
                        piped = run([*common, "-rf64", "always", "-"])
                        (root / kind / f"{name}-rf64-pipe.wav").write_bytes(piped.stdout)
                        run([*common, "-rf64", "always", root / kind / f"{name}-rf64.wav"])
                    run([*common, root / kind / f"{name}.{kind}"])
                    piped = run([*common, "-"])
                    if piped.returncode == 0 and piped.stdout:
                        (root / kind / f"{name}-pipe.{kind}").write_bytes(piped.stdout)
            for kind in ("wav", "aiff", "au", "flac", "ogg"):
                piped = run(["sh", "-c", f"sox {source} -t {kind} - | cat"])
                (root / kind / f"sox-{rate}-{channels}-pipe.{kind}").write_bytes(piped.stdout)
            for options in (["-b", "64"], ["-V", "4"], ["-b", "128", "-m", "s"], ["-b", "96", "-t"]):
                run(["lame", "--quiet", *options, source, root / "mp3" / f"lame{''.join(options)}-{rate}-{channels}.mp3"])
    for path in [p for p in root.rglob("*") if p.is_file() and p.stat().st_size == 0]:
        path.unlink()


def mono(samples, channels):
    return samples[:len(samples) // channels * channels].reshape(-1, channels).mean(1)


def by_ffmpeg_sound(path):
    probe = run(["ffprobe", "-v", "error", "-show_entries", "stream=channels", "-of", "csv=p=0", path]).stdout.split()
    decoded = run(["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-"])
    if not probe or not decoded.stdout:
        return None
    return mono(numpy.frombuffer(decoded.stdout, "<f4").astype(float), int(probe[0].strip(b",")))


def by_sibling(path):
    """What ffmpeg says of the file with the same samples whose length is known."""
    sibling = path.with_name(path.name.replace("-pipe", ""))
    return by_ffmpeg_sound(sibling) if sibling != path and sibling.exists() else None


def by_sox(path):
    info = run(["soxi", "-c", path]).stdout
    decoded = run(["sox", "-V1", "-D", path, "-t", "f32", "-"])
    return mono(numpy.frombuffer(decoded.stdout, "<f4").astype(float), int(info)) if info and decoded.stdout else None


# ---------------------------------------------------------------- comparing

def read_wav(path):
    data = path.read_bytes()
    at = data.index(b"data")
    return numpy.frombuffer(data[at + 8:at + 8 + struct.unpack("<I", data[at + 4:at + 8])[0]], "<f4").astype(float)


def difference(ours, reference):
    """The largest, or None where they have not the same size."""
    if ours.size != reference.size:
        return None
    return float(numpy.abs(ours.ravel() - reference.ravel()).max()) if ours.size else 0.0


def compare(root, decoded, references, tolerance, read):
    """Rows of the table, by format; and the lines of what differs from all."""
    rows = collections.OrderedDict()
    unlike = []
    paths = sorted(p for p in root.rglob("*") if p.is_file())
    with concurrent.futures.ThreadPoolExecutor() as pool:
        expectations = list(pool.map(lambda path: {name: reference(path) for name, reference in references.items()}, paths))
    for path, expected_by in zip(paths, expectations):
        kind = path.relative_to(root).parts[0]
        row = rows.setdefault(kind, collections.Counter())
        row["files"] += 1
        found = list(decoded.glob(str(path.relative_to(root).with_suffix("")) + ".*"))
        ours = read(found[0]) if found else None
        distances = {}
        for name, expected in expected_by.items():
            if expected is None:
                continue
            row[name + " reads"] += 1
            distance = None if ours is None else difference(ours, expected)
            distances[name] = distance
            if distance is not None and distance <= tolerance:
                row[name + " equal"] += 1
        is_equal = any(d is not None and d <= tolerance for d in distances.values())
        row["equal"] += is_equal
        row["refused"] += ours is None
        if is_equal or (not distances and ours is None):
            row["agree"] += 1
            continue
        unlike.append((f"{kind}/{path.stem}", "refused" if ours is None else ", ".join(
            f"{name}: {'other size' if d is None else format(d, '.3g')}" for name, d in distances.items()) or "no reference reads it"))
    return rows, unlike


def table(rows, names, title):
    lines = [f"| {title} | files | " + " | ".join(f"as {name}" for name in names) + " | as one of them |",
             "|---" * (len(names) + 3) + "|"]
    for kind, row in rows.items():
        cells = [f"{row[name + ' equal']} of {row[name + ' reads']}" if row[name + " reads"] else "" for name in names]
        lines.append(f"| {kind} | {row['files']} | " + " | ".join(cells) + f" | {row['agree'] / row['files']:.1%} |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--byteformer", default="byteformer")
    parser.add_argument("--keep", type=pathlib.Path, help="folder for the files, kept, and used again where it exists")
    parser.add_argument("--report", type=pathlib.Path, help="page whose table is replaced")
    options = parser.parse_args()
    work = options.keep or pathlib.Path(tempfile.mkdtemp())
    pictures, sounds = work / "pictures", work / "sounds"
    if not pictures.exists():
        for kind, make in (("tiff", make_tiffs), ("bmp", make_bmps)):
            (pictures / kind).mkdir(parents=True)
            make(pictures / kind)
        make_other_pictures(pictures)
    if not sounds.exists():
        sounds.mkdir()
        make_sounds(sounds)

    for folder in sorted(pictures.iterdir()) + sorted(sounds.iterdir()):
        out = work / "decoded" / folder.parent.name / folder.name
        out.mkdir(parents=True, exist_ok=True)
        to = ["--to", "fhwc"] if folder.parent == pictures else ["--to", "wav", "--sample-format", "float32"]
        result = run([options.byteformer, "encode", "-r", folder, "-o", out, "--force", *to])
        (out.parent / f"{out.name}.log").write_bytes(result.stderr)
    names = {"written": as_written, "Pillow": by_pillow, "ImageMagick": by_magick, "libtiff": by_libtiff, "ffmpeg": by_ffmpeg_picture}
    picture_rows, unlike = compare(pictures, work / "decoded/pictures", names, 1.001,
                                   lambda path: numpy.frombuffer(path.read_bytes(), "u1").astype(float))
    sound_names = {"ffmpeg": by_ffmpeg_sound, "ffmpeg, of known length": by_sibling, "sox": by_sox}
    sound_rows, sounds_unlike = compare(sounds, work / "decoded/sounds", sound_names, RATE_TOLERANCE, read_wav)

    lines = table(picture_rows, list(names), "pictures") + [""] + table(sound_rows, list(sound_names), "sounds")
    unexplained = []
    reasons = collections.Counter()
    for name, distances in unlike + sounds_unlike:
        reason = next((text for start, text in EXPLAINED if name.startswith(start)), None)
        if reason is None:
            unexplained.append(f"{name}: {distances}")
        else:
            reasons[reason] += 1
    lines += ["", "Like none of the references:", ""]
    lines += [f"- {count} files: {reason}" for reason, count in reasons.items()] or ["- none"]
    print("\n".join(lines))
    for line in unexplained:
        print("unexplained:", line)
    if options.report:
        begin, end = "<!-- generated by scripts/compare_decoders.py -->", "<!-- end -->"
        text = options.report.read_text()
        before, rest = text.split(begin)
        options.report.write_text(before + begin + "\n\n" + "\n".join(lines) + "\n\n" + end + rest.split(end)[1])
    if not options.keep:
        shutil.rmtree(work)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
