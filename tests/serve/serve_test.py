#!/usr/bin/env python3
"""The server from outside: the four forms of requests give the bits of `classify`, malformed requests and bad times cost
no one else anything. Needs Python's standard library only. Usage: serve_test.py PROGRAM [TEST...]"""
import base64
import concurrent.futures
import http.client
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

import serving
from serving import (Server, binary_request, bits, bytes_tensor, classified, comes_true, example, json_request, model,
                     multipart)

CIFAR, DIGITS, FILES = model("cifar10"), model("spoken-digits"), model("file-types")
NANO = str(serving.ROOT / "tests" / "data" / "untrained-nano")  # takes files of any length as they are
PICTURES = [example("frog.jpg"), example("airplane.jpg"), example("handwritten_3.png")]
INFER = "/v2/models/cifar10/infer"


def outputs_of(answer):
    return {output["name"]: output for output in answer["outputs"]}


def split_binary(headers, body):
    """The JSON of an answer with binary outputs, and the bytes of each output."""
    length = int(headers["Inference-Header-Content-Length"])
    answer, rest, tensors = json.loads(body[:length]), body[length:], {}
    for output in answer["outputs"]:
        if size := output.get("parameters", {}).get("binary_data_size"):
            tensors[output["name"]], rest = rest[:size], rest[size:]
    assert rest == b""
    return answer, tensors

IS_SANITIZED = "BYTEFORMER_IS_SANITIZED" in os.environ  # freed memory is kept then, to see who uses it


