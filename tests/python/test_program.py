"""What is done by the program: models for obfuscated files, and training."""

import json
import os
import pathlib
import subprocess
import sys
import unittest
import unittest.mock

import byteformer
import support


class ProgramTest(support.Case):
    def test_python_dash_m(self):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        said = subprocess.check_output([sys.executable, "-m", "byteformer", "--version"], env=environment)
        self.assertEqual(said.decode().split(), ["byteformer", byteformer.__version__])

    @unittest.skipIf(os.environ.get("LD_PRELOAD"), "the program is behind a script here, and knows another folder")
    def test_the_model_that_the_command_takes(self):
        path = support.EXAMPLES / "frog.jpg"
        told = json.loads(support.command("classify", "--jsonl", path))
        with unittest.mock.patch.dict(os.environ):
            os.environ.pop("BYTEFORMER_MODEL", None)
            model = byteformer.Classifier(byteformer.default_model())
            self.assertEqual(model.classify(path).label, told["predictions"][0]["label"])
            os.environ["BYTEFORMER_MODEL"] = "elsewhere"
            self.assertEqual(byteformer.default_model(), pathlib.Path("elsewhere"))

    def test_rekey(self):
        key, keyed = support.scratch("my.key"), support.scratch("keyed")
        support.command("obfuscate", "keygen", "-o", key)
        self.assertEqual(byteformer.rekey(support.MODELS / "cifar10", key=key, output=keyed), keyed)
        plain = byteformer.Classifier(support.MODELS / "cifar10")
        data, table = byteformer.encode(support.EXAMPLES / "frog.jpg", like=plain), key.read_bytes()
        secret = data.translate(table)
        self.assertSame(byteformer.Classifier(keyed, as_is=True).classify(secret), plain.classify(data))
        with_key = byteformer.Classifier(keyed, keys=[key])
        self.assertSame(with_key.classify(support.EXAMPLES / "frog.jpg"), plain.classify(data))
        self.assertEqual(byteformer.encode(support.EXAMPLES / "frog.jpg", like=with_key), secret)
        with self.failure("invalid_argument", ValueError):
            byteformer.Classifier(keyed)
        os.symlink(support.MODELS / "cifar10", support.scratch("-m"))
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(support.scratch(""))
        self.assertTrue(byteformer.rekey("-m", key="my.key", output="-k", again=True).is_dir())
        with self.failure("already_exists", FileExistsError):
            byteformer.rekey(support.MODELS / "cifar10", key=key, output=keyed)
        for model, wrong in ((support.MODELS / "none", key), (support.MODELS / "cifar10", support.scratch("no.key"))):
            with self.failure("not_found", FileNotFoundError):
                byteformer.rekey(model, key=wrong, output=support.scratch("other"))
        with self.failure("program_failed", RuntimeError) as caught:
            byteformer.rekey(support.MODELS / "cifar10", key=support.EXAMPLES / "frog.jpg", output=support.scratch("other"))
        self.assertEqual(caught.exception.exit_status, 3)


def fake_programs(script):
    """A stand-in for the program and the trainer, of which only the first is started."""
    folder = support.scratch("fake-%d" % len(list(support.scratch("").iterdir())))
    folder.mkdir()
    for name in ("byteformer", "byteformer-train"):
        (folder / name).write_text("#!/bin/sh\n" + script)
        (folder / name).chmod(0o755)
    return unittest.mock.patch("byteformer._program.program", lambda: str(folder / "byteformer"))


STEP = '{"event": "step", "step": 10, "total_steps": 20, "epoch": 0.5, "loss": 0.25}'
END = '{"event": "end", "step": 20, "total_steps": 20, "epoch": 1, "top1": 0.75, "is_finished": true}'


