"""Threads, processes made by fork and by spawn, and the end of the interpreter."""

import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import textwrap
import unittest

import byteformer
import support
from support import some_bytes

FILES = [some_bytes(50 + 11 * i, i) for i in range(40)]


def logits_of(file):
    """With the model that the process has: inherited, or loaded once."""
    return bytes(support.nano().classify(file).logits)


def logits_by(model, file):
    return bytes(model.classify(file).logits)


class ThreadTest(support.Case):
    def test_threads_share_a_model(self):
        expected = list(map(logits_of, FILES))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            self.assertEqual(list(pool.map(logits_of, FILES)), expected)
            batches = [
                pool.submit(lambda: [bytes(r.logits) for r in support.nano().classify_many(FILES)]) for _ in "abcd"
            ]
            for batch in batches:
                self.assertEqual(batch.result(), expected)


class ProcessTest(support.Case):
    def test_pools(self):
        expected = list(map(logits_of, FILES))  # the threads of this process have started
        for method in ("fork", "spawn"):
            context = multiprocessing.get_context(method)
            with self.subTest(method), concurrent.futures.ProcessPoolExecutor(2, context) as pool:
                self.assertEqual(list(pool.map(logits_of, FILES, chunksize=10)), expected)
                self.assertEqual(pool.submit(logits_by, support.nano(), FILES[0]).result(), expected[0])
                result = pool.submit(support.nano().classify, FILES[1]).result()
                self.assertEqual(bytes(result.logits), expected[1])

    def test_prefork(self):
        """As servers do: load, fork workers, and answer in all of them; then the parent goes on."""
        model = byteformer.Classifier(support.NANO, threads=2)
        expected = [bytes(answer.logits) for answer in model.classify_many(FILES)]
        children = []
        for _ in range(3):
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    found = [bytes(answer.logits) for answer in model.classify_many(FILES)]
                    status = 0 if found == expected else 2
                finally:
                    os._exit(status)
            children.append(child)
        self.assertEqual([bytes(answer.logits) for answer in model.classify_many(FILES)], expected)
        for child in children:
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)

    @unittest.skipUnless(support.have("torch"), "torch is not installed")
    def test_workers_of_a_data_loader(self):
        code = """
            import torch.utils.data, support

            class Files(torch.utils.data.Dataset):
                def __len__(self):
                    return 12
                def __getitem__(self, i):
                    result = support.nano().classify(support.some_bytes(100 + i))
                    return torch.frombuffer(result.logits, dtype=torch.float32)

            expected = torch.stack([Files()[i] for i in range(12)])
            found = torch.cat(list(torch.utils.data.DataLoader(Files(), batch_size=3, num_workers=2)))
            print(torch.equal(found, expected))
        """
        self.assertEqual(run(code), "True\n")


def run(code):
    """What a Python of its own prints, which must end well."""
    words = [sys.executable, "-c", textwrap.dedent(code)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"status {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


class ExitTest(support.Case):
    def test_while_threads_compute(self):
        code = """
            import support, threading
            model, busy = support.nano(), threading.Barrier(4)
            def work():
                busy.wait()
                for _ in model.classify_many(support.some_bytes(5000, i) for i in range(100_000)):
                    pass
            for _ in range(3):
                threading.Thread(target=work, daemon=True).start()
            busy.wait()
            next(model.classify_many([b"one"]))
            print("bye")
        """
        self.assertEqual(run(code), "bye\n")

    def test_with_an_open_stream_and_answers_that_were_not_taken(self):
        code = """
            import support
            stream = support.nano().stream()
            stream.feed(b"some")
            answers = support.nano().classify_many([b"one"] * 1000)
            next(answers)
            print("bye")
        """
        self.assertEqual(run(code), "bye\n")

    def test_importing_takes_neither_numpy_nor_torch(self):
        code = "import sys, byteformer; print(sorted({'numpy', 'torch', 'cffi', 'pycparser'} & set(sys.modules)))"
        self.assertEqual(run(code), "[]\n")
