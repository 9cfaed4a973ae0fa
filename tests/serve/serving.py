"""A running server, and the answers of `byteformer classify` to compare with: what the tests of the server share."""
import gzip
import http.client
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = None  # set by the test program
SLOW = bool(os.environ.get("TSAN_OPTIONS") or os.environ.get("ASAN_OPTIONS"))


def model(name):
    return str(ROOT / "models" / name)


def example(name):
    return ROOT / "examples" / "data" / name


class Server:
    """A server on a port of its own, which ends with the block."""

    def __init__(self, *arguments, environment=None, prefix=(), **popen):
        self.host = "127.0.0.1"
        self.process = subprocess.Popen(
            [*prefix, PROGRAM, "serve", *(() if "--socket" in arguments else ("--port", "0")), *map(str, arguments)], stderr=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env={**os.environ, **(environment or {})}, **popen)
        self.lines = []
        self.port = None
        for line in self.process.stderr:
            self.lines.append(line)
            if "serving" in line:
                self.port = int(line.rsplit(":", 1)[1]) if "://" in line else None
                break
        else:
            raise AssertionError("the server did not start: " + "".join(self.lines))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def connect(self, timeout=60):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None):
        """(status, headers, body) of one request on a connection of its own."""
        connection = self.connect()
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        result = answer.status, answer.headers, answer.read()
        connection.close()
        return result

    def json(self, method, path, body=None, headers=None, status=200):
        got, _, text = self.ask(method, path, body, headers)
        assert got == status, (method, path, got, text[:300])
        return json.loads(text)

    def raw(self, request, half_close=False, timeout=20):
        """What comes back for these bytes until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as client:
            try:
                client.sendall(request)
                if half_close:
                    client.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass
            answer = b""
            try:
                while piece := client.recv(65536):
                    answer += piece
            except ConnectionResetError:
                pass
            return answer

    def metric(self, name):
        text = self.ask("GET", "/metrics")[2].decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def memory(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def stop(self):
        """Ends it as a service manager does; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=60)
        self.lines += err.splitlines()
        return self.process.returncode


def comes_true(condition, seconds=20):
    """Whether `condition` holds within the time: what a server does after an answer has no moment that clients know."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def classified(model_dir, *paths, options=()):
    """What `byteformer classify --jsonl --logits` says of files."""
    out = subprocess.run([PROGRAM, "classify", "--model", model_dir, "--jsonl", "--logits", *options, *map(str, paths)],
                         capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def bits(numbers):
    """Numbers as the float32 that they stand for."""
    return struct.pack(f"<{len(numbers)}f", *numbers)


def bytes_tensor(elements):
    return b"".join(struct.pack("<I", len(element)) + element for element in elements)


def binary_request(elements, **request):
    """Body and headers of a request by the binary tensor extension."""
    tensor = bytes_tensor(elements)
    head = json.dumps({"inputs": [{"name": "file", "datatype": "BYTES", "shape": [len(elements)],
                                   "parameters": {"binary_data_size": len(tensor)}}], **request}).encode()
    return head + tensor, {"Inference-Header-Content-Length": str(len(head))}


def json_request(elements, **request):
    import base64
    return json.dumps({"inputs": [{"name": "file", "datatype": "BYTES", "shape": [len(elements)],
                                   "parameters": {"content_type": "base64"},
                                   "data": [base64.b64encode(element).decode() for element in elements]}],
                       **request}).encode()


def multipart(files, boundary="b0undary"):
    body = b""
    for name, content in files:
        body += (f"--{boundary}\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n"
                 "Content-Type: application/octet-stream\r\n\r\n").encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def gzipped(content):
    return gzip.compress(content, 6)