class SameBits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("-m", CIFAR, "-m", "sounds=" + DIGITS, "-m", FILES, "-m", NANO, "--no-log")
        cls.expected = classified(CIFAR, *PICTURES)
        cls.logits = b"".join(bits(answer["logits"]) for answer in cls.expected)
        cls.contents = [path.read_bytes() for path in PICTURES]

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def test_json(self):
        answer = self.server.json("POST", INFER, json_request(self.contents, id="7"))
        self.assertEqual((answer["model_name"], answer["model_version"], answer["id"]), ("cifar10", "1", "7"))
        outputs = outputs_of(answer)
        self.assertEqual(list(outputs), ["logits", "scores", "label", "features"])
        self.assertEqual(outputs["logits"]["shape"], [3, 10])
        self.assertEqual(bits(outputs["logits"]["data"]), self.logits)
        self.assertEqual(outputs["label"]["data"], [answer["predictions"][0]["label"] for answer in self.expected])

    def test_binary_tensors(self):
        body, headers = binary_request(self.contents, parameters={"binary_data_output": True},
                                       outputs=[{"name": "label", "parameters": {"binary_data": False}},
                                                {"name": "logits"}])
        status, headers, answer = self.server.ask("POST", INFER, body, headers)
        self.assertEqual((status, headers["Content-Type"]), (200, "application/octet-stream"))
        answer, tensors = split_binary(headers, answer)
        self.assertEqual(tensors, {"logits": self.logits})
        self.assertEqual(len(outputs_of(answer)["label"]["data"]), 3)

    def test_raw_binary(self):
        status, headers, body = self.server.ask("POST", INFER, self.contents[0],
                                                {"Inference-Header-Content-Length": "0"})
        self.assertEqual(status, 200)
        _, tensors = split_binary(headers, body)
        self.assertEqual(tensors["logits"], self.logits[:40])
        self.assertEqual(tensors["label"], bytes_tensor([b"frog"]))

    def test_classify(self):
        for path, content, expected in zip(PICTURES, self.contents, self.expected):
            answer = self.server.json("POST", f"/classify?model=cifar10&logits=1&name={path}", content)
            self.assertEqual(answer, expected)

    def test_classify_parts(self):
        body, headers = multipart([(str(path), path.read_bytes()) for path in PICTURES])
        self.assertEqual(self.server.json("POST", "/classify?model=cifar10&logits=1", body, headers), self.expected)

    def test_classify_lines(self):
        lines = "".join(json.dumps({"name": str(path), "base64": base64.b64encode(path.read_bytes()).decode()}) + "\n"
                        for path in PICTURES)
        status, headers, body = self.server.ask("POST", "/classify?model=cifar10&logits=1", lines,
                                                {"Content-Type": "application/x-ndjson"})
        self.assertEqual((status, headers["Content-Type"]), (200, "application/x-ndjson"))
        self.assertEqual([json.loads(line) for line in body.splitlines()], self.expected)

    def test_lines_are_answered_while_more_come(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as client:
            client.sendall(b"POST /classify?model=file-types HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                           b"Content-Type: application/x-ndjson\r\n\r\n")
            line = b'{"text":"hello"}\n'
            for number in range(3):
                client.sendall(b"%x\r\n%s\r\n" % (len(line), line))
                answer = b""
                while b'"predictions"' not in answer or not answer.endswith(b"\r\n"):
                    answer += client.recv(65536)
            client.sendall(b"0\r\n\r\n")
            self.assertTrue(client.recv(65536).endswith(b"0\r\n\r\n"))

    def test_classify_gzip(self):
        answer = self.server.json("POST", f"/classify?model=cifar10&logits=1&name={PICTURES[0]}",
                                  serving.gzipped(self.contents[0]), {"Content-Encoding": "gzip"})
        self.assertEqual(answer, self.expected[0])

    def test_sounds(self):
        path = example("spoken_7.wav")
        answer = self.server.json("POST", f"/classify?model=sounds&logits=1&name={path}", path.read_bytes())
        self.assertEqual(answer, classified(DIGITS, path)[0])

    def test_classification_extension(self):
        request = json_request(self.contents[:1], outputs=[{"name": "scores", "parameters": {"classification": 2}}])
        output = outputs_of(self.server.json("POST", INFER, request))["scores"]
        self.assertEqual((output["datatype"], output["shape"]), ("BYTES", [1, 2]))
        best = self.expected[0]["predictions"][0]
        self.assertEqual(output["data"][0], f"{best['score']:f}:{best['index']}:{best['label']}")

    def test_text_and_nested_data(self):
        text = "#include <stdio.h>\nint main(void) { return 0; }\n"
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            expected = bits(classified(FILES, file.name)[0]["logits"])
        for data in ([text], [[text]]):
            shape = [1, 1] if isinstance(data[0], list) else [1]
            answer = self.server.json("POST", "/v2/models/file-types/infer", json.dumps(
                {"inputs": [{"name": "file", "datatype": "BYTES", "shape": shape, "data": data}]}))
            self.assertEqual(bits(outputs_of(answer)["logits"]["data"]), expected)

    def test_many_clients_at_once(self):
        def ask(number):
            i = number % len(PICTURES)
            answer = self.server.json("POST", "/classify?model=cifar10&logits=1", self.contents[i])
            return bits(answer["logits"]) == bits(self.expected[i]["logits"])
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            self.assertTrue(all(pool.map(ask, range(200))))
        self.assertGreater(self.server.metric("nv_inference_count{model=\"cifar10\""),
                           self.server.metric("nv_inference_exec_count{model=\"cifar10\""))

    def test_large_files(self):
        size = (1 << 20) + 12345
        for name in ("untrained-nano", "file-types"):
            with tempfile.NamedTemporaryFile() as file:
                content = bytes(i * i % 251 for i in range(4096)) * (size // 4096 + 1)
                file.write(content[:size])
                file.flush()
                directory = NANO if name == "untrained-nano" else FILES
                expected = classified(directory, file.name)[0]
                path = f"/classify?logits=1&model={name}&name={file.name}"
                self.assertEqual(self.server.json("POST", path, content[:size]), expected)
                pieces = (content[i:min(i + 1000, size)] for i in range(0, size, 1000))
                self.assertEqual(self.server.json("POST", path, pieces), expected)

    def test_explains(self):
        answer = self.server.json("POST", "/classify?model=cifar10&explain=1&logits=1&name=frog.jpg", self.contents[0])
        self.assertEqual(bits(answer["logits"]), bits(self.expected[0]["logits"]))
        self.assertEqual(answer["explanation"]["label"], "frog")
        self.assertGreater(len(answer["explanation"]["heat"]), 100)
        self.assertTrue(any(answer["explanation"]["heat"]))
        self.assertEqual(answer["path"], "frog.jpg")
        picture = answer["explanation"]["picture"]
        self.assertEqual((picture["columns"], picture["rows"], len(picture["heat"])), (32, 32, 32 * 32))
        # Raw pixels: what is summed over the bytes is summed over the pixels.
        means = answer["explanation"]["heat"]
        self.assertAlmostEqual(sum(picture["heat"]), sum(means) * 32 * 32 * 3 / len(means), delta=1e-3 * sum(map(abs, means)))

    def test_explains_only_what_can_be_classified(self):
        for path, content in (("/classify?model=cifar10", self.contents[0][:500]), ("/classify?model=file-types", b"")):
            refused = self.server.json("POST", path, content, status=400)
            self.assertEqual(refused["status"], "error")
            self.assertEqual(self.server.json("POST", path + "&explain=1", content, status=400), refused)
        for body, headers in (multipart([("f", self.contents[0])]), ('{"text":"a"}', {"Content-Type": "application/x-ndjson"})):
            self.assertIn("one file", self.server.json("POST", "/classify?model=cifar10&explain=1", body, headers, 400)["error"])

    def test_empty_file(self):
        with tempfile.NamedTemporaryFile() as file:
            self.assertEqual(self.server.json("POST", f"/classify?model=file-types&name={file.name}", b"", status=400),
                             classified(FILES, file.name)[0])

    def test_as_it_is(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"any bytes " * 100)
            file.flush()
            expected = classified(CIFAR, file.name, options=["--as-is"])[0]
            answer = self.server.json("POST", f"/classify?model=cifar10&logits=1&as_is=1&name={file.name}",
                                      b"any bytes " * 100)
            self.assertEqual(answer, expected)


class Protocol(unittest.TestCase):
    def test_metadata(self):
        with Server("-m", CIFAR, "-m", f"cifar10@2={CIFAR}", "--no-log") as server:
            self.assertEqual(server.json("GET", "/v2")["name"], "byteformer")
            self.assertEqual(server.json("GET", "/v2/health/live"), {"live": True})
            self.assertEqual(server.json("GET", "/v2/health/ready"), {"ready": True})
            self.assertEqual(server.json("GET", "/v2/models/cifar10")["versions"], ["1", "2"])
            for version in ("", "/versions/1", "/versions/2"):
                self.assertEqual(server.json("GET", f"/v2/models/cifar10{version}/ready"),
                                 {"name": "cifar10", "ready": True})
                answer = server.json("POST", f"/v2/models/cifar10{version}/infer",
                                     json_request([PICTURES[0].read_bytes()]))
                self.assertEqual(answer["model_version"], version[-1:] or "2")
            stats = server.json("GET", "/v2/models/cifar10/versions/1/stats")["model_stats"][0]
            self.assertEqual((stats["inference_count"], stats["inference_stats"]["success"]["count"]), (1, 1))
            index = server.json("POST", "/v2/repository/index", "{}")
            self.assertEqual([(entry["version"], entry["state"]) for entry in index], [("1", "READY"), ("2", "READY")])
            server.json("GET", "/v2/models/cifar10/versions/3", status=404)
            server.json("POST", "/classify?version=1", PICTURES[0].read_bytes())
            server.json("POST", "/classify?version=3", PICTURES[0].read_bytes(), status=404)
            server.json("GET", "/v2/models/..%2f..%2fetc", status=404)
            server.json("POST", "/v2/repository/models/cifar10/unload", "{}", status=403)

    def test_model_control(self):
        with Server("-m", CIFAR, "-m", DIGITS, "--model-control", "--no-log") as server:
            server.json("POST", "/v2/repository/models/cifar10/unload", "{}")
            server.json("GET", "/v2/health/ready")
            server.json("GET", "/v2/models/cifar10/ready", status=400)
            server.json("POST", "/v2/repository/models/cifar10/load", "{}")
            server.json("GET", "/v2/models/cifar10/ready")
            server.json("POST", "/v2/repository/models/other/load", "{}", status=404)

    def test_a_model_that_could_not_be_loaded_comes_back(self):
        with tempfile.TemporaryDirectory() as folder:
            model, away = os.path.join(folder, "m"), os.path.join(folder, "away")
            shutil.copytree(NANO, model)
            with Server("-m", model, "--model-control", "--no-log") as server:
                server.json("POST", "/v2/repository/models/m/unload", "{}")
                os.rename(model, away)
                server.json("POST", "/v2/repository/models/m/load", "{}", status=400)
                self.assertEqual(server.json("GET", "/v2/health/ready", status=503), {"ready": False})
                os.rename(away, model)
                server.process.send_signal(signal.SIGHUP)
                self.assertTrue(comes_true(lambda: server.ask("GET", "/v2/health/ready")[0] == 200))

    def test_unknown_is_said_alike(self):
        with tempfile.TemporaryDirectory() as folder:
            model = os.path.join(folder, "m")
            shutil.copytree(NANO, model)
            with open(os.path.join(model, "config.json")) as file:
                config = json.load(file)
            with open(os.path.join(model, "config.json"), "w") as file:
                json.dump({**config, "unknown_below": 0.999}, file)
            with Server("-m", model, "--no-log") as server:
                classified = server.json("POST", "/classify?top_k=1", b"bytes")["predictions"][0]["label"]
                request = json_request([b"bytes"], outputs=[{"name": "label"}])
                inferred = server.json("POST", "/v2/models/m/infer", request)
                self.assertEqual(inferred["outputs"][0]["data"], [classified])
                self.assertEqual(classified, "unknown")

    def test_openapi_is_true(self):
        with Server("-m", CIFAR, "--model-control", "--no-log") as server:
            description = server.json("GET", "/openapi.json")
            self.assertTrue(description["openapi"].startswith("3."))
            for path, methods in description["paths"].items():
                for method, operation in methods.items():
                    address = path.replace("{model}", "cifar10").replace("{version}", "1")
                    body = PICTURES[0].read_bytes() if address == "/classify" else None
                    if address.endswith("/infer"):
                        body = json_request([PICTURES[0].read_bytes()])
                    status, headers, _ = server.ask(method.upper(), address, body)
                    self.assertIn(str(status), operation["responses"], (method, path))
                    content = operation["responses"][str(status)].get("content", {})
                    self.assertIn(headers["Content-Type"].split(";")[0], content, (method, path))
                    self.assertEqual(server.ask("PATCH", address)[0], 405)

    def test_page_is_strict(self):
        with Server("-m", CIFAR, "--no-log") as server:
            status, headers, body = server.ask("GET", "/")
            self.assertEqual(status, 200)
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            size = len(body) + sum(len(server.ask("GET", name)[2]) for name in ("/page.js", "/page.css"))
            self.assertLess(size, 60_000)
            self.assertNotIn(b"http://", body.replace(b"http://www.w3.org/", b""))
            self.assertNotIn(b"https://", body)

    def test_request_ids_and_log(self):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "log"
            with Server("-m", CIFAR, "--log", log) as server:
                trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
                headers = server.ask("GET", "/v2", headers={"X-Request-Id": "mine", "traceparent": trace})[1]
                self.assertEqual(headers["X-Request-Id"], "mine")
                self.assertNotEqual(server.ask("GET", "/v2", headers={"X-Request-Id": "a b"})[1]["X-Request-Id"], "a b")
                server.raw(b"nonsense\r\n\r\n")
                self.assertEqual(server.stop(), 0)
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            self.assertEqual(sorted(line["status"] for line in lines), [200, 200, 400])  # written after the answers
            self.assertIn(("mine", trace), [(line.get("id"), line.get("traceparent")) for line in lines])


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("-m", CIFAR, "-m", FILES, "-m", NANO, "--no-log", "--max-body", "1", "--max-files", "8",
                            "--header-timeout", "0.5", "--io-timeout", "0.5")

    @classmethod
    def tearDownClass(cls):
        healthy = cls.server.ask("GET", "/v2/health/live")[0]
        cls.server.__exit__()
        assert healthy == 200

    def infer(self, body, headers=None, status=400):
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        answer = self.server.json("POST", INFER, text, headers, status)
        self.assertIsInstance(answer["error"], str)
        self.assertNotIn(str(serving.ROOT), answer["error"])
        return answer["error"]

    def test_json(self):
        good = {"name": "file", "datatype": "BYTES", "shape": [1], "data": ["x"]}
        cases = ["", "{", "[]", "null", "1", "\"x\"", "{}", {"inputs": []}, {"inputs": {}}, {"inputs": [1]},
                 {"inputs": [good, good]}, {"inputs": [good], "id": 1}, {"inputs": [good], "parameters": []},
                 {"inputs": [good], "parameters": {"timeout": -1}}, {"inputs": [good], "outputs": [{}]},
                 {"inputs": [good], "outputs": [{"name": "x"}]},
                 {"inputs": [good], "outputs": [{"name": "logits"}, {"name": "logits"}]},
                 {"inputs": [good], "outputs": [{"name": "label", "parameters": {"classification": 1}}]},
                 {"inputs": [good], "outputs": [{"name": "logits", "parameters": {"binary_data": 1}}]},
                 "[" * 250_000, '{"inputs":' + "[" * 250_000, '{"inputs":[],"inputs":[]}', b'{"inputs":["\xff"]}']
        for change in ({"name": "x"}, {"name": None}, {"datatype": "FP32"}, {"datatype": "INT64"}, {"shape": []},
                       {"shape": [2]}, {"shape": [0]}, {"shape": [-1]}, {"shape": [1.5]}, {"shape": ["1"]},
                       {"shape": [1 << 63]}, {"shape": [1 << 40, 1 << 40]}, {"shape": [1, 0]}, {"shape": [1] * 9},
                       {"data": [1]}, {"data": "x"}, {"data": []}, {"data": ["x", "y"]}, {"data": [None]},
                       {"data": ["x"], "parameters": {"binary_data_size": 1}},
                       {"data": ["x"], "parameters": {"content_type": "hex"}},
                       {"data": ["eA="], "parameters": {"content_type": "base64"}},
                       {"data": ["e*=="], "parameters": {"content_type": "base64"}},
                       {"shape": [9], "data": ["x"] * 9}):
            cases.append({"inputs": [{**good, **change}]})
        for case in cases:
            with self.subTest(case=str(case)[:80]):
                self.infer(case)
        self.infer("[" * (2 << 20), status=413)
        self.infer({"inputs": [good]})  # well-formed, and no picture

    def test_binary(self):
        body, headers = binary_request([b"abc"])
        json_length = int(headers["Inference-Header-Content-Length"])
        for length in ("-1", "x", "1e3", "99999999999999999999", str(len(body) + 1), str(json_length - 1),
                       str(json_length + 1), str(len(body)), ""):
            with self.subTest(length=length):
                self.infer(body, {"Inference-Header-Content-Length": length})
        for tensor in (b"abc", b"\xff\xff\xff\xffabc", b"\x04\0\0\0abc", b"\x03\0\0\0abc\0", b""):
            head = json.dumps({"inputs": [{"name": "file", "datatype": "BYTES", "shape": [1],
                                           "parameters": {"binary_data_size": len(tensor)}}]}).encode()
            self.infer(head + tensor, {"Inference-Header-Content-Length": str(len(head))})
        self.infer(b"", {"Inference-Header-Content-Length": "0"})  # an empty file

    def test_addresses(self):
        for path, status in (("/x", 404), ("/v2/models/none", 404), ("/v2/models/%00", 400), ("/v2/models/%zz", 400),
                             ("/v2/models/../..", 404), ("/v2/models/cifar10/infer/x", 404), ("//", 404),
                             ("/classify?model=a&model=b", 405)):
            self.assertEqual(self.server.ask("GET", path)[0], status, path)
        for query in ("model=cifar10&model=cifar10", "top_k=0", "top_k=x", "logits=2", "model=", "model=..%2Fx", "top_k=99999999999999999999"):
            status = self.server.ask("POST", "/classify?" + ("" if "model" in query else "model=cifar10&") + query,
                                     PICTURES[0].read_bytes())[0]
            self.assertIn(status, (400, 404), query)
        self.assertEqual(self.server.ask("POST", "/classify", b"x")[0], 400)  # which of the models?

    def test_multipart(self):
        picture = PICTURES[0].read_bytes()
        form = {"Content-Type": "multipart/form-data; boundary=b"}
        for body in (b"", b"x", b"--b", b"--b--", b"--b\r\n", b"--b\r\nx\r\n--b--", b"--bx\r\n\r\n\r\n--b--",
                     b"--b\r\n\r\n" + picture, b"--b\r\nbroken\r\n\r\nx\r\n--b--"):
            self.assertEqual(self.server.ask("POST", "/classify?model=cifar10", body, form)[0], 400, body[:20])
        self.assertEqual(self.server.ask("POST", "/classify?model=cifar10", b"x",
                                         {"Content-Type": "multipart/form-data"})[0], 400)
        body, headers = multipart([("f", b"x")] * 9)
        self.assertEqual(self.server.ask("POST", "/classify?model=cifar10", body, headers)[0], 400)

    def test_http(self):
        crlf = b"\r\n\r\n"
        post = b"POST /classify?model=file-types HTTP/1.1\r\nHost: x\r\n"
        cases = {b"nonsense" + crlf: 400, b"GET / HTTP/9.9" + crlf: 400, b"\0" * 100 + crlf: 400,
                 b"GET /" + b"x" * 100_000 + b" HTTP/1.1" + crlf: 431,
                 b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000 + crlf: 431,
                 post + b"Content-Length: 5\r\nTransfer-Encoding: chunked" + crlf + b"0\r\n\r\n": 400,
                 post + b"Transfer-Encoding: chunked\r\nContent-Length: 5" + crlf + b"0\r\n\r\n": 400,
                 post + b"Content-Length: 5\r\nContent-Length: 6" + crlf + b"abcdef": 400,
                 post + b"Content-Length: -1" + crlf: 400, post + b"Content-Length: 99999999999999999999" + crlf: 400,
                 post + b"Transfer-Encoding: chunked" + crlf + b"zz\r\nabc": 400,
                 post + b"Transfer-Encoding: chunked" + crlf + b"ffffffffffffffffff\r\nabc": 400,
                 post + b"Content-Length: 99999999999999" + crlf + b"abc": 413}
        for request, status in cases.items():
            with self.subTest(request=request[:90]):
                answer = self.server.raw(request)
                self.assertEqual(answer.split(b" ", 2)[1:2], [b"%d" % status], answer[:200])
                self.assertIn(b'{"error"', answer)
        self.assertIn(b" 400 ", self.server.raw(post + b"Content-Length: 10" + crlf + b"abc", half_close=True))
        self.assertIn(b" 408 ", self.server.raw(post + b"Content-Length: 10" + crlf + b"abc"))
        self.assertIn(b" 408 ", self.server.raw(b"GET / HTTP/1.1\r\nHost"))

    def test_bodies_whose_end_is_unclear(self):
        smuggled = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"
        for version, fields, status in (
                ("1.1", "Transfer-Encoding: chunked, chunked", 400), ("1.1", "Transfer-Encoding: chunked, identity", 400),
                ("1.1", "Transfer-Encoding: identity", 400), ("1.1", "Transfer-Encoding: chunked, gzip", 400),
                ("1.1", "Transfer-Encoding: xchunked", 400), ("1.1", "Transfer-Encoding:", 400),
                ("1.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip", 400),
                ("1.1", "Transfer-Encoding: xchunked\r\nContent-Length: 5", 400),
                ("1.1", "Transfer-Encoding: gzip, chunked\r\nContent-Length: 5", 400),
                ("1.0", "Transfer-Encoding: chunked", 400), ("1.1", "Transfer-Encoding: gzip, chunked", 501),
                ("1.1", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", 501)):
            with self.subTest(version=version, fields=fields):
                head = f"POST /v2/repository/index HTTP/{version}\r\nHost: x\r\n{fields}\r\n\r\n".encode()
                answer = self.server.raw(head + smuggled)
                self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), answer)
                self.assertEqual(answer.count(b"HTTP/1.1 "), 1)
        chunked = b"Transfer-Encoding: Chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        self.assertIn(b" 200 ", self.server.raw(b"POST /classify?model=file-types HTTP/1.1\r\nHost: x\r\n" + chunked))

    def test_http_duties(self):
        live, close = b"/v2/health/live HTTP/1.1\r\n", b"Host: x\r\nConnection: close\r\n\r\n"
        for request, status in ((b"GET http://x:1" + live + close, 200), (b"OPTIONS * HTTP/1.1\r\n" + close, 200),
                                (b"GET " + live + b"\r\n", 400), (b"GET " + live + b"Host: y\r\n" + close, 400),
                                (b"\r\n\r\nGET " + live + close, 200), (b"GET /v2 HTTP/1.0\r\n\r\n", 200)):
            answer = self.server.raw(request)
            self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), (request, answer))
        self.assertIn(b"\r\nAllow: ", self.server.raw(b"OPTIONS * HTTP/1.1\r\n" + close))
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as client:  # nothing but an empty line
            client.sendall(b"\r\n")
            client.settimeout(1.5)  # three times what a head may take
            with self.assertRaises(TimeoutError):
                client.recv(4096)
            client.settimeout(20)
            client.sendall(b"GET " + live + close)
            self.assertIn(b" 200 ", client.recv(4096))

    def test_malformed_requests_have_ids(self):
        for request, status in ((b"nonsense\r\n\r\n", 400), (b"GET /" + b"x" * 100_000, 431), (b"GET / HTTP/1.1\r\nHost", 408)):
            answer = self.server.raw(request)
            self.assertIn(b" %d " % status, answer)
            self.assertIn(b"\r\nX-Request-Id: ", answer)
        mine = b"GET /v2 HTTP/1.1\r\nX-Request-Id: mine\r\n\r\n"  # without a host
        self.assertIn(b"\r\nX-Request-Id: mine\r\n", self.server.raw(mine))

    def answer_to_drips(self, client, seconds):
        """What comes back while a byte goes out every tenth of a second."""
        client.settimeout(0.1)
        begin, answer = time.monotonic(), b""
        while not answer and time.monotonic() - begin < seconds:
            try:
                client.sendall(b"x")
                answer = client.recv(4096)
            except TimeoutError:
                pass
        return answer

    def test_much_at_once_does_not_pay_for_single_bytes(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as client:
            client.sendall(b"POST /classify?model=cifar10 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + bytes(900_000))
            self.assertIn(b" 408 ", self.answer_to_drips(client, 15))

    def test_slow_senders(self):
        for start in (b"GET / HTTP/1.1\r\nA: ", b"POST /classify?model=file-types HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as client:
                client.sendall(start)
                self.assertIn(b" 408 ", self.answer_to_drips(client, 10))

    def test_expect_continue(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as client:
            client.sendall(b"POST /classify?model=file-types HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                           b"Content-Length: 5\r\n\r\n")
            self.assertEqual(client.recv(4096), b"HTTP/1.1 100 Continue\r\n\r\n")
            client.sendall(b"hello")
            self.assertIn(b"200 OK", client.recv(65536))
        refused = self.server.raw(b"POST /classify?model=none HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                                  b"Content-Length: 5\r\n\r\n")
        self.assertTrue(refused.startswith(b"HTTP/1.1 404"))
        too_long = self.server.raw(b"POST /classify?model=cifar10 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                                   b"Content-Length: 2000000\r\n\r\n")
        self.assertTrue(too_long.startswith(b"HTTP/1.1 413"))
        old = self.server.raw(b"POST /classify?model=file-types HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")
        self.assertTrue(old.startswith(b"HTTP/1.1 200"))

    def test_bodies_of_one_byte_chunks(self):
        chunks = b"1\r\nx\r\n" * 100_000
        request = (b"POST /classify?model=untrained-nano HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                   b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
        self.assertIn(b" 200 ", self.server.raw(request, timeout=120))
        before = self.server.memory()
        for _ in range(3):
            self.assertIn(b'"bytes":100000', self.server.raw(request, timeout=120))
        if not serving.SLOW:
            if not IS_SANITIZED:
                self.assertLess(self.server.memory() - before, 1 << 20)

    def test_gzip(self):
        gzip = {"Content-Encoding": "gzip"}
        bomb = serving.gzipped(bytes(50_000_000))
        self.assertLess(len(bomb), 1 << 20)
        self.assertEqual(self.server.ask("POST", "/classify?model=cifar10", bomb, gzip)[0], 413)
        self.assertEqual(self.server.ask("POST", INFER, bomb, gzip)[0], 413)
        for body in (b"", b"x", bomb[:100], serving.gzipped(b"x") + b"more"):
            self.assertEqual(self.server.ask("POST", "/classify?model=file-types", body, gzip)[0], 400)
        self.assertEqual(self.server.ask("POST", "/classify?model=file-types", b"x", {"Content-Encoding": "br"})[0], 415)
        self.server.json("POST", "/v2/repository/index", serving.gzipped(b'{"ready": true}'), gzip)

    def test_empty_and_unsuitable_files(self):
        answer = self.server.json("POST", "/classify?model=file-types", b"", status=400)
        self.assertEqual(answer["error"]["code"], "empty_file")
        self.assertEqual(self.server.json("POST", "/classify?model=cifar10", b"no picture", status=400)["status"], "error")

    def test_lines(self):
        form = {"Content-Type": "application/x-ndjson"}
        for body in (b"x", b"[]", b'{"text":1}', b'{"text":"a","base64":""}', b'{"base64":"!"}', b"[" * 100_000):
            self.assertEqual(self.server.ask("POST", "/classify?model=file-types", body, form)[0], 400, body[:20])
        status, _, body = self.server.ask("POST", "/classify?model=file-types",
                                          b'{"text":"a"}\n' * 64 + b"broken\n", form)
        lines = [json.loads(line) for line in body.splitlines()]
        self.assertEqual((status, len(lines)), (200, 65))
        self.assertIn("error", lines[-1])
        body = self.server.ask("POST", "/classify?model=file-types", b'{"text":"a"}\n{"base64":"AAA"}', form)[2]
        self.assertIn("line 2: base64", json.loads(body.splitlines()[-1])["error"])
        self.assertEqual(self.server.ask("POST", "/classify?model=file-types", b"\n" * 1024, form)[0], 200)
        line = json.dumps({"name": "a" + "é" * 600, "text": "x"}).encode()
        path = json.loads(self.server.ask("POST", "/classify?model=file-types", line, form)[2])["path"]
        self.assertEqual(path, "a" + "é" * 511)


class BadTimes(unittest.TestCase):
    def test_clients_that_vanish(self):
        with Server("-m", CIFAR, "--no-log") as server:
            body = PICTURES[0].read_bytes()
            head = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
            for cut in (0, 10, len(head), len(head) + 100, len(head) + len(body)):
                for _ in range(20):
                    client = socket.create_connection(("127.0.0.1", server.port))
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.sendall((head + body)[:cut])
                    client.close()
            self.assertEqual(server.ask("POST", "/classify", body)[0], 200)
            deadline = time.monotonic() + 20
            while (number := server.metric("byteformer_connections")) > 1 and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertEqual(number, 1)

    def test_too_many_connections(self):
        with Server("-m", CIFAR, "--no-log", "--max-connections", 4) as server:
            clients = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(4)]
            for client in clients:
                client.sendall(b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertIn(b"200 OK", client.recv(4096))
            self.assertIn(b" 503 ", server.raw(b""))
            clients[0].close()
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and b" 200 " not in (
                    answer := server.raw(b"GET /v2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")):
                pass
            self.assertIn(b" 200 ", answer)

    @unittest.skipIf(IS_SANITIZED, "the sanitizer needs descriptors for its own checks and sees errors without them")
    def test_few_file_descriptors(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))  # of which the server holds seven
        with Server("-m", CIFAR, "--no-log", preexec_fn=limit) as server:
            clients = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(60)]
            for client in clients:
                client.close()

            def answers():
                try:
                    return server.ask("POST", "/classify", PICTURES[0].read_bytes())[0] == 200
                except ConnectionError:  # turned away while the server is not done with the others
                    return False

            self.assertTrue(comes_true(answers))

    def test_overload(self):
        with Server("-m", CIFAR, "--no-log", "--queue", 2, "--batch-size", 1) as server:
            expected = bits(classified(CIFAR, PICTURES[0])[0]["logits"])

            def ask(_):
                status, headers, body = server.ask("POST", "/classify?logits=1", PICTURES[0].read_bytes())
                return (status, headers["Retry-After"] if status == 503 else
                        bits(json.loads(body)["logits"]) == expected)
            with concurrent.futures.ThreadPoolExecutor(32) as pool:
                answers = list(pool.map(ask, range(300)))
            self.assertEqual(set(answers) - {(200, True), (503, "1")}, set())
            self.assertIn((200, True), answers)
            body, headers = multipart([("f", b"x")] * 3)  # more than can ever wait
            self.assertEqual(server.ask("POST", "/classify", body, headers)[0], 413)
            lines = server.ask("POST", "/classify", b'{"text":"x"}\n' * 20, {"Content-Type": "application/x-ndjson"})[2]
            self.assertEqual([json.loads(line)["status"] for line in lines.splitlines()], ["error"] * 20)  # no pictures

    def test_more_than_can_ever_be_held(self):
        with Server("-m", CIFAR, "--no-log", "--memory", 1) as server:
            self.assertEqual(server.ask("POST", "/classify", bytes(2 << 20))[0], 413)
            self.assertTrue(comes_true(lambda: server.ask("POST", "/classify", PICTURES[0].read_bytes())[0] == 200))

    @unittest.skipIf(IS_SANITIZED or serving.SLOW, "sanitizers take most of the time")
    def test_a_long_line_takes_no_longer_than_its_bytes(self):
        with Server("-m", FILES, "--no-log") as server:
            line = b'{"text":"' + b"a" * (16 << 20) + b'"}'
            self.assertEqual(server.ask("POST", "/classify", line, {"Content-Type": "application/x-ndjson"})[0], 200)
            user, system = map(int, pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])
            self.assertLess((user + system) / os.sysconf("SC_CLK_TCK"), 4)

    def test_refusals_reach_those_who_send_on(self):
        with Server("-m", NANO, "--no-log", "--max-stream", 1) as server:
            body = bytes(64 << 20)
            for path, status in (("/classify?model=none", 404), ("/classify", 413)):
                self.assertEqual(server.ask("POST", path, body)[0], status)

    def test_clients_own_deadline(self):
        with Server("-m", CIFAR, "--no-log", "--batch-size", 1) as server:
            body, headers = multipart([("f", PICTURES[0].read_bytes())] * 200)
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                slow = pool.submit(server.ask, "POST", "/classify", body, headers)
                while server.metric("byteformer_waiting_files") < 1 and not slow.done():
                    pass
                hasty = json_request([PICTURES[0].read_bytes()] * 8, parameters={"timeout": 1})
                server.json("POST", INFER, hasty, status=503)
                self.assertEqual(slow.result()[0], 200)

    def test_drain_answers_what_has_come(self):
        with Server("-m", CIFAR, "--no-log") as server:
            body = PICTURES[0].read_bytes()
            idle = socket.create_connection(("127.0.0.1", server.port), timeout=20)
            client = socket.create_connection(("127.0.0.1", server.port), timeout=20)
            client.sendall(b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:100])
            server.metric("byteformer_connections")
            while server.metric("byteformer_connections") < 3:
                time.sleep(0.01)
            server.process.send_signal(signal.SIGTERM)
            while True:  # nobody new is let in
                try:
                    socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
                except OSError:
                    break
            client.sendall(body[100:])
            answer = b""
            while piece := client.recv(65536):
                answer += piece
            self.assertIn(b"200 OK", answer)
            self.assertIn(b"Connection: close", answer)
            self.assertEqual(idle.recv(1), b"")
            self.assertEqual(server.process.wait(20), 0)

    def test_drain_under_load(self):
        with Server("-m", CIFAR, "--no-log") as server:
            outcomes = []

            def ask(_):
                connection = server.connect()
                try:
                    for _ in range(10_000):
                        try:
                            connection.request("POST", "/classify", PICTURES[0].read_bytes())
                        except OSError:
                            return  # not accepted
                        try:
                            outcomes.append(connection.getresponse().read()[:20])
                        except (ConnectionError, OSError):
                            outcomes.append("lost" if server.process.poll() is None and not draining else "refused")
                            return
                finally:
                    connection.close()
            draining = False
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                work = [pool.submit(ask, number) for number in range(8)]
                while len(outcomes) < 50:
                    time.sleep(0.01)
                draining = True
                self.assertEqual(server.stop(), 0)
                concurrent.futures.wait(work)
            self.assertNotIn("lost", outcomes)

    def test_reload_under_load(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, "m")
            shutil.copytree(CIFAR, copy)
            with Server("-m", copy, "--no-log") as server:
                expected = server.json("POST", "/classify?logits=1", PICTURES[0].read_bytes())["logits"]

                def ask(_):
                    return server.json("POST", "/classify?logits=1", PICTURES[0].read_bytes())["logits"] == expected
                with concurrent.futures.ThreadPoolExecutor(4) as pool:
                    work = [pool.submit(ask, number) for number in range(100)]
                    for _ in range(5):
                        server.process.send_signal(signal.SIGHUP)
                        self.assertIn("reloaded", server.process.stderr.readline())
                    self.assertTrue(all(result.result() for result in work))
                shutil.move(copy, copy + ".old")  # the folder goes, the model stays
                server.process.send_signal(signal.SIGHUP)
                self.assertIn("the old model goes on", server.process.stderr.readline())
                self.assertTrue(ask(0))

    def test_watch(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, "m")
            shutil.copytree(CIFAR, copy)
            with Server("-m", copy, "--no-log", "--watch") as server:
                config = json.loads(pathlib.Path(copy, "config.json").read_text())
                config["id2label"] = {number: label.upper() for number, label in config["id2label"].items()}
                pathlib.Path(copy, "config.json").write_text(json.dumps(config))
                self.assertIn("reloaded", server.process.stderr.readline())
                self.assertEqual(server.json("POST", "/classify?top_k=1",
                                             PICTURES[0].read_bytes())["predictions"][0]["label"], "FROG")

    def test_killed_and_started_again(self):
        with Server("-m", FILES, "--no-log") as server:
            os.kill(server.process.pid, signal.SIGKILL)
        start = time.monotonic()
        with Server("-m", FILES, "--no-log") as server:
            self.assertEqual(server.ask("GET", "/v2/health/ready")[0], 200)
            if not serving.SLOW:
                self.assertLess(time.monotonic() - start, 2)  # of which a loaded machine takes most

    def test_full_disk_for_the_log(self):
        with Server("-m", CIFAR, "--log", "/dev/full") as server:
            self.assertEqual(server.ask("GET", "/v2")[0], 200)
            self.assertTrue(comes_true(lambda: server.metric("byteformer_lost_log_lines_total") >= 1))


    def fill(self, server):
        """Asks until lines are lost, since nobody reads the log."""
        connection = server.connect(20)
        for number in range(2000):
            connection.request("GET", "/v2/health/live", headers={"X-Request-Id": "x" * 128})
            connection.getresponse().read()
            if number % 100 == 99 and server.metric("byteformer_lost_log_lines_total") >= 1:
                break
        else:
            self.fail("no line was lost")
        connection.close()
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(20), 0)

    def test_nobody_reads_the_log(self):
        with Server("-m", NANO) as server:  # on standard error, of which we have read the first line
            self.fill(server)
        with tempfile.TemporaryDirectory() as folder:
            fifo = os.path.join(folder, "log")
            os.mkfifo(fifo)
            with Server("-m", NANO, "--log", fifo) as server:
                self.fill(server)


class Operation(unittest.TestCase):
    def test_api_keys(self):
        with tempfile.NamedTemporaryFile("w") as keys:
            keys.write("\ufeffsecret-zero\n# of the team\n secret-one \r\nsecret-two\n")
            keys.flush()
            with Server("-m", CIFAR, "--no-log", "--api-key-file", keys.name) as server:
                self.assertEqual(server.ask("GET", "/v2/health/live")[0], 200)
                body = PICTURES[0].read_bytes()
                for headers, status in ((None, 401), ({"X-Api-Key": "secret"}, 401), ({"X-Api-Key": ""}, 401),
                                        ({"Authorization": "Bearer # of the team"}, 401),
                                        ({"Authorization": "Bearer secret-one"}, 200), ({"X-Api-Key": "secret-two"}, 200),
                                        ({"X-Api-Key": "secret-zero"}, 200)):
                    self.assertEqual(server.ask("POST", "/classify", body, headers)[0], status, headers)
                self.assertEqual(server.ask("GET", "/metrics")[0], 401)

    def test_api_keys_are_read_anew(self):
        with tempfile.NamedTemporaryFile("w") as keys:
            keys.write("old\n")
            keys.flush()
            with Server("-m", NANO, "--no-log", "--api-key-file", keys.name) as server:
                status = lambda key: server.ask("GET", "/metrics", headers={"X-Api-Key": key})[0]
                self.assertEqual((status("old"), status("new")), (200, 401))
                for text, expected, said in (("new\n", (401, 200), "reloaded"), ("", (401, 200), "the old one goes on")):
                    pathlib.Path(keys.name).write_text(text)
                    server.process.send_signal(signal.SIGHUP)
                    self.assertIn(said, server.process.stderr.readline())
                    self.assertEqual((status("old"), status("new")), expected)

    def test_pages_of_other_origins(self):
        page = "https://page.example"
        with Server("-m", NANO, "--no-log", "--allow-origin", page) as server:
            for origin, allowed in ((page, page), ("https://other.example", None)):
                for method, path, body in (("GET", "/v2", None), ("POST", "/classify", b"x"), ("POST", "/classify", b""),
                                           ("GET", "/none", None)):
                    headers = server.ask(method, path, body, {"Origin": origin})[1]
                    self.assertEqual(headers["Access-Control-Allow-Origin"], allowed, (origin, path))
                asked = server.ask("OPTIONS", "/v2/models/untrained-nano/infer", headers={
                    "Origin": origin, "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "content-type, inference-header-content-length"})
                self.assertEqual(asked[0], 200)
                self.assertEqual(asked[1]["Access-Control-Allow-Methods"], allowed and "POST, OPTIONS")
        with Server("-m", NANO, "--no-log") as server:
            self.assertIsNone(server.ask("GET", "/v2", headers={"Origin": page})[1]["Access-Control-Allow-Origin"])

    def test_options_that_make_no_sense(self):
        for options, said in ((("--allow-origin", "https://page.example/"), "--allow-origin must be"),
                              (("--allow-origin", "nonsense"), "--allow-origin must be"),
                              (("--log", "/dev/null", "--no-log"), "--log"), (("--socket", "s", "--port", "0"), "--port"),
                              (("--socket=", "--self-test"), "--socket must not be empty"),
                              (("-m", f"stats={CIFAR}"), "no model can be called stats")):
            failed = subprocess.run([serving.PROGRAM, "serve", "-m", CIFAR, *options], capture_output=True, text=True)
            self.assertIn(failed.returncode, (1, 2), options)
            self.assertIn(said, failed.stderr)

    def test_behind_a_proxy(self):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "log"

            def logged(field, value, *options):
                log.write_text("")
                with Server("-m", NANO, "--log", log, *options) as server:
                    server.ask("GET", "/v2", headers={field: value})
                    server.stop()
                return json.loads(log.read_text())["client"]
            self.assertEqual(logged("X-Forwarded-For", "192.0.2.1"), "127.0.0.1")
            trusting = "--trust-proxy", "x-forwarded-for"
            self.assertEqual(logged("X-Forwarded-For", "203.0.113.9, 192.0.2.1", *trusting), "192.0.2.1")
            self.assertEqual(logged("Forwarded", "for=192.0.2.1", *trusting), "127.0.0.1")
            self.assertEqual(logged("Forwarded", 'for="[2001:db8::1]:9"', "--trust-proxy", "forwarded"), "2001:db8::1")

    def test_requests_of_a_proxys_client(self):
        with Server("-m", NANO, "--no-log", "--trust-proxy", "x-forwarded-for", "--max-per-client", 1) as server:
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as busy:
                busy.sendall(b"POST /classify HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nExpect: 100-continue\r\n"
                             b"Content-Length: 5\r\n\r\n")
                self.assertIn(b"100 Continue", busy.recv(4096))  # so it has begun
                self.assertEqual(server.ask("GET", "/v2", headers={"X-Forwarded-For": "192.0.2.1"})[0], 503)
                self.assertEqual(server.ask("GET", "/v2", headers={"X-Forwarded-For": "192.0.2.2"})[0], 200)
                busy.sendall(b"hello")
                self.assertIn(b"200 OK", busy.recv(4096))
            self.assertTrue(comes_true(
                lambda: server.ask("GET", "/v2", headers={"X-Forwarded-For": "192.0.2.1"})[0] == 200))

    def test_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "s")
            for _ in range(2):  # the second finds what the first left
                with Server("-m", CIFAR, "--no-log", "--socket", path) as server:
                    with socket.socket(socket.AF_UNIX) as client:
                        client.connect(path)
                        client.sendall(b"GET /v2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                        self.assertIn(b"200 OK", client.recv(4096))
                    self.assertTrue(os.path.exists(path))
                    second = subprocess.run([serving.PROGRAM, "serve", "-m", CIFAR, "--socket", path], capture_output=True, text=True)
                    self.assertIn(path + ": cannot be listened on", second.stderr)

    def test_a_successors_socket_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "s")
            with Server("-m", NANO, "--no-log", "--socket", path) as first:
                os.unlink(path)
                with Server("-m", NANO, "--no-log", "--socket", path) as second:
                    first.stop()
                    with socket.socket(socket.AF_UNIX) as client:
                        client.connect(path)
                    second.stop()
                    self.assertFalse(os.path.exists(path))

    def test_passed_socket(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            port = listener.getsockname()[1]

            def pass_it():
                os.dup2(listener.fileno(), 3)
                os.set_inheritable(3, True)
            code = 'export LISTEN_PID=$$; exec "$0" "$@"'
            process = subprocess.Popen(["sh", "-c", code, serving.PROGRAM, "serve", "-m", CIFAR, "--no-log"],
                                       env={**os.environ, "LISTEN_FDS": "1"}, preexec_fn=pass_it, close_fds=False,
                                       stderr=subprocess.PIPE, text=True)
            try:
                self.assertIn(f":{port}", process.stderr.readline())
                with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
                    client.sendall(b"GET /v2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    self.assertIn(b"200 OK", client.recv(4096))
            finally:
                process.kill()
                process.communicate()

    def test_settings_from_elsewhere(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(f"model: [{CIFAR}]\nqueue: 5\ntimeout: 3s\nno-log: true\nport: 1\n")
            file.flush()
            run = lambda *more, **environment: subprocess.run(
                [serving.PROGRAM, "serve", *more], capture_output=True, text=True, env={**os.environ, **environment})
            shown = run("--config", file.name, "--queue", "7", "--print-config", BYTEFORMER_SERVE_PORT="2").stdout
            self.assertIn('queue: "7"  # command line', shown)
            self.assertIn('port: "2"  # BYTEFORMER_SERVE_PORT', shown)
            self.assertIn('timeout: "3s"  # ' + file.name, shown)
            self.assertIn(f'model: ["{CIFAR}"]', shown)
            self.assertIn("no-log: true", shown)
            with open(file.name + "2", "w") as again:
                again.write(shown)
            self.assertIn('queue: "7"', run("--config", again.name, "--print-config").stdout)
            tested = run("--config", again.name, "--self-test")  # what the file was printed by does not stand in it
            self.assertEqual((tested.returncode, tested.stdout), (0, ""), tested.stderr)
            with open(again.name, "w") as nested:
                nested.write("config: other.yaml\n")
            self.assertIn("--config belongs on the command line", run("--config", again.name).stderr)
            os.unlink(again.name)
            for environment in ({"BYTEFORMER_SERVE_PORT": "x"}, {"BYTEFORMER_SERVE_WATCH": "maybe"}):
                failed = run("-m", CIFAR, **environment)
                self.assertEqual(failed.returncode, 2)
                self.assertIn(next(iter(environment)), failed.stderr)
            file.write("nonsense: 1\n")
            file.flush()
            self.assertIn("nonsense", run("--config", file.name).stderr)

    def test_self_test(self):
        with tempfile.NamedTemporaryFile("w") as keys:
            keys.write("secret\n")
            keys.flush()
            for more in ([], ["--api-key-file", keys.name]):
                done = subprocess.run([serving.PROGRAM, "serve", "--self-test", "--no-log", "-m", CIFAR, "-m", FILES, *more],
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_obfuscated_files_only(self):
        with tempfile.TemporaryDirectory() as folder:
            key, keyed, secret = (os.path.join(folder, name) for name in ("k", "keyed", "secret"))
            run = lambda *arguments: subprocess.run([serving.PROGRAM, *arguments], check=True, capture_output=True)
            run("obfuscate", "keygen", "-o", key)
            run("obfuscate", "rekey", FILES, "--key", key, "-o", keyed)
            table = pathlib.Path(key).read_bytes()
            plain = example("frog.jpg").read_bytes()[:1000]
            with Server("-m", FILES, "-m", keyed, "--no-log") as server:
                expected = server.json("POST", "/classify?model=file-types&logits=1", plain)
                got = server.json("POST", "/classify?model=keyed&logits=1", plain.translate(table))
                self.assertEqual(bits(got["logits"]), bits(expected["logits"]))
                self.assertEqual(len(server.json("GET", "/v2/models/keyed")["parameters"]["key_fingerprint"]), 64)
            with Server("-m", keyed, "--key", key, "--no-log") as server:  # which obfuscates plain files itself
                self.assertEqual(bits(server.json("POST", "/classify?logits=1", plain)["logits"]), bits(expected["logits"]))
            run("obfuscate", "keygen", "-o", key, "--force")
            for reader in (keyed, CIFAR):  # plain files would be read as if they were obfuscated
                failed = subprocess.run([serving.PROGRAM, "serve", "--self-test", "-m", reader, "--key", key],
                                        capture_output=True, text=True)
                self.assertEqual(failed.returncode, 2)
                self.assertIn("is no key of any model here", failed.stderr)


def make_certificate(folder, name):
    """Paths of a certificate for localhost that signs itself, and of its key."""
    certificate, key = (os.path.join(folder, f"{name}.{kind}") for kind in ("crt", "key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                    "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
                    certificate], check=True, capture_output=True)
    return certificate, key


@unittest.skipUnless(shutil.which("openssl"), "there is no openssl program to make certificates with")
class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.certificate, cls.key = make_certificate(cls.folder.name, "first")
        cls.options = "--no-log", "--tls-certificate", cls.certificate, "--tls-key", cls.key
        probe = subprocess.run([serving.PROGRAM, "serve", "--self-test", "-m", NANO, *cls.options], capture_output=True, text=True)
        if "cannot load what encrypts" in probe.stderr:
            raise unittest.SkipTest("this build has no TLS")
        assert probe.returncode == 0, probe.stderr

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def connection(self, server, certificate=None, **options):
        context = ssl.create_default_context(cafile=certificate or self.certificate)
        for name, value in options.items():
            setattr(context, name, value)
        return http.client.HTTPSConnection("localhost", server.port, context=context, timeout=60)

    def ask_once(self, server, method, path, certificate=None, **options):
        connection = self.connection(server, certificate, **options)
        try:
            return self.ask(connection, method, path)
        finally:
            connection.close()

    def ask(self, connection, method, path, body=None):
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def test_answers_are_the_same(self):
        path = example("frog.jpg")
        with Server("-m", CIFAR, "-m", NANO, *self.options) as server:
            self.assertIn("https://", server.lines[-1])
            connection = self.connection(server)
            for _ in range(3):  # on one connection
                status, body = self.ask(connection, "POST", f"/classify?model=cifar10&logits=1&name={path}", path.read_bytes())
                self.assertEqual((status, json.loads(body)), (200, classified(CIFAR, path)[0]))
            large = os.urandom((1 << 20) + 70_001)
            with tempfile.NamedTemporaryFile() as file:
                file.write(large)
                file.flush()
                answer = json.loads(self.ask(connection, "POST", f"/classify?model=untrained-nano&logits=1&name={file.name}", large)[1])
                self.assertEqual(answer, classified(NANO, file.name)[0])
            status, body = self.ask(connection, "POST", "/classify?model=none", bytes(32 << 20))
            self.assertEqual((status, list(json.loads(body))), (404, ["error"]))  # although all of it was sent
            connection.close()
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answers = pool.map(lambda _: self.ask_once(server, "GET", "/v2/health/live")[0], range(50))
                self.assertEqual(set(answers), {200})
            self.assertEqual(server.stop(), 0)

    def test_versions(self):
        with Server("-m", NANO, *self.options) as server:
            context = ssl.create_default_context(cafile=self.certificate)
            context.set_alpn_protocols(["h2", "http/1.1"])
            with context.wrap_socket(socket.create_connection(("127.0.0.1", server.port)), server_hostname="localhost") as client:
                self.assertEqual((client.version(), client.selected_alpn_protocol()), ("TLSv1.3", "http/1.1"))
            self.assertEqual(self.ask_once(server, "GET", "/v2", maximum_version=ssl.TLSVersion.TLSv1_2)[0], 200)
            with self.assertRaises(OSError), warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                self.ask_once(server, "GET", "/v2", minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)

    def test_those_who_speak_otherwise(self):
        with Server("-m", NANO, *self.options, "--header-timeout", "0.5", "--max-connections", 8) as server:
            for text in (b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 100, b"\x16\x03\x01", b"\0" * 1000):
                self.assertNotIn(b"HTTP/1.1 200", server.raw(text))  # cut, the silent one after its time
            self.assertEqual(self.ask_once(server, "GET", "/v2")[0], 200)

    def test_certificate_is_read_anew(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = os.path.join(folder, "c"), os.path.join(folder, "k")
            place = lambda pair: (shutil.copy(pair[0], certificate), shutil.copy(pair[1], key))
            place((self.certificate, self.key))
            with Server("-m", NANO, "--no-log", "--tls-certificate", certificate, "--tls-key", key) as server:
                kept = self.connection(server)
                self.assertEqual(self.ask(kept, "GET", "/v2")[0], 200)
                second = make_certificate(folder, "second")
                place(second)
                server.process.send_signal(signal.SIGHUP)
                self.assertIn("reloaded", server.process.stderr.readline())
                self.assertEqual(self.ask_once(server, "GET", "/v2", second[0])[0], 200)
                with self.assertRaises(ssl.SSLCertVerificationError):
                    self.ask_once(server, "GET", "/v2")
                self.assertEqual(self.ask(kept, "GET", "/v2")[0], 200)  # which began before
                kept.close()
                shutil.copy(self.key, key)  # of another certificate
                server.process.send_signal(signal.SIGHUP)
                self.assertIn("the old one goes on", server.process.stderr.readline())
                self.assertEqual(self.ask_once(server, "GET", "/v2", second[0])[0], 200)

    def test_what_cannot_be_used(self):
        other = make_certificate(self.folder.name, "other")[1]
        secret = os.path.join(self.folder.name, "secret")
        subprocess.run(["openssl", "ec", "-in", self.key, "-out", secret, "-aes128", "-passout", "pass:x"], check=True, capture_output=True)
        for key, status in ((other, 3), (self.certificate, 3), ("/nonexistent", 3), (secret, 3), (None, 2)):
            arguments = [] if key is None else ["--tls-key", key]
            done = subprocess.run([serving.PROGRAM, "serve", "--port", "0", "-m", NANO, "--tls-certificate", self.certificate, *arguments],
                                  capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(key or "--tls-key", done.stderr)


if __name__ == "__main__":
    serving.PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
