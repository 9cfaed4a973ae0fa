#!/usr/bin/env python3
"""The server with the clients that people have: Triton's, curl, and Python's requests, urllib3 and aiohttp. What is not
installed is skipped, and said. Usage: clients_test.py PROGRAM [TEST...]; scripts/test_clients.sh installs them."""
import asyncio
import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import zlib

import protocol_schema as schema
import serving
from serving import Server, bits, classified, example, json_request, model

CIFAR, FILES = model("cifar10"), model("file-types")
NANO = str(serving.ROOT / "tests" / "data" / "untrained-nano")
PICTURES = [example("frog.jpg"), example("airplane.jpg")]


def needs(name):
    return unittest.skipUnless(importlib.util.find_spec(name.split(".")[0]), f"{name} is not installed")


def has_triton():
    try:
        import tritonclient.http  # noqa: F401
        return True
    except ImportError:
        return False


class WithServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("-m", CIFAR, "-m", f"cifar10@2={CIFAR}", "-m", FILES, "-m", NANO, "--model-control", "--no-log")
        cls.url = f"http://127.0.0.1:{cls.server.port}"
        cls.contents = [path.read_bytes() for path in PICTURES]
        cls.expected = classified(CIFAR, *PICTURES)
        cls.logits = b"".join(bits(answer["logits"]) for answer in cls.expected)
        cls.labels = [answer["predictions"][0]["label"] for answer in cls.expected]

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()


