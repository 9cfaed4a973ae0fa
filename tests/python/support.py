"""What the tests of the Python package share: models, files, and what the command says of them."""

import atexit
import contextlib
import functools
import importlib.util
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

import byteformer

SOURCE = pathlib.Path(os.environ.get("BYTEFORMER_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
GOLDENS = SOURCE / "tests" / "data" / "models"
MODELS = SOURCE / "models"
EXAMPLES = SOURCE / "examples" / "data"
NANO = SOURCE / "tests" / "data" / "untrained-nano"  # small, reads any bytes, any length

_scratch = tempfile.TemporaryDirectory(prefix="byteformer-python-")
atexit.register(_scratch.cleanup)


def scratch(name):
    """A path for a test's own files."""
    return pathlib.Path(_scratch.name) / name


def command(*arguments, stdin=None, status=0):
    """Standard output of the program, which ends with `status`."""
    words = [byteformer.program(), *map(str, arguments)]
    done = subprocess.run(words, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if done.returncode != status:
        raise subprocess.CalledProcessError(done.returncode, words)
    return done.stdout


def answers(model, *options_and_files):
    """What `byteformer classify` says of files: objects with "logits" as float32, and the rest of its JSON."""
    lines = command("classify", "--model", model, "--jsonl", "--logits", "--features", *options_and_files).splitlines()
    told = [json.loads(line) for line in lines]
    for answer in told:
        for key in ("logits", "features"):
            answer[key] = struct.pack(f"{len(answer[key])}f", *answer[key])
    return told


@functools.lru_cache(None)
def golden_folder(name):
    """A golden model as a model folder."""
    folder = scratch("golden-" + name)
    command("import", GOLDENS / name / "weights.pt", "--config", GOLDENS / name / "config.json", "-o", folder)
    return folder


def golden_names():
    return sorted(path.name for path in GOLDENS.iterdir())


def golden_cases(name):
    """(file, {"released": logits or None, "masked": ...}) of a golden model."""
    cases = json.loads((GOLDENS / name / "cases.json").read_text())["cases"]
    return [(GOLDENS / name / case["input"], case) for case in cases]


@functools.lru_cache(None)
def nano(threads=2):
    return byteformer.Classifier(NANO, threads=threads)


def some_bytes(size, seed=0):
    """Bytes that look like nothing in particular."""
    return bytes((i * i * 31 + i * 7 + seed * 101) % 251 for i in range(size))


def have(module):
    """Whether `module` is there to be used; torch is left alone where the address sanitizer watches."""
    if module == "torch" and "asan" in os.environ.get("LD_PRELOAD", ""):
        return False
    return importlib.util.find_spec(module) is not None


needs_numpy = unittest.skipUnless(have("numpy"), "numpy is not installed")


class Case(unittest.TestCase):
    def assertSame(self, result, other):
        """Bit for bit."""
        self.assertEqual(bytes(result.logits), bytes(other.logits))
        self.assertEqual(bytes(result.features), bytes(other.features))

    @contextlib.contextmanager
    def failure(self, code, kind=byteformer.Error):
        with self.assertRaises(kind) as caught:
            yield caught
        self.assertEqual(caught.exception.code, code)
        self.assertTrue(caught.exception.message)