class TrainTest(support.Case):
    def test_settings_become_options(self):
        seen = []
        with fake_programs(f"echo \"$@\" >&2; echo '{STEP}'; echo '{END}'; exit 0"):
            with unittest.mock.patch("sys.stderr") as stderr:
                model = byteformer.train("photos", "m", time="10m", batch_size=8, no_progress=True, preset=None)
            self.assertEqual(model, pathlib.Path("m"))
            words = stderr.write.call_args[0][0]
            self.assertEqual(words, "train --json --data=photos --output=m --time=10m --batch-size=8 --no-progress\n")
            byteformer.train(b"photos", "m", on_progress=seen.append)
        self.assertEqual(
            [(p.event, p.step, p.loss, p.top1) for p in seen], [("step", 10, 0.25, None), ("end", 20, None, 0.75)]
        )
        self.assertTrue(seen[1].details["is_finished"])

    def test_what_it_says_is_read_where_nobody_listens(self):
        with fake_programs(f"for i in $(seq 3000); do echo 'a line of what a trainer says' >&2; done; echo '{END}'"):
            with unittest.mock.patch("sys.stderr", None):
                self.assertEqual(byteformer.train("photos", "m"), pathlib.Path("m"))

    def test_an_exception_stops_it(self):
        for exception in (LookupError, KeyboardInterrupt):
            stopped = support.scratch("stopped-by-" + exception.__name__)
            script = f"""
                trap 'echo saved >"{stopped}"; exit 143' TERM
                while :; do echo '{STEP}'; sleep 0.01; done"""

            def stop(progress):
                raise exception

            with fake_programs(script), self.assertRaises(exception):
                byteformer.train("photos", "m", on_progress=stop)
            self.assertEqual(stopped.read_text(), "saved\n")

    def test_what_it_says_is_the_error(self):
        with fake_programs("echo 'byteformer train: photos: no such folder' >&2; exit 3"):
            with self.failure("program_failed", RuntimeError) as caught:
                byteformer.train("photos", "m", on_progress=print)
        self.assertEqual(caught.exception.message, "byteformer train: photos: no such folder")
        for options in ({"dry_run": True}, {"json": True}, {"help": True}):
            with self.failure("invalid_argument", ValueError):
                byteformer.train("photos", "m", **options)
        with self.failure("invalid_argument", ValueError):
            byteformer.train("photos")

    def test_what_no_program_can_be_given(self):
        with fake_programs("exit 0"):
            wrong = [{"data": "a\0"}, {"data": b"a\0"}, {"output": "m\0"}, {"preset": "nano\0"}, {"a\0": True}]
            for options in (*wrong, {"resume": "m\0"}, {"labels": pathlib.Path("a\0")}, {"preset": "\ud800"}):
                with self.subTest(options), self.failure("invalid_argument", ValueError):
                    byteformer.train(**{"data": "photos", "output": "m", **options})

    def test_without_a_trainer(self):
        with fake_programs("exit 1") as program:
            (pathlib.Path(program()).parent / "byteformer-train").unlink()
            with (
                unittest.mock.patch.dict(os.environ, PATH="/nowhere"),
                self.failure("unsupported", byteformer.TrainerMissing),
            ):
                byteformer.train("photos", "m")

    def test_a_model_from_folder_to_answer(self):
        try:
            byteformer._program._require_trainer()
        except byteformer.TrainerMissing as missing:
            self.skipTest(str(missing))
        data, model, seen = support.scratch("data"), support.scratch("trained"), []
        for label, first in (("digits", 48), ("letters", 97)):
            (data / label).mkdir(parents=True)
            for i in range(12):
                text = bytes(first + byte % 10 for byte in support.some_bytes(60 + i, i))
                (data / label / f"{i}.txt").write_bytes(text)
        settings = dict(steps=6, batch_size=4, hidden_size=16, heads=2, layers=2, threads=1)
        self.assertEqual(byteformer.train(data, model, on_progress=seen.append, **settings), model)
        self.assertEqual([seen[0].event, seen[-1].event, seen[-1].step, seen[-1].total_steps], ["step", "end", 6, 6])
        self.assertIn(byteformer.Classifier(model).classify(data / "digits" / "0.txt").label, ("digits", "letters"))
        self.assertEqual(json.loads((model / "config.json").read_text())["num_labels"], 2)