@unittest.skipUnless(has_triton(), "tritonclient[http] is not installed")
class Triton(WithServer):
    def setUp(self):
        import tritonclient.http
        self.http = tritonclient.http
        self.client = tritonclient.http.InferenceServerClient(self.url.removeprefix("http://"), concurrency=4)
        self.addCleanup(self.client.close)

    def input(self, contents, binary=True, shape=None):
        import numpy
        tensor = self.http.InferInput("file", shape or [len(contents)], "BYTES")
        tensor.set_data_from_numpy(numpy.array(contents, dtype=object).reshape(shape or [-1]), binary_data=binary)
        return tensor

    def output(self, name, **options):
        return self.http.InferRequestedOutput(name, **options)

    def test_health(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("cifar10"))
        self.assertTrue(self.client.is_model_ready("cifar10", "2"))
        self.assertFalse(self.client.is_model_ready("none"))
        self.assertFalse(self.client.is_model_ready("cifar10", "3"))

    def test_metadata(self):
        server = self.client.get_server_metadata()
        schema.check(server, schema.SERVER)
        for extension in ("binary_tensor_data", "classification", "model_repository", "statistics"):
            self.assertIn(extension, server["extensions"])
        metadata = self.client.get_model_metadata("cifar10")
        schema.check(metadata, schema.MODEL)
        self.assertEqual(metadata["versions"], ["1", "2"])
        config = self.client.get_model_config("cifar10", "1")
        self.assertEqual([tensor["name"] for tensor in config["output"]], ["logits", "scores", "label", "features"])

    def test_binary(self):
        result = self.client.infer("cifar10", [self.input(self.contents)], request_id="mine")
        schema.check(result.get_response(), schema.INFER_ANSWER)
        self.assertEqual(result.get_response()["id"], "mine")
        self.assertEqual(result.as_numpy("logits").tobytes(), self.logits)
        self.assertEqual(result.as_numpy("logits").shape, (2, 10))
        self.assertEqual([label.decode() for label in result.as_numpy("label")], self.labels)
        self.assertEqual(result.as_numpy("scores").shape, (2, 10))

    def test_shapes(self):
        result = self.client.infer("cifar10", [self.input(self.contents, shape=[2, 1])], model_version="1")
        self.assertEqual(result.as_numpy("logits").tobytes(), self.logits)
        self.assertEqual(result.get_response()["model_version"], "1")

    def test_outputs_in_json(self):
        outputs = [self.output("logits", binary_data=False), self.output("label", binary_data=True)]
        result = self.client.infer("cifar10", [self.input(self.contents)], outputs=outputs)
        schema.check_tensors(result.get_response())
        self.assertEqual(result.as_numpy("logits").tobytes(), self.logits)
        self.assertEqual([label.decode() for label in result.as_numpy("label")], self.labels)

    def test_inputs_in_json(self):
        text = ["#include <stdio.h>\nint main(void) { return 0; }\n"]
        result = self.client.infer("file-types", [self.input(text, binary=False)],
                                   outputs=[self.output("logits", binary_data=False)])
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text[0])
            file.flush()
            self.assertEqual(result.as_numpy("logits").tobytes(), bits(classified(FILES, file.name)[0]["logits"]))

    def test_classification(self):
        result = self.client.infer("cifar10", [self.input(self.contents)], outputs=[self.output("scores", class_count=3)])
        rows = result.as_numpy("scores")
        self.assertEqual(rows.shape, (2, 3))
        for row, expected in zip(rows, self.expected):
            for entry, prediction in zip(row, expected["predictions"]):
                score, index, label = entry.decode().split(":")
                self.assertAlmostEqual(float(score), prediction["score"], delta=1e-6)
                self.assertEqual((int(index), label), (prediction["index"], prediction["label"]))

    def test_compression(self):
        for algorithm in ("gzip", "deflate"):
            result = self.client.infer("cifar10", [self.input(self.contents)], request_compression_algorithm=algorithm,
                                       response_compression_algorithm=algorithm)
            self.assertEqual(result.as_numpy("logits").tobytes(), self.logits, algorithm)

    def test_at_once(self):
        waiting = [self.client.async_infer("cifar10", [self.input(self.contents)]) for _ in range(20)]
        for request in waiting:
            self.assertEqual(request.get_result().as_numpy("logits").tobytes(), self.logits)

    def test_own_deadline_and_unknown_parameters(self):
        result = self.client.infer("cifar10", [self.input(self.contents)], timeout=60_000_000, priority=1, sequence_id=7,
                                   parameters={"colour": "green"}, query_params={"x": [1, 2]})
        self.assertEqual(result.as_numpy("logits").tobytes(), self.logits)

    def test_statistics(self):
        self.client.infer("cifar10", [self.input(self.contents)], model_version="1")
        everything = self.client.get_inference_statistics()
        schema.check(everything, schema.STATISTICS)
        self.assertEqual(len(everything["model_stats"]), 4)
        versions = self.client.get_inference_statistics("cifar10")
        schema.check(versions, schema.STATISTICS)
        self.assertEqual([entry["version"] for entry in versions["model_stats"]], ["1", "2"])
        one = self.client.get_inference_statistics("cifar10", "1")["model_stats"][0]
        self.assertGreaterEqual(one["inference_count"], 2)
        self.assertEqual(one["inference_count"], sum(entry["batch_size"] * entry["compute_infer"]["count"]
                                                     for entry in one["batch_stats"]))
        self.assertEqual(one["execution_count"], sum(entry["compute_infer"]["count"] for entry in one["batch_stats"]))
        for part in ("success", "queue", "compute_infer", "compute_input", "compute_output"):
            self.assertGreater(one["inference_stats"][part]["ns"], 0, part)

    def test_repository(self):
        schema.check(self.client.get_model_repository_index(), schema.INDEX)
        self.client.unload_model("untrained-nano")
        self.assertFalse(self.client.is_model_ready("untrained-nano"))
        self.assertTrue(self.client.is_server_ready())
        states = {entry["name"]: entry["state"] for entry in self.client.get_model_repository_index()}
        self.assertEqual(states["untrained-nano"], "UNAVAILABLE")
        self.client.load_model("untrained-nano")
        self.assertTrue(self.client.is_model_ready("untrained-nano"))

    def refused(self, status, action):
        from tritonclient.utils import InferenceServerException
        with self.assertRaises(InferenceServerException) as caught:
            action()
        self.assertEqual(caught.exception.status(), str(status), caught.exception)
        self.assertTrue(caught.exception.message())

    def test_errors(self):
        import numpy
        good = self.input(self.contents)
        self.refused(404, lambda: self.client.infer("none", [good]))
        self.refused(404, lambda: self.client.infer("cifar10", [good], model_version="9"))
        self.refused(404, lambda: self.client.get_model_metadata("none"))
        self.refused(404, lambda: self.client.load_model("none"))
        self.refused(400, lambda: self.client.infer("cifar10", [self.input([b"no picture"])]))
        self.refused(400, lambda: self.client.infer("cifar10", [good], outputs=[self.output("none")]))
        numbers = self.http.InferInput("file", [1], "FP32")
        numbers.set_data_from_numpy(numpy.zeros(1, numpy.float32))
        self.refused(400, lambda: self.client.infer("cifar10", [numbers]))
        self.refused(404, lambda: self.client.get_system_shared_memory_status())
        shared = self.http.InferRequestedOutput("logits")
        shared.set_shared_memory("region", 40)
        self.refused(400, lambda: self.client.infer("cifar10", [good], outputs=[shared]))
        self.refused(503, lambda: self.client.infer("cifar10", [good], timeout=1))


