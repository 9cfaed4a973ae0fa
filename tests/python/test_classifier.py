"""Models, results and errors as Python sees them."""

import array
import copy
import gc
import io
import json
import mmap
import os
import pathlib
import pickle
import shutil
import signal
import threading
import time
import unittest
import unittest.mock

import byteformer
import support
from support import needs_numpy, some_bytes


class ResultTest(support.Case):
    def test_numbers_are_views_that_others_take(self):
        result = support.nano().classify(some_bytes(500))
        self.assertEqual((result.logits.format, result.features.format), ("f", "f"))
        self.assertEqual((len(result.logits), len(result.features)), (len(support.nano().labels), 32))
        self.assertEqual(array.array("f", result.logits).tolist(), result.logits.tolist())
        self.assertAlmostEqual(sum(result.scores), 1, 5)

    @needs_numpy
    def test_numpy_takes_them_without_a_copy(self):
        import numpy

        result = support.nano().classify(some_bytes(500))
        logits = numpy.asarray(result.logits)
        self.assertEqual(logits.dtype, numpy.float32)
        logits[0] = 7
        self.assertEqual(result.logits[0], 7)

    def test_ranking(self):
        result = support.nano().classify(some_bytes(500))
        ranked = result.top(1000)
        self.assertEqual(len(ranked), len(result.labels))
        self.assertEqual([p.score for p in ranked], sorted(result.scores, reverse=True))
        self.assertEqual(ranked[0], (result.label, result.score, ranked[0].index))
        self.assertEqual(result.top(0), [])
        self.assertEqual(result.top(2), ranked[:2])

    def test_what_is_too_little_for_an_answer(self):
        strange, usual = support.scratch("strange"), support.SOURCE / "README.md"
        strange.write_bytes(some_bytes(3000))
        model = byteformer.Classifier(support.MODELS / "file-types")
        told = support.answers(support.MODELS / "file-types", strange, usual)
        for result, answer in zip(model.classify_many([strange, usual]), told):
            self.assertEqual(result.label, answer["predictions"][0]["label"])
            self.assertEqual(result.is_unknown, result.label == "unknown")
            self.assertEqual(result.is_unknown, result.score < model.unknown_below)
            self.assertIn(result.top(1)[0].label, model.labels)
        self.assertEqual([answer["predictions"][0]["label"] == "unknown" for answer in told], [True, False])
        self.assertEqual(pickle.loads(pickle.dumps(model.classify(strange))).label, "unknown")

    def test_pickles_without_its_model(self):
        result = support.nano().classify(support.EXAMPLES / "frog.jpg")
        back = pickle.loads(pickle.dumps(result))
        self.assertSame(back, result)
        self.assertEqual(back.top(3), result.top(3))
        self.assertEqual((back.source, back.num_bytes, back.was_prepared), (result.source, result.num_bytes, False))
        self.assertEqual(repr(back), repr(result))

    def test_says_what_it_is(self):
        result = support.nano().classify(support.EXAMPLES / "frog.jpg")
        self.assertIn("frog.jpg", repr(result))
        self.assertIn(result.label, repr(result))
        self.assertIn("untrained-nano", repr(support.nano()))


