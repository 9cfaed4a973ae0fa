"""The same bits as the command's: every golden model, every model that ships, prepared files among them."""

import array
import io
import json

import byteformer
import support

SHIPPED = {
    "cifar10": ["frog.jpg", "airplane.jpg"],
    "photos": ["airplane.jpg", "frog.jpg"],
    "mnist": ["handwritten_3.png", "handwritten_7.png"],
    "spoken-digits": ["spoken_3.wav", "spoken_7.wav"],
    "speech-commands": ["command_left.wav", "command_yes.wav"],
    "digits-joint": ["spoken_7.wav", "handwritten_3.png"],
    "file-types": ["frog.jpg", "spoken_3.wav", "handwritten_3.png"],
}


class GoldenTest(support.Case):
    def test_logits_are_the_published_ones_and_the_commands(self):
        num_compared = 0
        for name in support.golden_names():
            folder, cases = support.golden_folder(name), support.golden_cases(name)
            for masking in ("released", "masked"):
                model = byteformer.Classifier(folder, masking=masking, threads=2)
                files = [file for file, case in cases if case[masking] is not None]
                told = support.answers(folder, "--masking", masking, *files)
                for answer, result, (_, case) in zip(
                    told, model.classify_many(files), (c for c in cases if c[1][masking] is not None)
                ):
                    with self.subTest(model=name, masking=masking, file=answer["path"]):
                        self.assertEqual(bytes(result.logits), answer["logits"])
                        self.assertEqual(bytes(result.features), answer["features"])
                        self.assertEqual((result.num_bytes, result.num_tokens), (answer["bytes"], answer["tokens"]))
                        largest = max(map(abs, case[masking]))
                        for found, published in zip(result.logits, case[masking]):
                            self.assertLess(abs(found - published), 2e-5 * largest)
                    num_compared += 1
        self.assertGreater(num_compared, 80)


class ShippedModelTest(support.Case):
    def test_every_way_to_give_a_file_has_the_commands_bits(self):
        self.assertEqual(sorted(SHIPPED), sorted(path.name for path in support.MODELS.iterdir()))
        for name, files in SHIPPED.items():
            model = byteformer.Classifier(support.MODELS / name, threads=2)
            paths = [support.EXAMPLES / file for file in files]
            told = support.answers(support.MODELS / name, *paths)
            for path, answer, batched in zip(paths, told, model.classify_many(paths)):
                with self.subTest(model=name, file=path.name):
                    data = path.read_bytes()
                    with model.stream() as stream:
                        for begin in range(0, len(data), 700):
                            stream.feed(data[begin : begin + 700])
                        streamed = stream.finish()
                    ways = {
                        "path": model.classify(path),
                        "str": model.classify(str(path)),
                        "bytes": model.classify(data),
                        "view": model.classify(memoryview(bytearray(data))),
                        "stream": model.classify(io.BytesIO(data)),
                        "fed": streamed,
                        "batch": batched,
                        "batch of bytes": next(model.classify_many([data])),
                    }
                    for way, result in ways.items():
                        with self.subTest(way=way):
                            self.assertEqual(bytes(result.logits), answer["logits"])
                            self.assertEqual(bytes(result.features), answer["features"])
                            self.assertEqual(result.was_prepared, answer.get("prepared", False))
                            self.assertEqual(result.label, answer["predictions"][0]["label"])
                            for found, said in zip(result.top(5), answer["predictions"]):
                                self.assertEqual((found.label, found.index), (said["label"], said["index"]))
                                self.assertAlmostEqual(found.score, said["score"], 7)

    def test_rows_are_the_commands(self):
        for name, files in SHIPPED.items():
            paths = [str(support.EXAMPLES / file) for file in files] + [str(support.SOURCE / "no-such-file")]
            options = ("--model", support.MODELS / name, "--jsonl")
            lines = support.command("classify", *options, *paths, status=1).splitlines()
            model = byteformer.Classifier(support.MODELS / name, threads=2)
            for path, line, answer in zip(paths, lines, model.classify_many(paths)):
                row, told = byteformer.row(path, answer), json.loads(line)
                for said in told.get("predictions", []):
                    for word in ("media_type", "group", "extensions", "aliases"):
                        said.pop(word, None)
                with self.subTest(model=name, file=path):
                    self.assertEqual(row, told)
            result = model.classify(paths[0])
            logits = byteformer.row("p", result, logits=True)["logits"]
            self.assertEqual(array.array("f", logits), array.array("f", result.logits))

    def test_what_is_encoded_is_what_the_model_reads(self):
        for name, files in SHIPPED.items():
            as_is = byteformer.Classifier(support.MODELS / name, as_is=True)
            model = byteformer.Classifier(support.MODELS / name)
            for file in files:
                path = support.EXAMPLES / file
                encoded = byteformer.encode(path, like=model)
                with self.subTest(model=name, file=file):
                    self.assertEqual(byteformer.encode(path.read_bytes(), like=support.MODELS / name), encoded)
                    self.assertSame(as_is.classify(encoded), model.classify(path))
                if name != "file-types":  # which reads parts of a file, and so takes nothing twice
                    self.assertSame(model.classify(encoded), model.classify(path))

    def test_a_png_gets_the_right_answer_or_none(self):
        model = byteformer.Classifier(support.MODELS / "mnist")
        self.assertEqual(model.classify(support.EXAMPLES / "handwritten_3.png").label, "3")
        self.assertEqual(model.classify(support.EXAMPLES / "handwritten_7.png").label, "7")
        for data in (b"no picture at all", (support.EXAMPLES / "handwritten_3.png").read_bytes()[:100]):
            with self.assertRaises(ValueError if data[0] == 0x89 else byteformer.Error):
                model.classify(data)

    def test_precisions_have_the_commands_bits(self):
        path = support.EXAMPLES / "frog.jpg"
        for precision in ("bfloat16", "int8"):
            try:
                model = byteformer.Classifier(support.MODELS / "cifar10", precision=precision)
            except byteformer.UnsupportedError:  # this processor is no faster in it
                continue
            (answer,) = support.answers(support.MODELS / "cifar10", "--precision", precision, path)
            self.assertEqual(bytes(model.classify(path).logits), answer["logits"])
            self.assertEqual(model.precision, precision)
