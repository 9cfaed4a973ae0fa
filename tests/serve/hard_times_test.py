#!/usr/bin/env python3
"""The server in times that are too hard for each build: ten thousand connections, a gigabyte, a million chunks, kill -9, a
full disk, clocks that jump, a network that is cut and slowed. What needs root or a program that is not here is skipped, and
said. Minutes. Usage: hard_times_test.py PROGRAM [TEST...]"""
import contextlib
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import serving
from serving import Server, bits, classified, comes_true, example, model

CIFAR = model("cifar10")
NANO = str(serving.ROOT / "tests" / "data" / "untrained-nano")  # takes files of any length as they are
PICTURE = example("frog.jpg")
MIB = 1 << 20
IS_ROOT = os.geteuid() == 0
FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True)


def read_answer(client):
    """One answer with Content-Length from a socket: its head and body."""
    text = b""
    while b"\r\n\r\n" not in text:
        piece = client.recv(65536)
        if not piece:
            raise ConnectionError(f"closed after {text!r}")
        text += piece
    head, _, body = text.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += client.recv(65536)
    return head, body


def request(path, length, fields="", method="POST"):
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{fields}\r\n".encode()


class Much(unittest.TestCase):
    def test_ten_thousand_connections(self):
        number, needed = 10_000, 10_200
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < needed:
            self.skipTest(f"{hard} file descriptors at most, of which {needed} are needed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        expected = bits(classified(CIFAR, PICTURE)[0]["logits"])
        with Server("-m", CIFAR, "--no-log", "--max-connections", number + 1, "--max-per-client", number + 1,
                    "--idle-timeout", "600s") as server, contextlib.ExitStack() as stack:
            before = server.memory()
            clients = []
            for i in range(number):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
                client.sendall(request("/v2/health/live", 0, method="GET"))
                clients.append(client)
                if i % 100 == 99:
                    for waiting in clients[-100:]:
                        self.assertIn(b" 200 ", read_answer(waiting)[0])
            held = server.memory() - before
            answer = server.json("POST", "/classify?logits=1", PICTURE.read_bytes())
            self.assertEqual(bits(answer["logits"]), expected)
            extra = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            extra.sendall(request("/v2", 0, method="GET"))
            read_answer(extra)
            self.assertIn(b" 503 ", server.raw(b""))
            for client in clients[::500]:  # all of them go on
                client.sendall(request("/v2/health/live", 0, method="GET"))
                self.assertIn(b" 200 ", read_answer(client)[0])
            print(f"{number} connections hold {held / MIB:.0f} MiB, {held / number / 1024:.1f} KiB each")
            self.assertLess(held, number * 64 * 1024)
            for client in clients:
                client.close()
            self.assertTrue(comes_true(lambda: server.metric("byteformer_connections") <= 2))

    def upload(self, directory, num_bytes):
        """Sends a large file: its answer, and how much the server's memory grew beyond that of a small one."""
        with Server("-m", directory, "--no-log", "--timeout", "600s") as server:
            server.json("POST", "/classify", b"x" * 2 * MIB)
            before, most, stop = server.memory(), [0], threading.Event()

            def watch():
                while not stop.wait(0.02):
                    most[0] = max(most[0], server.memory())
            watcher = threading.Thread(target=watch)
            watcher.start()
            piece = bytes(range(256)) * 4096
            begin = time.monotonic()
            with socket.create_connection(("127.0.0.1", server.port), timeout=600) as client:
                client.sendall(request("/classify", num_bytes))
                for _ in range(num_bytes // MIB):
                    client.sendall(piece)
                sent = time.monotonic()
                _, body = read_answer(client)
            answered = time.monotonic()
            stop.set()
            watcher.join()
        grown = most[0] - before
        print(f"{num_bytes // MIB} MiB to {os.path.basename(directory)}: sent in {sent - begin:.1f} s, answered {1e3 * (answered - sent):.0f} "
              f"ms after the last byte; memory grew by {grown / MIB:.2f} MiB at most")
        self.assertLess(grown, 8 * MIB)  # of which the workspaces of another thread take half, whatever the length
        self.assertLess(answered - sent, 10)  # what lies in the sockets' buffers
        return json.loads(body)

    def test_a_gigabyte_of_which_a_few_places_are_read(self):
        self.assertEqual(self.upload(model("file-types"), 1024 * MIB)["bytes"], 1536)

    def test_a_long_file_that_is_read_whole(self):
        size = int(os.environ.get("BYTEFORMER_LONG_FILE_MIB", "64")) * MIB  # a gigabyte takes ten minutes
        self.assertEqual(self.upload(NANO, size)["bytes"], size)

    def test_a_million_chunks_of_a_byte(self):
        body = b"1\r\nx\r\n" * 1_000_000 + b"0\r\n\r\n"
        head = b"POST /classify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        with Server("-m", NANO, "--no-log") as server, \
                socket.create_connection(("127.0.0.1", server.port), timeout=120) as client:
            def ask():
                client.sendall(head)
                client.sendall(body)
                self.assertEqual(json.loads(read_answer(client)[1])["bytes"], 1_000_000)
            for _ in range(3):
                ask()
            before = server.memory()
            for _ in range(100):
                ask()
            grown = server.memory() - before
            print(f"100 requests of a million chunks: memory grew by {grown / 1024:.0f} KiB")
            self.assertLess(grown, MIB)

    @unittest.skipUnless(IS_ROOT, "needs root, to become a user with few threads")
    def test_no_threads_left(self):
        nobody = 65534

        def limit():
            os.setgroups([])
            os.setgid(nobody)
            resource.setrlimit(resource.RLIMIT_NPROC, (6, 6))  # of all that this user runs
            os.setuid(nobody)
        try:
            server = Server("-m", CIFAR, "--no-log", "--threads", 1, preexec_fn=limit)
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            self.skipTest(f"nobody cannot run a server here: {error}")
        with server, contextlib.ExitStack() as stack:
            begin, refused = time.monotonic(), 0
            for _ in range(20):  # who read no answer and do not close
                client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
                client.sendall(request("/v2", 0, method="GET"))
                refused += b" 503 " in client.recv(65536)
            self.assertGreater(refused, 10)
            self.assertLess(time.monotonic() - begin, 5)  # a second for each would be 14 and more
            stack.close()
            self.assertTrue(comes_true(lambda: server.ask("GET", "/v2")[0] == 200))


class Interrupted(unittest.TestCase):
    def test_ready_soon_after_kill_9(self):
        for name in sorted(path.name for path in (serving.ROOT / "models").iterdir() if (path / "config.json").exists()):
            times = []
            for _ in range(5):
                begin = time.monotonic()
                with Server("-m", model(name), "--no-log") as server:
                    self.assertEqual(server.ask("GET", "/v2/health/ready")[0], 200)
                    times.append(time.monotonic() - begin)
                    os.kill(server.process.pid, signal.SIGKILL)
            print(f"{name}: ready {1e3 * min(times):.0f} to {1e3 * max(times):.0f} ms after the start")
            self.assertLess(sorted(times)[2], 0.3)

    @unittest.skipUnless(IS_ROOT, "needs root, to mount a small disk")
    def test_full_disk(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, text=True)
            if mounted.returncode != 0:
                self.skipTest("no small disk: " + mounted.stderr)
            stack.callback(run, "umount", folder)
            log, filler = pathlib.Path(folder) / "log", pathlib.Path(folder) / "filler"
            with Server("-m", CIFAR, "--log", log) as server:
                server.ask("GET", "/v2")  # so that the log has a block, whose end will cut a line
                with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * 4096)
                for _ in range(50):
                    self.assertEqual(server.ask("POST", "/classify", PICTURE.read_bytes())[0], 200)
                self.assertTrue(comes_true(lambda: server.metric("byteformer_lost_log_lines_total") >= 1))
                filler.unlink()
                for i in range(5):
                    server.ask("GET", "/v2", headers={"X-Request-Id": f"after-{i}"})
                self.assertEqual(server.stop(), 0)

            def id_of(line):
                try:
                    return json.loads(line)["id"]
                except ValueError:
                    return "cut"
            ids = [id_of(line) for line in log.read_text().splitlines()]
            self.assertEqual([line for line in ids if line.startswith("after-")], [f"after-{i}" for i in range(5)])
            self.assertLessEqual(ids.count("cut"), 1)

    @unittest.skipUnless(FAKETIME, "faketime is not installed")
    def test_clocks_that_jump(self):
        with tempfile.TemporaryDirectory() as folder:
            now = pathlib.Path(folder) / "now"
            now.write_text("+0")
            environment = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(now), "FAKETIME_NO_CACHE": "1",
                           "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
            log = pathlib.Path(folder) / "log"
            with Server("-m", CIFAR, "--log", log, environment=environment) as server:
                connection = server.connect()
                for jump in ("+0", "+10y", "-10y", "+0", "-1h", "+1h"):
                    now.write_text(jump)
                    begin = time.monotonic()
                    for _ in range(5):
                        connection.request("POST", "/classify", PICTURE.read_bytes())
                        answer = connection.getresponse()
                        answer.read()
                        self.assertEqual(answer.status, 200, jump)
                    self.assertLess(time.monotonic() - begin, 10, jump)
                connection.close()
                self.assertEqual(server.stop(), 0)
            years = {int(json.loads(line)["time"][:4]) for line in log.read_text().splitlines()}
            self.assertEqual(max(years) - min(years), 20)  # the clock that people see has jumped


@unittest.skipUnless(IS_ROOT and shutil.which("ip") and shutil.which("tc"), "needs root, ip and tc (iproute2)")
class Network(unittest.TestCase):
    """The server on a host of its own, behind a link that is cut and slowed."""
    HERE, THERE = "10.213.77.1", "10.213.77.2"
    IO, IDLE = 2, 3  # seconds

    def setUp(self):
        self.name = f"bf{os.getpid()}"
        try:
            run("ip", "netns", "add", self.name)
            self.addCleanup(run, "ip", "netns", "del", self.name)
            run("ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.name)
            self.addCleanup(run, "ip", "link", "del", self.name)
            run("ip", "addr", "add", self.HERE + "/30", "dev", self.name)
            run("ip", "link", "set", self.name, "up")
            for arguments in (["addr", "add", self.THERE + "/30", "dev", "eth0"], ["link", "set", "eth0", "up"],
                              ["link", "set", "lo", "up"]):
                run("ip", "-n", self.name, *arguments)
        except subprocess.CalledProcessError as error:
            self.skipTest("no network of our own: " + error.stderr)
        self.server = Server("-m", CIFAR, "-m", NANO, "--no-log", "--host", "0.0.0.0", "--io-timeout", self.IO,
                             "--idle-timeout", self.IDLE, prefix=["ip", "netns", "exec", self.name])
        self.addCleanup(self.server.__exit__)
        self.server.host = self.THERE

    def connections(self):
        """As the server's own host sees it, whatever the link does; this question's is not counted."""
        code = ("import urllib.request as u; t = u.urlopen('http://127.0.0.1:%d/metrics').read().decode(); "
                "print([l for l in t.splitlines() if l.startswith('byteformer_connections ')][0].split()[1])" % self.server.port)
        return int(run("ip", "netns", "exec", self.name, sys.executable, "-c", code).stdout) - 1

    def test_link_is_cut(self):
        expected = classified(CIFAR, PICTURE)[0]["logits"]
        idle = socket.create_connection((self.THERE, self.server.port), timeout=60)
        idle.sendall(request("/v2", 0, method="GET"))
        read_answer(idle)
        uploads = []
        for path in ("/classify?model=cifar10", "/classify?model=untrained-nano"):
            client = socket.create_connection((self.THERE, self.server.port), timeout=60)
            client.sendall(request(path, 3 * MIB) + bytes(1000))
            uploads.append(client)
        self.assertTrue(comes_true(lambda: self.connections() == 3))
        run("ip", "link", "set", self.name, "down")
        begin = time.monotonic()
        self.assertTrue(comes_true(lambda: self.connections() == 0))
        # A second for the answer 408 that nobody takes, and for us to look.
        freed = time.monotonic() - begin
        print(f"connections were freed {freed:.1f} s after the link was cut (io {self.IO} s, idle {self.IDLE} s)")
        self.assertLess(freed, max(self.IO, self.IDLE) + 2.5)
        run("ip", "link", "set", self.name, "up")
        self.assertTrue(comes_true(lambda: self.server.ask("GET", "/v2/health/ready")[0] == 200))
        answer = self.server.json("POST", "/classify?model=cifar10&logits=1", PICTURE.read_bytes())
        self.assertEqual(answer["logits"], expected)
        for client in (idle, *uploads):
            client.close()

    def test_link_is_slow(self):
        for slowness in (["netem", "delay", "100ms", "loss", "5%", "rate", "400kbit"],
                         ["tbf", "rate", "400kbit", "burst", "4kb", "latency", "400ms"]):
            done = subprocess.run(["tc", "qdisc", "add", "dev", self.name, "root", *slowness], capture_output=True, text=True)
            if done.returncode == 0:
                break
        else:
            self.skipTest("this kernel cannot slow a link: " + done.stderr)
        file = bytes(i * i % 251 for i in range(200_000))
        with tempfile.NamedTemporaryFile() as whole:
            whole.write(file)
            whole.flush()
            expected = classified(NANO, whole.name)[0]["logits"]
        begin = time.monotonic()
        answer = self.server.json("POST", "/classify?model=untrained-nano&logits=1", file)
        taken = time.monotonic() - begin
        print(f"200 kB over a link of {slowness[0]} in {taken:.1f} s")
        self.assertGreater(taken, 2)  # longer than the time without a byte that is allowed
        self.assertEqual(answer["logits"], expected)
        self.assertTrue(comes_true(lambda: self.connections() == 0))


if __name__ == "__main__":
    serving.PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