class InputTest(support.Case):
    DATA = some_bytes(1000)

    def setUp(self):
        self.model = support.nano()
        self.expected = self.model.classify(self.DATA)

    def test_whatever_has_bytes_is_taken(self):
        path = support.scratch("data.bin")
        path.write_bytes(self.DATA)
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            for given in (bytearray(self.DATA), memoryview(self.DATA), array.array("B", self.DATA), mapped):
                with self.subTest(type(given)):
                    self.assertSame(self.model.classify(given), self.expected)
                    self.assertSame(next(self.model.classify_many([given])), self.expected)
        self.assertSame(self.model.classify(memoryview(bytearray(self.DATA)).toreadonly()), self.expected)

    @needs_numpy
    def test_numpy_arrays_of_bytes(self):
        import numpy

        data = numpy.frombuffer(self.DATA, numpy.uint8)
        self.assertSame(self.model.classify(data), self.expected)
        self.assertSame(self.model.classify(data.reshape(10, 100)), self.expected)
        for dtype in (numpy.float32, numpy.int8, numpy.uint16, bool):
            with self.subTest(dtype), self.assertRaisesRegex(TypeError, numpy.dtype(dtype).name + ".*uint8"):
                self.model.classify(data.astype(dtype))
        for gaps in (data[::2], data.reshape(10, 100).T):
            with self.assertRaisesRegex(ValueError, "not contiguous"):
                self.model.classify(gaps)
        with self.failure("empty_file", ValueError):
            self.model.classify(data[:0])

    def test_what_is_no_file_is_refused(self):
        for given in (3, None, ["a"], object()):
            with self.subTest(given), self.assertRaisesRegex(TypeError, type(given).__name__):
                self.model.classify(given)
        with self.assertRaisesRegex(TypeError, "format 'H'.*uint8"):
            self.model.classify(array.array("H", [1, 2]))
        with self.failure("invalid_argument", ValueError) as caught:
            self.model.classify(memoryview(self.DATA)[::2])
        self.assertIn("not contiguous", caught.exception.message)
        for empty in (b"", bytearray(), io.BytesIO()):
            with self.subTest(type(empty)), self.failure("empty_file", ValueError):
                self.model.classify(empty)

    def test_paths(self):
        for name in (b"caf\xe9", "grün".encode(), b" ", b"new\nline"):
            path = os.path.join(os.fsencode(support.scratch("")), name)
            with open(path, "wb") as file:
                file.write(self.DATA)
            result = self.model.classify(os.fsdecode(path))
            self.assertSame(result, self.expected)
            self.assertEqual(os.fsencode(result.source), path)
            missing = os.fsdecode(path) + ".missing"
            with self.failure("not_found", FileNotFoundError) as caught:
                self.model.classify(missing)
            self.assertEqual((caught.exception.subject, caught.exception.filename), (missing, missing))
            (answer,) = self.model.classify_many([missing])
            self.assertEqual((answer.code, answer.subject), ("not_found", missing))
        with self.failure("not_a_regular_file", OSError):
            self.model.classify(support.scratch(""))
        for nowhere in ("a\0b", "a\ud800", ""):
            with self.subTest(nowhere), self.failure("invalid_argument", ValueError):
                self.model.classify(nowhere)
        gaps = memoryview(self.DATA)[::2]
        answers = list(self.model.classify_many(["a\0b", self.DATA, "a\ud800", gaps, self.DATA]))
        self.assertEqual([getattr(a, "code", "") for a in answers], ["invalid_argument", "", *2 * ["invalid_argument"], ""])
        self.assertSame(answers[1], self.expected)
        self.assertSame(answers[4], self.expected)

    def test_files_that_say_they_are_empty(self):
        path = "/proc/version"
        expected = self.model.classify(pathlib.Path(path).read_bytes())
        result = self.model.classify(path)
        self.assertSame(result, expected)
        self.assertEqual(result.source, path)
        empty = support.scratch("empty")
        empty.write_bytes(b"")
        many = list(self.model.classify_many([path, str(empty)]))
        self.assertSame(many[0], expected)
        self.assertEqual((many[1].code, many[1].subject), ("empty_file", str(empty)))

    def test_what_may_be_a_secret_is_not_repeated(self):
        secret = bytes(range(256))
        with self.failure("invalid_argument", ValueError) as caught:
            byteformer.Classifier(support.MODELS / "cifar10", keys=[secret])
        self.assertNotIn("\\x01", caught.exception.message)
        with self.assertRaisesRegex(TypeError, "keys=\\[path\\]"):
            byteformer.Classifier(support.MODELS / "cifar10", keys="my.key")

    def test_a_model_is_found_again_from_elsewhere(self):
        here = os.getcwd()
        os.chdir(support.MODELS)
        try:
            for path in ("cifar10", b"cifar10", pathlib.Path("cifar10")):
                model = byteformer.Classifier(path, threads=1)
                self.assertEqual(model.path, "cifar10")
                os.chdir("/")
                self.assertEqual(pickle.loads(pickle.dumps(model)).labels, model.labels)
                self.assertEqual(len(byteformer.encode(support.EXAMPLES / "frog.jpg", like=model)), 32 * 32 * 3)
                os.chdir(support.MODELS)
        finally:
            os.chdir(here)

    def test_a_model_whose_files_are_overwritten(self):
        for name in ("mnist", "file-types"):
            folder = support.scratch("overwritten-" + name)
            shutil.copytree(support.MODELS / name, folder)
            model = byteformer.Classifier(folder, as_is=True)
            data = some_bytes(1000) if name == "file-types" else some_bytes(28 * 28 * 3)
            expected = model.classify(data)
            with open(folder / "model.safetensors", "r+b") as weights:
                weights.truncate(0)
            self.assertSame(model.classify(data), expected)

    def test_rows_are_those_of_the_command(self):
        model = byteformer.Classifier(support.MODELS / "cifar10")
        source = support.EXAMPLES / "frog.jpg"
        folder = support.scratch("rows")
        folder.mkdir()
        for name in (b"frog.jpg", b"fr\xffog.jpg", "größe.jpg".encode(), b"a\\xffb.jpg"):
            path = os.path.join(os.fsencode(folder), name)
            shutil.copyfile(source, path)
            told = json.loads(support.command("classify", "--model", support.MODELS / "cifar10", "--jsonl", os.fsdecode(path)))
            for given in (path, os.fsdecode(path), pathlib.Path(os.fsdecode(path))):
                row = json.loads(json.dumps(byteformer.row(given, model.classify(os.fsdecode(path)))))
                self.assertEqual(row, {key: told[key] for key in row})

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_a_forbidden_path(self):
        path = support.scratch("forbidden")
        path.write_bytes(b"x")
        path.chmod(0)
        with self.failure("permission_denied", PermissionError):
            self.model.classify(path)


