"""Trainings by several processes, from outside: what they compute, and what becomes of them in bad times.
Usage: ranks_test.py BYTEFORMER BYTEFORMER_TRAIN [unittest's arguments]"""

import contextlib
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from array import array

BYTEFORMER, TRAINER = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
os.environ["PATH"] = f"{TRAINER.parent}:{os.environ['PATH']}"
LAUNCHERS = ("RANK", "WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID")
OPTIONS = ["--batch-size", "8", "--hidden-size", "32", "--heads", "2", "--layers", "2", "--threads", "1"]
OPTIONS += ["--no-progress", "--rank-timeout", "20s", "--checkpoint-interval", "0.05s"]

STEPS = 300  # of a run that is to be disturbed


def make_data(folder, count=60):
    """Two kinds of text of many lengths, told apart by the letters that they use."""
    state = 1
    for kind, first in (("letters", 97), ("digits", 48)):
        (folder / kind).mkdir(parents=True)
        for i in range(count):
            text = bytearray()
            for _ in range(40 + 97 * i % 400):
                state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
                text.append(first + (state >> 33) % 10)
            (folder / kind / f"{i}.txt").write_bytes(text)


def start(folder, words, environment=None):
    return subprocess.Popen(
        [BYTEFORMER, "train", *words],
        cwd=folder,
        env={**{k: v for k, v in os.environ.items() if k not in LAUNCHERS}, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def tensors(path):
    """The floats of a safetensors file, without its header, which tells seconds."""
    data = path.read_bytes()
    numbers = array("f")
    numbers.frombytes(data[8 + struct.unpack("<Q", data[:8])[0] :])
    return numbers


def evaluations(output):
    """What is said of each: step, loss, and loss and accuracy on the validation files."""
    found = re.findall(r"step +(\d+) .* loss (\S+)  validation: loss (\S+), top-1 (\S+) %", output)
    return [[float(word) for word in words] for words in found]


@contextlib.contextmanager
def full_disk(folder):
    """A small disk at `folder`, as what fills it and what makes room again."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        raise unittest.SkipTest("a small disk cannot be mounted here: " + mounted.stderr.strip())
    filler = folder / "filler"

    def fill():
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)

    try:
        yield fill, filler.unlink
    finally:
        subprocess.run(["umount", folder], check=True)


def ranks_of(launcher):
    """Process ids of its ranks, in their order."""
    children = pathlib.Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    return sorted(map(int, children))


class RanksTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        make_data(cls.folder / "data")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def train(self, words, status=0, environment=None):
        process = start(self.folder, words, environment)
        output, _ = process.communicate(timeout=120)
        self.assertEqual(process.returncode, status, output)
        return output

    def train_new(self, name, *words, steps=50, status=0):
        return self.train(["--data", "data", "-o", name, "--steps", str(steps), *OPTIONS, *words], status)

    def model(self, name):
        return tensors(self.folder / name / "model.safetensors")

    def checkpoint(self, name):
        return tensors(self.folder / name / "training" / "checkpoint.safetensors")

    def undisturbed(self):
        """What a run of two ranks leaves that takes long enough to be disturbed: model and checkpoint."""
        if not (self.folder / "whole").exists():
            self.train_new("whole", "--ranks", "2", steps=STEPS)
        return self.model("whole"), self.checkpoint("whole")

    def wait_for_checkpoint(self, name, process, after=0):
        """A new one, written later than `after`. Returns when it was written."""
        path = self.folder / name / "training" / "checkpoint.safetensors"
        while not path.exists() or path.stat().st_mtime_ns <= after:
            self.assertIsNone(process.poll(), "the run was over before it was disturbed: make it longer")
            time.sleep(0.01)
        return path.stat().st_mtime_ns

    def test_any_number_of_ranks_computes_the_same_and_repeats(self):
        alone = self.train_new("one")
        for name, count in (("two", "2"), ("four", "4")):
            output = self.train_new(name, "--ranks", count)
            self.assertEqual(len(output.splitlines()), len(alone.splitlines()), "only the first rank speaks")
            # Not the weights: some have no gradient but rounding, which AdamW makes a step of as of any other.
            pairs = list(zip(evaluations(alone), evaluations(output), strict=True))
            self.assertEqual(len(pairs), 10)
            for one, many in pairs:
                for number, other in zip(one, many, strict=True):
                    self.assertAlmostEqual(number, other, delta=1.5e-4)  # they are shown with four digits
        self.train_new("again", "--ranks", "2")
        self.assertEqual(self.model("two"), self.model("again"))
        self.assertEqual(self.checkpoint("two"), self.checkpoint("again"))

    def test_goes_on_after_a_signal_and_a_kill_to_the_same_bits(self):
        whole = self.undisturbed()
        words = ["--data", "data", "-o", "parts", "--steps", str(STEPS), *OPTIONS, "--ranks", "2", "--auto-resume"]
        written = 0
        for number in (signal.SIGUSR1, signal.SIGTERM):
            process = start(self.folder, words)
            written = self.wait_for_checkpoint("parts", process, written)
            process.send_signal(number)
            output, _ = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 130, output)
            self.assertIn("--resume parts", output)
            written = (self.folder / "parts/training/checkpoint.safetensors").stat().st_mtime_ns
        process = start(self.folder, words)
        self.wait_for_checkpoint("parts", process, written)
        victim = ranks_of(process)[1]
        os.kill(victim, signal.SIGKILL)
        output, _ = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 3, output)
        self.assertEqual(output.count("byteformer train: "), 1, output)
        self.assertIn(f"rank 1 (process {victim}) ended by signal 9", output)
        self.train(["--resume", "parts", "--no-progress"])  # as was said; it goes on with two
        self.assertEqual((self.model("parts"), self.checkpoint("parts")), whole)
        self.assertEqual(len(list((self.folder / "parts" / "training").glob("*.tmp-*"))), 0)
        self.train(words)  # it is done, which is no failure

    def test_a_rank_that_hangs_is_named_within_the_timeout(self):
        words = ["--data", "data", "-o", "hung", "--steps", "100000", *OPTIONS, "--ranks", "3"]
        words[words.index("--rank-timeout") + 1] = "4s"
        process = start(self.folder, words)
        self.wait_for_checkpoint("hung", process)
        victim = ranks_of(process)[2]
        os.kill(victim, signal.SIGSTOP)
        since = time.monotonic()
        output, _ = process.communicate(timeout=30)
        self.assertLess(time.monotonic() - since, 4 + 5 + 10)  # the launcher waits 5 s more before it kills what hangs
        self.assertEqual(process.returncode, 3, output)
        self.assertEqual(output.count("byteformer train: "), 1, output)
        self.assertRegex(output, rf"rank 2 \([^)]*, process {victim}\) has ended or not answered")

    def test_a_rank_that_pauses_is_waited_for(self):
        words = ["--data", "data", "-o", "paused", "--steps", "100000", *OPTIONS, "--ranks", "2"]
        process = start(self.folder, words)
        self.wait_for_checkpoint("paused", process)
        ranks = ranks_of(process)
        for i in range(20):  # the others look every 0.5 s whether one has failed; a sum may be there just then
            os.kill(ranks[i % 2], signal.SIGSTOP)
            time.sleep(0.5 + 0.0002 * i)
            os.kill(ranks[i % 2], signal.SIGCONT)
            time.sleep(0.1)
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, output)

    def start_apart(self, words, changes={}, environments=({}, {})):
        """Two ranks as a launcher starts them, the second with other words."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        processes = []
        for rank, extra in enumerate(environments):
            words = [*words]
            for old, new in changes.items() if rank == 1 else ():
                words[words.index(old) + 1] = new
            place = {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
            processes.append(start(self.folder, words, {**place, "LOCAL_WORLD_SIZE": "2", **extra}))
        return processes

    def ends_of(self, processes):
        """Output and status of each."""
        return [(p.communicate(timeout=60)[0], p.returncode) for p in processes]

    def ranks_apart(self, changes, environments=({}, {})):
        words = ["--data", "data", "-o", "apart", "--steps", "5", *OPTIONS]
        return self.ends_of(self.start_apart(words, changes, environments))

    def assert_refused(self, results, *parts):
        (first, status), (second, other_status) = results
        self.assertEqual(status, 2, first + second)
        self.assertEqual(other_status, 2, first + second)
        self.assertEqual((first + second).count("byteformer train: "), 1, first + second)
        for part in ("rank 0 (", "rank 1 (", *parts):
            self.assertIn(part, first)
        self.assertFalse((self.folder / "apart").exists())

    def test_ranks_that_differ_are_refused(self):
        self.assert_refused(self.ranks_apart({"--batch-size": "16"}), "--batch-size 8", "--batch-size 16")
        make_data(self.folder / "other", 59)
        self.assert_refused(self.ranks_apart({"--data": "other"}), "120 files in data", "118 files in other")
        kernels = self.ranks_apart({}, ({}, {"BYTEFORMER_KERNELS": "portable"}))
        self.assert_refused(kernels, "BYTEFORMER_KERNELS portable")

    def test_ranks_cannot_be_asked_for_twice(self):
        place = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
        words = ["--data", "data", "-o", "twice", *OPTIONS, "--ranks", "2"]
        self.assertIn("--ranks", self.train(words, status=2, environment=place))

    def test_who_cannot_meet_says_where(self):
        words = ["--data", "data", "-o", "nowhere", *OPTIONS]
        words[words.index("--rank-timeout") + 1] = "1s"
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            place = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
            taken_port = f"(?i)port {port}: .*address already in use"  # each LibTorch says it in its words
            self.assertRegex(self.train(words, status=3, environment=place), taken_port)
        self.assertIn("rank 1 of 2 has not come", self.train(words, status=3, environment=place))
        self.assertIn(f"port {port}", self.train(words, status=3, environment={**place, "RANK": "1"}))
        place["MASTER_ADDR"] = "no-such-host.invalid"
        self.assertIn("no-such-host.invalid", self.train(words, status=3, environment=place))

    def assert_disk_was_full(self, results):
        (first, status), (second, other_status) = results
        self.assertEqual((status, other_status), (3, 3), first + second)
        self.assertEqual((first + second).count("byteformer train: "), 1, first + second)
        self.assertRegex(first, r"byteformer train: disk.*: No space left on device\n$")
        self.assertNotIn("everything is saved", first)

    def test_a_full_disk_costs_what_came_after_the_last_checkpoint(self):
        whole = self.undisturbed()
        with full_disk(self.folder / "disk") as (fill, make_room):
            words = ["--data", "data", "-o", "disk/model", "--steps", str(STEPS), *OPTIONS, "--auto-resume"]
            fill()
            self.assert_disk_was_full(self.ends_of(self.start_apart(words)))
            make_room()
            for is_interrupted in (True, False):
                ranks = self.start_apart(words)
                self.wait_for_checkpoint("disk/model", ranks[0])
                fill()
                if is_interrupted:
                    ranks[1].send_signal(signal.SIGTERM)
                results = self.ends_of(ranks)
                self.assert_disk_was_full(results)
                self.assertIn("could not be saved", results[0][0])
                make_room()
            self.train([*words, "--ranks", "2"])
            self.assertEqual((self.model("disk/model"), self.checkpoint("disk/model")), whole)

    def test_automatic_resume_overwrites_nothing(self):
        (self.folder / "precious").mkdir()
        (self.folder / "precious" / "file").write_text("mine")
        self.assertIn("exists already", self.train_new("precious", "--auto-resume", status=3))
        (self.folder / "unborn" / "training").mkdir(parents=True)
        (self.folder / "unborn" / "training" / "plan.json.tmp-1-0").write_text("{")
        self.train_new("unborn", "--auto-resume", steps=2)

    def test_what_a_killed_run_was_writing_goes(self):
        (self.folder / "killed" / "training").mkdir(parents=True)
        (self.folder / "killed" / "training" / "plan.json.tmp-1-0").write_text("{")
        self.train_new("killed", steps=2)
        leftovers = [self.folder / "killed" / name for name in ("model.safetensors.tmp-1-0", "training/report.html.tmp-1-2")]
        for leftover in leftovers:
            leftover.write_text("x")
        self.train(["--resume", str(self.folder / "killed")])
        self.assertEqual([leftover for leftover in leftovers if leftover.exists()], [])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
