"""Which bytes decided: the numbers of `byteformer explain`."""

import io
import json
import pickle
import struct

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
        for options in wrong:
            with self.subTest(options), self.failure("invalid_argument", ValueError):
                byteformer.explain(model, data, **options)

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