class ShortReads(io.RawIOBase):
    """Hands out a few bytes at a time, and cannot seek."""

    def __init__(self, data):
        self.data, self.place = data, 0

    def read(self, size=-1):
        piece = self.data[self.place : self.place + min(size, 1 + self.place % 7)]
        self.place += len(piece)
        return piece


class StreamTest(support.Case):
    def test_short_reads_and_pipes(self):
        model, data = support.nano(), some_bytes(3000)
        expected = model.classify(data)
        self.assertSame(model.classify(ShortReads(data)), expected)
        reader, writer = os.pipe()
        with open(reader, "rb", buffering=0) as pipe:
            os.write(writer, data)
            os.close(writer)
            self.assertSame(model.classify(pipe), expected)
        with open(support.EXAMPLES / "frog.jpg", "rb") as file:
            self.assertEqual(model.classify(file).source, str(support.EXAMPLES / "frog.jpg"))

    def test_what_a_stream_raises_comes_through(self):
        class Broken(io.RawIOBase):
            def read(self, size=-1):
                raise TimeoutError("the network is gone")

        with self.assertRaisesRegex(TimeoutError, "network"):
            support.nano().classify(Broken())
        with self.assertRaisesRegex(TypeError, "binary mode"):
            support.nano().classify(io.StringIO("text"))

        class Waiting(io.RawIOBase):
            def read(self, size=-1):
                return None

        with self.failure("io", OSError):
            support.nano().classify(Waiting())

    def test_pieces(self):
        model, data = support.nano(), some_bytes(3000)
        expected = model.classify(data)
        with model.stream() as stream:
            for _ in range(2):  # it is ready for the next file
                stream.feed(data[:1])
                stream.feed(bytearray(data[1:1500]))
                stream.feed(b"")
                stream.feed(memoryview(data)[1500:])
                self.assertSame(stream.finish(), expected)
            with self.failure("empty_file", ValueError):
                stream.finish()
            with self.assertRaises(TypeError):
                stream.feed("text")
        for call in (stream.finish, lambda: stream.feed(b"x")):
            with self.assertRaisesRegex(ValueError, "closed"):
                call()
        stream.close()


    def test_a_stream_with_a_name_is_named(self):
        path = support.scratch("no picture")
        path.write_bytes(b"no picture")
        model = byteformer.Classifier(support.MODELS / "cifar10", threads=1)
        with open(path, "rb") as file, self.failure("unsupported", RuntimeError) as caught:
            model.classify(file)
        self.assertEqual(caught.exception.subject, str(path))
        self.assertTrue(caught.exception.message.startswith(f"{path}: is no picture"), caught.exception.message)

    def test_a_stream_has_one_owner(self):
        with support.nano().stream() as stream:
            for copies in (copy.copy, copy.deepcopy, pickle.dumps):
                with self.assertRaisesRegex(TypeError, "Stream"):
                    copies(stream)


