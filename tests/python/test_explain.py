"""Which bytes decided: the numbers of `byteformer explain`."""

import io
import json
import os
import pickle
import shutil
import struct
import unittest.mock

import byteformer
import support


def floats(numbers):
    return struct.pack(f"{len(numbers)}f", *numbers)


class ExplainTest(support.Case):
    def test_numbers_are_the_commands(self):
        path = support.EXAMPLES / "frog.jpg"
        folder = support.MODELS / "cifar10"
        model = byteformer.Classifier(folder, threads=2)
        told = json.loads(support.command("explain", "--model", folder, path, "--json", "--span", 384, "--step", 192))
        options = dict(span=384, step=192)
        for given in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
            found = byteformer.explain(model, given, **options)
            self.assertEqual((found.label, found.value), (told["label"], told["value"]))
            self.assertEqual(bytes(found.heat), floats(told["heat"]))
            self.assertEqual(found.windows, [(w["begin"], w["end"], w["fall"]) for w in told["windows"]])
        self.assertTrue(found.was_prepared)
        self.assertEqual(found.data, byteformer.encode(path, like=model))
        back = pickle.loads(pickle.dumps(found))
        self.assertEqual((back, bytes(back.heat)), (found, bytes(found.heat)))
        self.assertIn(found.label, repr(found))

    def test_a_class_of_ones_choice(self):
        model, data = support.nano(), support.some_bytes(300)
        by_name = byteformer.explain(model, data, label=model.labels[1], of="logit", span=16, fill=0)
        by_index = byteformer.explain(model, data, label=1, of="logit", span=16, fill=0)
        self.assertEqual(by_name, by_index)
        self.assertEqual(by_name.label, model.labels[1])
        self.assertAlmostEqual(by_name.value, model.classify(data).logits[1], 5)
        wrong = [dict(label="nobody"), dict(label=99), dict(of="odds"), dict(span=301), dict(span=-5), dict(span=8, step=9)]
        wrong += [dict(fill=300), dict(fill=1 << 40), dict(span=1 << 64)]
        for options in wrong:
            with self.subTest(options), self.failure("invalid_argument", ValueError):
                byteformer.explain(model, data, **options)

    def test_a_name_of_two_classes_is_no_choice(self):
        folder = support.scratch("two cranes")
        shutil.copytree(support.NANO, folder)
        text = (folder / "config.json").read_text()
        labels = support.nano().labels
        for label in labels[:2]:
            text = text.replace(json.dumps(label), '"crane"')
        (folder / "config.json").write_text(text)
        model, data = byteformer.Classifier(folder), support.some_bytes(300)
        self.assertEqual(model.labels, ("crane", "crane", *labels[2:]))
        with self.failure("invalid_argument", ValueError):
            byteformer.explain(model, data, label="crane")
        self.assertEqual(byteformer.explain(model, data, label=1).label, "crane")

    def test_files_that_say_they_are_empty_and_those_that_are(self):
        model, path, empty = support.nano(), "/proc/version", support.scratch("empty to explain")
        with open(path, "rb") as file:
            content = file.read()
        self.assertEqual(byteformer.explain(model, path), byteformer.explain(model, content))
        self.assertEqual(byteformer.encode(path, like=support.NANO), content)
        empty.write_bytes(b"")
        asked = (lambda file: byteformer.explain(model, file), lambda file: byteformer.encode(file, like=support.NANO))
        for ask in asked:
            with self.failure("empty_file", ValueError) as caught:
                ask(empty)
            self.assertEqual(caught.exception.subject, str(empty))
            with self.failure("empty_file", ValueError):
                ask(b"")

    def test_a_classifier_knows_what_it_reads_without_its_folder(self):
        path, folder = support.EXAMPLES / "frog.jpg", support.scratch("gone")
        expected = byteformer.encode(path, like=support.MODELS / "cifar10")
        shutil.copytree(support.MODELS / "cifar10", folder)
        models = byteformer.Classifier(folder, threads=1), byteformer.Classifier(folder, threads=1, as_is=True)
        shutil.rmtree(folder)
        for model in models:
            self.assertEqual(byteformer.encode(path, like=model), expected)
        shutil.copytree(support.MODELS / "mnist", folder)
        for model in models:
            self.assertEqual(byteformer.encode(path, like=model, keys=None), expected)

    def test_keys_of_a_classifier(self):
        path, key, keyed = support.EXAMPLES / "frog.jpg", support.scratch("key"), support.scratch("with a key")
        support.command("obfuscate", "keygen", "-o", key)
        byteformer.rekey(support.MODELS / "cifar10", key=key, output=keyed)
        secret = byteformer.encode(path, like=keyed, keys=[key])
        without = byteformer.Classifier(keyed, as_is=True, threads=1)
        for _ in range(2):
            with self.failure("invalid_argument", ValueError):
                byteformer.encode(path, like=without)
        self.assertEqual(byteformer.encode(path, like=without, keys=[key]), secret)
        reader, writer = os.pipe()  # which gives the key once
        os.write(writer, key.read_bytes())
        os.close(writer)
        self.addCleanup(os.close, reader)
        piped = byteformer.Classifier(keyed, keys=[f"/dev/fd/{reader}"], threads=1)
        self.assertSame(piped.classify(path), without.classify(secret))
        with self.failure("invalid_argument", ValueError):
            byteformer.encode(path, like=piped)
        self.assertEqual(byteformer.encode(path, like=piped, keys=[key]), secret)
        key.unlink()
        with self.failure("not_found", FileNotFoundError):
            byteformer.Classifier(keyed, keys=[key])

    def test_a_file_that_is_too_long_is_named(self):
        path = support.scratch("long")
        path.write_bytes(support.some_bytes(100_000))
        with self.failure("too_many_tokens", ValueError) as caught:
            byteformer.explain(byteformer.Classifier(support.MODELS / "mnist", as_is=True), path)
        self.assertEqual(caught.exception.subject, str(path))

    def test_endless_streams_are_refused(self):
        class Endless(io.RawIOBase):
            def read(self, size=-1):
                return bytes(size)

        asked = (byteformer.explain, lambda model, file: byteformer.encode(file, like=model))
        with unittest.mock.patch("byteformer._inputs._MOST_BYTES", 1 << 20):
            for ask in asked:
                with self.failure("unsupported", RuntimeError):
                    ask(support.nano(), Endless())

    def test_progress_and_its_exceptions(self):
        model, data, calls = support.nano(), support.some_bytes(2000), []
        byteformer.explain(model, data, on_progress=lambda done, total: calls.append((done, total)))
        self.assertGreater(len(calls), 0)
        for exception in (ZeroDivisionError, KeyboardInterrupt):

            def stop(done, total):
                raise exception

            with self.assertRaises(exception):
                byteformer.explain(model, data, on_progress=stop)
        byteformer.explain(model, data, span=500)
