"""Every snippet of docs/python.md, the examples in docstrings, and the annotations."""

import contextlib
import doctest
import importlib
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import byteformer
import support

PACKAGE = os.path.dirname(byteformer.__file__)


@contextlib.contextmanager
def workplace(name):
    """A folder with the models and examples of the repository, as the current one."""
    folder, before = support.scratch(name), os.getcwd()
    folder.mkdir()
    for shown in ("models", "examples", "README.md"):
        (folder / shown).symlink_to(support.SOURCE / shown)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def is_here(need):
    if need == "trainer":
        try:
            byteformer._program._require_trainer()
        except byteformer.TrainerMissing:
            return False
        return True
    return support.have(need)


class DocumentTest(unittest.TestCase):
    def test_the_page(self):
        page = (support.SOURCE / "docs" / "python.md").read_text()
        blocks = re.findall(r"(?:<!-- needs (?:the )?(\w+) -->\n)?```(\w+)\n(.*?)```", page, re.DOTALL)
        self.assertEqual({language for _, language, _ in blocks}, {"pycon"})
        names = {}
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        with workplace("page"):
            for i, (need, _, text) in enumerate(blocks):
                if "import numpy" in text:
                    need = "numpy"
                if need and not is_here(need):
                    continue
                test = doctest.DocTestParser().get_doctest(text, names, f"snippet {i + 1}", "docs/python.md", 0)
                runner.run(test, clear_globs=False)
                names.update(test.globs)
        self.assertEqual(runner.summarize(verbose=False).failed, 0)
        self.assertGreater(runner.tries, 20)

    def test_docstrings(self):
        with workplace("docstrings"):
            names = {"byteformer": byteformer, "model": byteformer.Classifier("models/cifar10")}
            num_tried = 0
            for name in ("_classifier", "_errors", "_explain", "_inputs", "_program"):
                module = importlib.import_module("byteformer." + name)
                failed, tried = doctest.testmod(module, extraglobs=names, optionflags=doctest.ELLIPSIS)
                self.assertEqual(failed, 0, name)
                num_tried += tried
        self.assertGreater(num_tried, 10)

    @unittest.skipUnless(shutil.which("mypy"), "mypy is not installed")
    def test_annotations(self):
        """Those of the package, and what they say to others; torch's own take minutes."""
        user = support.scratch("user.py")
        user.write_text(
            "import byteformer\n"
            "m = byteformer.Classifier('models/cifar10', threads=2)\n"
            "label: str = m.classify(b'bytes').label\n"
            "scores: memoryview = m.classify('path').scores\n"
            "codes: list[str] = [a.code for a in m.classify_many(['a', b'b']) if isinstance(a, byteformer.Error)]\n"
            "with m.stream() as s:\n    s.feed(b'x')\n    best: byteformer.Prediction = s.finish().top(1)[0]\n"
            "heat: memoryview = byteformer.explain(m, 'a').heat\n"
            "model = byteformer.train('data', 'm', time='10m', on_progress=lambda p: print(p.step))\n"
            "m.classify_many(3)  # wrong\n"
            "m.classify(3)  # wrong\n"
        )
        environment = {**os.environ, "MYPYPATH": os.path.dirname(PACKAGE)}
        words = ["mypy", "--strict", "--no-error-summary", "--cache-dir", str(support.scratch("mypy"))]
        modules = sorted(str(path) for path in pathlib.Path(PACKAGE).glob("*.py") if path.name != "torch.py")
        done = subprocess.run([*words, *modules, str(user)], env=environment, stdout=subprocess.PIPE)
        lines = done.stdout.decode().splitlines()
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[0], r"user.py:11: error: .*classify_many.*int")
        self.assertRegex(lines[1], r"user.py:12: error: .*classify.*int")
