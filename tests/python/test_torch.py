"""The model as a torch module: the published numbers, the engine's numbers, and the trainer's steps."""

import json
import struct
import unittest

import byteformer
import support
from support import some_bytes

try:
    import torch
    import byteformer.torch
    from byteformer import _safetensors
except ImportError:
    raise unittest.SkipTest("torch is not installed")


def relative_error(found, expected):
    expected = torch.as_tensor(expected, dtype=torch.float64)
    return float((found.detach().double() - expected).abs().max() / expected.abs().max())


class AnswerTest(support.Case):
    def test_goldens(self):
        num_compared = 0
        for name in support.golden_names():
            published = torch.load(support.GOLDENS / name / "weights.pt")
            for masking in ("released", "masked"):
                model = byteformer.torch.load(support.golden_folder(name), masking=masking)
                self.assertEqual(
                    {key: value.shape for key, value in model.state_dict().items()},
                    {key: value.shape for key, value in published.items()},
                )
                cases = [
                    (file, case[masking]) for file, case in support.golden_cases(name) if case[masking] is not None
                ]
                with torch.no_grad():
                    together = model([file.read_bytes() for file, _ in cases])
                    for (file, expected), batched in zip(cases, together):
                        with self.subTest(model=name, masking=masking, file=file.name):
                            alone = model([file.read_bytes()])[0]
                            self.assertLess(relative_error(alone, expected), 2e-5)
                            self.assertLess(relative_error(batched, expected), 2e-5)
                            num_compared += 1
        self.assertGreater(num_compared, 80)

    def test_shipped_models_answer_as_the_engine(self):
        for folder in sorted(support.MODELS.iterdir()):
            engine = byteformer.Classifier(folder, as_is=True)
            model = byteformer.torch.load(folder)
            self.assertEqual(model.labels, list(engine.labels))
            files = [byteformer.encode(support.EXAMPLES / name, like=folder) for name in examples_of(folder.name)]
            with torch.no_grad():
                logits, features = model(files), model.features(files)
            for file, numbers, means in zip(files, logits, features):
                answer = engine.classify(file)
                self.assertLess(relative_error(numbers, answer.logits.tolist()), 2e-5)
                self.assertLess(relative_error(means, answer.features.tolist()), 2e-5)

    def test_sinusoids_go_on_beyond_what_is_stored(self):
        config = json.loads((support.NANO / "config.json").read_text())
        self.assertEqual(config["position_embedding_type"], "sinusoidal")
        data = some_bytes(5 * 4096)  # a token every four bytes
        model = byteformer.torch.load(support.NANO)
        self.assertGreater(model.num_tokens(len(data)), config["max_position_embeddings"])
        with torch.no_grad():
            self.assertLess(relative_error(model([data])[0], support.nano().classify(data).logits.tolist()), 2e-5)

    def test_files_that_it_takes(self):
        model = byteformer.torch.load(support.NANO)
        data = some_bytes(64)
        tensor = torch.tensor(list(data), dtype=torch.uint8)
        expected = model([data])
        for files in ([bytearray(data)], [memoryview(data)], [tensor], tensor[None]):
            self.assertTrue(torch.equal(model(files), expected))
        with self.failure("empty_file", ValueError):
            model([data, b""])
        with self.assertRaisesRegex(TypeError, "float32"):
            model([tensor.float()])
        with self.failure("too_many_tokens", ValueError):
            byteformer.torch.load(support.MODELS / "mnist")([some_bytes(100_000)])


def examples_of(model):
    from test_answers import SHIPPED

    return SHIPPED[model]