class ManyTest(support.Case):
    def test_answers_are_lazy_and_in_order(self):
        model, taken = support.nano(), []

        def files():
            for i in range(2000):
                taken.append(i)
                yield some_bytes(10 + i % 50, i)

        answers = model.classify_many(files(), batch_size=100)
        self.assertEqual(taken, [])
        for i in range(500):
            self.assertSame(next(answers), model.classify(some_bytes(10 + i % 50, i)))
            self.assertLess(len(taken), i + 201)
        answers.close()

    def test_errors_are_values(self):
        model = support.nano()
        files = [b"some", b"", support.EXAMPLES / "frog.jpg", "missing", io.BytesIO(b"some"), io.BytesIO()]
        answers = list(model.classify_many(files))
        codes = [answer.code if isinstance(answer, byteformer.Error) else None for answer in answers]
        self.assertEqual(codes, [None, "empty_file", None, "not_found", None, "empty_file"])
        self.assertSame(answers[0], answers[4])
        self.assertEqual(answers[2].source, str(support.EXAMPLES / "frog.jpg"))

    def test_what_stops_it_comes_after_the_answers(self):
        def broken():
            yield from [b"one", b"two"]
            raise LookupError("no more")

        for files, error in ((broken(), LookupError), ([b"one", b"two", 3, b"four"], TypeError)):
            answers = support.nano().classify_many(files)
            self.assertEqual([next(answers).num_bytes, next(answers).num_bytes], [3, 3])
            with self.assertRaises(error):
                next(answers)
            self.assertEqual(list(answers), [])
        for one in ("path", b"bytes", pathlib.Path("path"), io.BytesIO(b"line\nline"), mmap.mmap(-1, 10)):
            with self.assertRaises(TypeError):
                support.nano().classify_many(one)
        with self.failure("invalid_argument", ValueError):
            support.nano().classify_many([], batch_size=0)
        self.assertEqual(list(support.nano().classify_many([])), [])

    def test_what_a_path_raises_is_no_end(self):
        class Broken(os.PathLike):
            def __fspath__(self):
                return next(iter(()))

        answers = support.nano().classify_many([b"one", Broken(), b"three"])
        self.assertEqual(next(answers).num_bytes, 3)
        with self.assertRaises(RuntimeError) as caught:  # as a generator says that it was no end of its own
            next(answers)
        self.assertIsInstance(caught.exception.__cause__, StopIteration)
        self.assertEqual(list(answers), [])

    def test_a_path_is_asked_once(self):
        class Moody(os.PathLike):
            paths = iter([str(support.EXAMPLES / "frog.jpg")])

            def __fspath__(self):
                return next(self.paths)

        answers = list(support.nano().classify_many([Moody(), b"two"]))
        self.assertEqual([answer.source for answer in answers], [str(support.EXAMPLES / "frog.jpg"), ""])

    def test_slow_files_are_not_waited_for(self):
        clock = [0.0]

        def slow():
            for i in range(3):
                yield b"file %d" % i
                clock[0] += 0.15
            raise AssertionError("asked for more than was wanted")

        with unittest.mock.patch("byteformer._batches.time.monotonic", lambda: clock[0]):
            answers = support.nano(2).classify_many(slow())
            self.assertEqual([next(answers).num_bytes for _ in range(3)], [6] * 3)

    def test_large_files_after_small_ones_make_small_batches(self):
        taken = []

        def files():
            for i in range(1100):
                taken.append(i)
                yield b"some" if i < 1000 else some_bytes(40_000)

        waiting = [len(taken) - i for i, _ in enumerate(support.nano(1).classify_many(files())) if i >= 1000]
        self.assertLess(max(waiting), 60)

    def test_ctrl_c(self):
        answers = support.nano(1).classify_many(some_bytes(20_000, i) for i in range(100_000))  # minutes
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # which background jobs do not have
        self.addCleanup(signal.signal, signal.SIGINT, handler)
        start = time.monotonic()
        with self.assertRaises(KeyboardInterrupt):
            next(answers)
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
            for _ in answers:
                pass
        self.assertLess(time.monotonic() - start, 5)