class Schemas(WithServer):
    """Requests and answers as JSON, against the protocol's own words."""

    def test_requests_and_answers(self):
        for request in (json_request(self.contents), json_request(self.contents, id="x", parameters={"timeout": 10**7},
                        outputs=[{"name": "logits"}, {"name": "scores", "parameters": {"classification": 2}}])):
            schema.check(json.loads(request), schema.INFER_REQUEST)
            answer = self.server.json("POST", "/v2/models/cifar10/infer", request)
            schema.check(answer, schema.INFER_ANSWER)
            schema.check_tensors(answer)

    def test_metadata_agrees_with_answers(self):
        metadata = self.server.json("GET", "/v2/models/cifar10")
        schema.check(metadata, schema.MODEL)
        answer = self.server.json("POST", "/v2/models/cifar10/infer", json_request(self.contents))
        described = {tensor["name"]: tensor for tensor in metadata["outputs"]}
        self.assertEqual([output["name"] for output in answer["outputs"]], list(described))
        for output in answer["outputs"]:
            said = described[output["name"]]
            self.assertEqual(output["datatype"], said["datatype"])
            self.assertEqual(len(output["shape"]), len(said["shape"]))
            self.assertTrue(all(b in (-1, a) for a, b in zip(output["shape"], said["shape"])))

    def test_errors(self):
        for method, path, body in (("GET", "/v2/models/none", None), ("POST", "/v2/models/cifar10/infer", b"{"),
                                   ("GET", "/v2/models/cifar10/versions/9", None), ("PATCH", "/v2", None)):
            status, headers, answer = self.server.ask(method, path, body)
            self.assertTrue(400 <= status < 500)
            self.assertEqual(headers["Content-Type"], "application/json")
            schema.check(json.loads(answer), schema.ERROR)

    def test_the_rest(self):
        schema.check(self.server.json("GET", "/v2"), schema.SERVER)
        schema.check(self.server.json("GET", "/v2/models/stats"), schema.STATISTICS)
        schema.check(self.server.json("POST", "/v2/repository/index", b'{"ready": true}'), schema.INDEX)

    def test_head_and_options(self):
        for path in ("/", "/v2", "/v2/health/ready", "/metrics"):
            status, headers, body = self.server.ask("HEAD", path)
            self.assertEqual((status, body), (200, b""))
            if path != "/metrics":  # which has changed since
                self.assertEqual(int(headers["Content-Length"]), len(self.server.ask("GET", path)[2]), path)
        status, headers, body = self.server.ask("OPTIONS", "/classify")
        self.assertEqual((status, headers["Allow"], body), (200, "POST, OPTIONS", b""))
        self.assertIsNone(headers["Access-Control-Allow-Origin"])
        self.assertEqual(self.server.ask("PUT", "/v2")[1]["Allow"], "GET, HEAD, OPTIONS")
        connection = self.server.connect()  # which goes on after an answer without a body
        for method in ("HEAD", "GET", "OPTIONS", "HEAD", "GET"):
            connection.request(method, "/v2")
            answer = connection.getresponse()
            answer.read()
            self.assertEqual(answer.status, 200)
        connection.close()


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class Curl(WithServer):
    def curl(self, *arguments):
        done = subprocess.run(["curl", "-sS", "-w", "\n%{http_code} %{http_version} %{num_connects}", *map(str, arguments)],
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        body, _, end = done.stdout.rpartition(b"\n")
        status, version, connects = end.decode().split()
        return int(status), version, int(connects), body

    def classified(self, *arguments):
        status, version, connects, body = self.curl(*arguments, f"{self.url}/classify?model=cifar10&logits=1")
        self.assertEqual(status, 200, body)
        return version, json.loads(body)

    def test_versions_of_http(self):
        for option in ("--http1.1", "--http2", "--http1.0", "--http0.9"):
            version, answer = self.classified(option, "--data-binary", f"@{PICTURES[0]}")
            self.assertIn(version, ("1.1", "1"), option)
            self.assertEqual(bits(answer["logits"]), self.logits[:40])

    def test_forms(self):
        _, answer = self.classified("-F", f"a=@{PICTURES[0]}", "-F", f"b=@{PICTURES[1]}")
        self.assertEqual(b"".join(bits(one["logits"]) for one in answer), self.logits)
        for options in (["-T", PICTURES[0], "-X", "POST"], ["-H", "Transfer-Encoding: chunked", "--data-binary", f"@{PICTURES[0]}"],
                        ["-H", "Expect: 100-continue", "--data-binary", f"@{PICTURES[0]}"]):
            self.assertEqual(bits(self.classified(*options)[1]["logits"]), self.logits[:40], options)

    def test_head(self):
        status, _, _, body = self.curl("-I", f"{self.url}/v2")
        self.assertEqual(status, 200)
        self.assertIn(b"Content-Length:", body)

    def test_connections_are_kept(self):
        done = subprocess.run(["curl", "-sS", "-o", os.devnull, "-w", "%{num_connects}"] +
                              [f"{self.url}/v2/health/live"] + ["-o", os.devnull, f"{self.url}/v2"] * 3,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stdout, "1000", done.stderr)


class PythonClients(WithServer):
    PATH = "/classify?model=cifar10&logits=1"

    def same(self, answer, i=0):
        self.assertEqual(bits(answer["logits"]), bits(self.expected[i]["logits"]))

    @needs("requests")
    def test_requests(self):
        import requests
        with requests.Session() as session:
            for _ in range(3):
                self.same(session.post(self.url + self.PATH, data=self.contents[0]).json())
            pieces = (self.contents[0][i:i + 1000] for i in range(0, len(self.contents[0]), 1000))
            self.same(session.post(self.url + self.PATH, data=pieces).json())
            self.same(session.post(self.url + self.PATH, data=gzip.compress(self.contents[0]),
                                   headers={"Content-Encoding": "gzip"}).json())
            self.same(session.post(self.url + self.PATH, data=zlib.compress(self.contents[0]),
                                   headers={"Content-Encoding": "deflate"}).json())
            files = [("files", (path.name, path.open("rb"))) for path in PICTURES]
            for i, answer in enumerate(session.post(self.url + self.PATH, files=files).json()):
                self.same(answer, i)
                self.assertEqual(answer["path"], PICTURES[i].name)
            for _, (_, file) in files:
                file.close()
            self.assertEqual(session.head(self.url + "/v2").status_code, 200)
            self.assertEqual(session.options(self.url + "/v2").headers["Allow"], "GET, HEAD, OPTIONS")
            self.assertEqual(session.post(self.url + "/classify?model=none", data=b"x").status_code, 404)
            self.assertEqual(session.get(self.url + "/v2").status_code, 200)
            lines = session.post(self.url + "/classify?model=file-types", data=b'{"text":"a"}\n' * 3, stream=True,
                                 headers={"Content-Type": "application/x-ndjson"})
            self.assertEqual(sum("predictions" in json.loads(line) for line in lines.iter_lines()), 3)

    @needs("urllib3")
    def test_urllib3_keeps_its_connection(self):
        import urllib3
        with urllib3.HTTPConnectionPool("127.0.0.1", self.server.port, maxsize=1) as pool:
            for _ in range(20):
                self.same(json.loads(pool.request("POST", self.PATH, body=self.contents[0]).data))
                self.assertEqual(pool.request("GET", "/none").status, 404)
                self.assertEqual(pool.request("HEAD", "/v2").status, 200)
            self.assertEqual(pool.num_connections, 1)

    @needs("aiohttp")
    def test_aiohttp(self):
        import aiohttp

        async def ask(session, i):
            async with session.post(self.url + self.PATH, data=self.contents[i % 2]) as answer:
                self.same(await answer.json(), i % 2)

        async def pieces():
            for i in range(0, len(self.contents[0]), 500):
                yield self.contents[0][i:i + 500]

        async def main():
            async with aiohttp.ClientSession() as session:
                await asyncio.gather(*(ask(session, i) for i in range(50)))
                async with session.post(self.url + self.PATH, data=pieces()) as answer:
                    self.same(await answer.json())
                form = aiohttp.FormData()
                for path in PICTURES:
                    form.add_field("file", path.read_bytes(), filename=path.name)
                async with session.post(self.url + self.PATH, data=form) as answer:
                    self.assertEqual(len(await answer.json()), 2)
        asyncio.run(main())


if __name__ == "__main__":
    serving.PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