class FolderTest(support.Case):
    def test_what_is_saved_has_the_engines_bits(self):
        saved = support.scratch("saved")
        byteformer.torch.load(support.MODELS / "cifar10").save(saved)
        path = support.EXAMPLES / "frog.jpg"
        expected = byteformer.Classifier(support.MODELS / "cifar10").classify(path)
        self.assertSame(byteformer.Classifier(saved).classify(path), expected)
        self.assertEqual(saved.stat().st_mode & 0o777, (saved / "config.json").stat().st_mode & 0o777 | 0o111)
        with self.failure("already_exists", FileExistsError):
            byteformer.torch.load(saved).save(saved)

    def test_narrow_weights(self):
        data = some_bytes(500)
        for dtype in (torch.float16, torch.bfloat16):
            folder = support.scratch(str(dtype))
            model = byteformer.torch.load(support.NANO)
            model.to(dtype).save(folder)
            narrow = byteformer.torch.load(folder)
            self.assertEqual(narrow.classifier.weight.dtype, torch.float32)
            with torch.no_grad():
                logits = narrow([data])[0]
            self.assertLess(relative_error(logits, byteformer.Classifier(folder).classify(data).logits.tolist()), 2e-5)
            self.assertFalse(torch.equal(logits, byteformer.torch.load(support.NANO)([data])[0]))

    def test_a_model_from_nothing(self):
        config = json.loads((support.GOLDENS / "k8_w16" / "config.json").read_text())
        torch.manual_seed(0)
        model = byteformer.torch.ByteFormer(config)
        folder = support.scratch("from-nothing")
        model.save(folder)
        data = some_bytes(300)
        self.assertLess(
            relative_error(model([data])[0], byteformer.Classifier(folder).classify(data).logits.tolist()), 2e-5
        )

    def test_damage_is_named(self):
        weights = (support.NANO / "model.safetensors").read_bytes()
        (length,) = struct.unpack_from("<Q", weights)
        header = json.loads(weights[8 : 8 + length])
        damaged = [
            weights[:5],
            weights[:-4],
            weights + b"\0" * 4,
            struct.pack("<Q", 1 << 60) + weights[8:],
            b"\2" + b"\0" * 7 + b"[]",
        ]
        name = next(key for key in header if key != "__metadata__")
        for change in (
            {"shape": [-1]},
            {"data_offsets": [0, 1 << 50]},
            {"shape": [1]},
            {"dtype": "I64"},
            {"shape": "x"},
        ):
            text = json.dumps({**header, name: {**header[name], **change}}).encode()
            damaged.append(struct.pack("<Q", len(text)) + text + weights[8 + length :])
        for i, data in enumerate(damaged):
            folder = support.scratch(f"damaged-{i}")
            folder.mkdir()
            (folder / "config.json").write_bytes((support.NANO / "config.json").read_bytes())
            (folder / "model.safetensors").write_bytes(data)
            with self.subTest(i), self.assertRaises(byteformer.Error) as caught:
                byteformer.torch.load(folder)
            self.assertIn(caught.exception.code, ("invalid_format", "unsupported"))
        with self.failure("not_found", FileNotFoundError):
            byteformer.torch.load(support.scratch("nowhere"))
        other = support.scratch("other-labels")
        other.mkdir()
        config = json.loads((support.NANO / "config.json").read_text())
        (other / "config.json").write_text(json.dumps({**config, "hidden_size": 64}))
        (other / "model.safetensors").write_bytes(weights)
        with self.failure("invalid_model", ValueError):
            byteformer.torch.load(other)


class TrainingTest(support.Case):
    """The published gradients, and the losses and weights of ten steps, as the trainer's tests have them."""

    def cases(self):
        for name in support.golden_names():
            if (support.GOLDENS / name / "training.json").exists():
                for masking in ("released", "masked"):
                    yield name, masking, json.loads((support.GOLDENS / name / "training.json").read_text())

    def loss(self, model, name, training):
        files = [(support.GOLDENS / name / file).read_bytes() for file in training["inputs"]]
        targets = torch.tensor(training["targets"])
        return torch.nn.functional.cross_entropy(model(files), targets, label_smoothing=0.1)

    def test_gradients(self):
        for name, masking, training in self.cases():
            model = byteformer.torch.load(support.golden_folder(name), masking=masking)
            self.loss(model, name, training).backward()
            published = _safetensors.read(support.GOLDENS / name / f"gradients_{masking}.safetensors")
            self.assertEqual(set(published), {key for key, _ in model.named_parameters()})
            for key, parameter in model.named_parameters():
                wanted = torch.frombuffer(published[key].data, dtype=torch.float32).view(published[key].shape)
                error = float((parameter.grad - wanted).abs().max())
                self.assertLessEqual(error, 1e-4 * float(wanted.abs().max()) + 1e-9, (name, masking, key))

    def test_ten_steps(self):
        for name, masking, training in self.cases():
            model, expected = byteformer.torch.load(support.golden_folder(name), masking=masking), training[masking]
            groups = byteformer.torch.parameter_groups(model, training["optimizer"]["weight_decay"])
            optimizer = torch.optim.AdamW(groups, lr=training["optimizer"]["lr"])
            for published in expected["losses"]:
                optimizer.zero_grad()
                loss = self.loss(model, name, training)
                self.assertAlmostEqual(float(loss), published, delta=3e-4)
                loss.backward()
                optimizer.step()
            after = torch.tensor(expected["classifier_bias_after"])
            self.assertLess(float((model.classifier.bias - after).abs().max()), 1e-5)
            row = torch.tensor(expected["embedding_row_0_after"])
            self.assertLess(float((model.embeddings.weight[0] - row).abs().max()), 1e-4)
            self.assertEqual(float(model.embeddings.weight[256].abs().max()), 0)