class ModelTest(support.Case):
    def test_a_model_outlives_its_folder(self):
        folder = support.scratch("short-lived")
        shutil.copytree(support.NANO, folder)
        model = byteformer.Classifier(folder)
        shutil.rmtree(folder)
        self.assertSame(model.classify(b"some bytes"), support.nano().classify(b"some bytes"))
        with self.failure("not_found", FileNotFoundError):
            byteformer.Classifier(folder)

    def test_options_that_make_no_sense(self):
        for options in ({"precision": "int4"}, {"masking": "wrong"}, {"threads": -1}, {"threads": 1025}):
            with self.subTest(options), self.failure("invalid_argument", ValueError):
                byteformer.Classifier(support.NANO, **options)
        for options in ({"precision": "int8\0"}, {"masking": "released\0"}):
            with self.subTest(options), self.failure("invalid_argument", ValueError) as caught:
                byteformer.Classifier(support.NANO, **options)
            self.assertIn(*options, caught.exception.message)
        for options in ({"precision": "int8\ud800"}, {"masking": "\ud800"}, {"masking": ""}):
            with self.subTest(options), self.failure("invalid_argument", ValueError):
                byteformer.Classifier(support.NANO, **options)
        wrong = {"precision": None}, {"precision": b"int8"}, {"masking": 3}, {"masking": 0}, {"masking": False}
        for options in (*wrong, {"threads": "2"}, {"keys": 3}):
            with self.subTest(options), self.assertRaisesRegex(TypeError, *options):
                byteformer.Classifier(support.NANO, **options)
        with self.failure("invalid_format", ValueError):
            folder = support.scratch("damaged")
            shutil.copytree(support.NANO, folder)
            (folder / "config.json").write_text("{")
            byteformer.Classifier(folder)

    def test_what_interrupts_a_load_leaves_nothing_open(self):
        def opened():
            return len(os.listdir("/proc/self/fd"))

        before = opened()
        with unittest.mock.patch("byteformer._classifier.check", side_effect=KeyboardInterrupt):
            for _ in range(5):
                with self.assertRaises(KeyboardInterrupt):
                    byteformer.Classifier(support.MODELS / "mnist", threads=1)
        gc.collect()
        self.assertEqual(opened(), before)

    def test_no_keys(self):
        model = byteformer.Classifier(support.NANO, threads=1, keys=None)
        self.assertSame(pickle.loads(pickle.dumps(model)).classify(b"some"), support.nano().classify(b"some"))

    def test_pickles_as_its_options(self):
        model = byteformer.Classifier(support.NANO, threads=1, masking="released")
        back = pickle.loads(pickle.dumps(model))
        self.assertIs(type(back), type(model))
        self.assertEqual((back.masking, back.threads, back.labels), ("released", 1, model.labels))
        self.assertSame(back.classify(b"some bytes"), model.classify(b"some bytes"))

    def test_too_long_a_file_is_named(self):
        model = byteformer.Classifier(support.MODELS / "mnist", as_is=True)
        with self.failure("too_many_tokens", ValueError):
            model.classify(some_bytes(100_000))
        with model.stream() as stream, self.failure("too_many_tokens", ValueError):
            stream.feed(some_bytes(100_000))


class ErrorTest(support.Case):
    def test_pickle_and_kinds(self):
        kinds = {
            "invalid_argument": ValueError, "not_found": FileNotFoundError, "permission_denied": PermissionError,
            "not_a_regular_file": OSError, "empty_file": ValueError, "too_many_tokens": ValueError,
            "file_changed": OSError, "io": OSError, "already_exists": FileExistsError, "invalid_format": ValueError,
            "invalid_model": ValueError, "unsupported": RuntimeError, "internal": RuntimeError,
            "not_prepared": ValueError, "out_of_memory": MemoryError,
        }  # fmt: skip
        for code, kind in kinds.items():
            error = byteformer.Error.of(code, "a: sentence", "a")
            with self.subTest(code):
                self.assertIsInstance(error, kind)
                back = pickle.loads(pickle.dumps(error))
                self.assertEqual(
                    (type(back), back.code, str(back), back.subject), (type(error), code, "a: sentence", "a")
                )
        self.assertIsInstance(byteformer.TrainerMissing("x"), RuntimeError)
        self.assertEqual(pickle.loads(pickle.dumps(byteformer.ProgramError("x", exit_status=2))).exit_status, 2)
