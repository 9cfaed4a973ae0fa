#!/usr/bin/env python3
"""The server under load (wrk): throughput beside what `byteformer bench` reaches without a server, measured in turn; 64
connections that ask for twice the capacity, with right answers, refusals in time and flat memory; latencies at half of it;
and, where onnxruntime is installed, the same model behind the simplest server of Python.
Usage: serve.py PROGRAM MODEL FILE [SECONDS [SECONDS OF OVERLOAD]]"""
import contextlib
import heapq
import http.client
import importlib.util
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

CONNECTIONS = 64
ROUNDS = 3
WRK_SCRIPT = """
wrk.method = "POST"
local file = io.open(os.getenv("BENCH_FILE"), "rb"); wrk.body = file:read("*all"); file:close()
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() ok = 0; refused = 0; wrong = 0; expected = os.getenv("BENCH_EXPECTED") end
local pause = tonumber(os.getenv("BENCH_PAUSE_MS"))
local is_random = os.getenv("BENCH_RANDOM") == "1"
if pause > 0 then function delay() return is_random and -math.log(1 - math.random()) * pause or pause end end
function response(status, headers, body)
  if status == 200 and body == expected then ok = ok + 1
  elseif status == 503 and headers["Retry-After"] then refused = refused + 1
  else wrong = wrong + 1 end
end
function done(summary, latency)
  local ok, refused, wrong = 0, 0, 0
  for _, thread in ipairs(threads) do
    ok = ok + thread:get("ok"); refused = refused + thread:get("refused"); wrong = wrong + thread:get("wrong")
  end
  io.write(string.format('RESULT {"ok":%d,"refused":%d,"wrong":%d,"seconds":%f,"p50_ms":%f,"p99_ms":%f}\\n',
    ok, refused, wrong, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""
# What a team writes in ten minutes around ONNX Runtime.
ONNX_SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        file = numpy.frombuffer(self.rfile.read(int(self.headers["Content-Length"])), numpy.uint8)
        logits = session.run(None, {"files": file[None]})[0][0]
        body = json.dumps({"logits": [round(float(logit), 3) for logit in logits]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
class Server(ThreadingHTTPServer):
    request_queue_size = 128
server = Server(("127.0.0.1", 0), Handler)
print("serving on :%d" % server.server_port, file=sys.stderr, flush=True)
server.serve_forever()
"""


@contextlib.contextmanager
def running(*command):
    """A server's process, and the port at the end of its first line."""
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield server, int(re.search(r":(\d+)\s*$", server.stderr.readline()).group(1))
    finally:
        server.terminate()
        server.communicate()


def resident_mib(server):
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
    return round(int(re.search(r"VmRSS:\s*(\d+)", status).group(1)) / 1024, 1)


def post(port, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", path, body)
    return connection.getresponse().read().decode()


def wrk(port, path, body, seconds, pause_ms=0.0, is_random=False):
    """Answers and refusals to 64 connections that pause between answer and request, all equally long or as chance has it."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script, tempfile.NamedTemporaryFile() as file:
        script.write(WRK_SCRIPT)
        script.flush()
        file.write(body)
        file.flush()
        environment = {**os.environ, "BENCH_FILE": file.name, "BENCH_EXPECTED": post(port, path, body),
                       "BENCH_PAUSE_MS": str(pause_ms), "BENCH_RANDOM": str(int(is_random))}
        out = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script.name, f"http://127.0.0.1:{port}{path}"],
                             env=environment, capture_output=True, text=True, check=True).stdout
    result = json.loads(out.split("RESULT ", 1)[1])
    result["answers_per_s"] = result["ok"] / result["seconds"]
    return result


def direct(program, model, file, seconds):
    return json.loads(subprocess.run([program, "bench", "--model", model, "--json", "--batch-size", "64", "--seconds",
                                      str(seconds), file], capture_output=True, text=True, check=True).stdout)


def offered_per_s(result):
    return (result["ok"] + result["refused"]) / result["seconds"]


def pause_that_offers(port, path, body, rate):
    """Halving, in runs of 3 s: a connection waits for its answer too, and how long depends on how many are refused."""
    low, high = 0.0, 1e3 * CONNECTIONS / rate
    for _ in range(6):
        pause_ms = (low + high) / 2
        offered = offered_per_s(wrk(port, path, body, 3, pause_ms))
        if abs(offered / rate - 1) < 0.05:
            break
        low, high = (pause_ms, high) if offered > rate else (low, pause_ms)
    return pause_ms


class Watch:
    """While it is open: one more client that times what it is refused, and a look at the server's memory every second."""

    def __init__(self, server, port, path, body):
        self.refusals, self.memory, self.stop = [], [], threading.Event()
        self.threads = [threading.Thread(target=self.probe, args=(port, path, body)),
                        threading.Thread(target=self.weigh, args=(server,))]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def probe(self, port, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while not self.stop.wait(0.02):
            begin = time.monotonic()
            connection.request("POST", path, body)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 503:
                self.refusals.append(time.monotonic() - begin)

    def weigh(self, server):
        while not self.stop.wait(1):
            self.memory.append(resident_mib(server))


def overload(program, model, file, server, port, capacity, seconds):
    """Twice the capacity is asked for, in rounds, each after a look at what the machine does without a server."""
    body = pathlib.Path(file).read_bytes()
    pause_ms = pause_that_offers(port, "/classify", body, 2 * capacity)
    rounds, refusals, memory = [], [], []
    for _ in range(ROUNDS):
        bench = direct(program, model, file, max(1, seconds // ROUNDS // 2))
        with Watch(server, port, "/classify", body) as watch:
            result = wrk(port, "/classify", body, max(1, seconds // ROUNDS), pause_ms)
        refusals += watch.refusals
        memory += watch.memory
        rounds.append({**{name: result[name] for name in ("ok", "refused", "wrong", "answers_per_s")},
                       "offered_per_s": offered_per_s(result), "direct_per_s": bench["files_per_second"],
                       "share": result["answers_per_s"] / bench["files_per_second"]})
    cuts = [1e3 * cut for cut in statistics.quantiles(refusals, n=100)] if len(refusals) > 1 else None
    settled = memory[len(memory) // 4:]  # after a quarter of the time all buffers have had their size
    return {"rounds": rounds, "share": statistics.median(round_["share"] for round_ in rounds),
            "refusal_ms": {"timed": len(refusals), "p50": cuts and cuts[49], "p99": cuts and cuts[98]},
            "memory_mib": {"settled": settled[0], "most_after": max(settled)} if settled else None}


def half_load(port, path, body, rate, seconds):
    """Latencies of requests at random times, `rate` of them per second, in rounds, each after some one at a time."""
    rounds = []
    for _ in range(ROUNDS):
        one = one_at_a_time_ms(port, path, body)
        result = wrk(port, path, body, seconds, 1e3 * CONNECTIONS / rate, is_random=True)
        assert result["wrong"] == result["refused"] == 0, result
        rounds.append({"one_at_a_time_ms": one, "requests_per_s": result["answers_per_s"], "p50_ms": result["p50_ms"],
                       "p99_ms": result["p99_ms"], "p99_over_one": result["p99_ms"] / one})
    return {"rounds": rounds, "p99_over_one": statistics.median(round_["p99_over_one"] for round_ in rounds),
            "ideal_p99_over_one": ideal_p99()}


def ideal_p99(num_requests=300_000):
    """Of two workers that are asked for half of what they can do at random times: waiting and work, in units of the work."""
    draw, free, times, now = random.Random(1), [0.0, 0.0], [], 0.0
    for _ in range(num_requests):
        now += draw.expovariate(len(free) / 2)
        start = max(now, heapq.heappop(free))
        heapq.heappush(free, start + 1)
        times.append(start + 1 - now)
    return statistics.quantiles(times, n=100)[98]


def one_at_a_time_ms(port, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times = []
    for _ in range(500):
        begin = time.monotonic()
        connection.request("POST", path, body)
        connection.getresponse().read()
        times.append(time.monotonic() - begin)
    return 1e3 * statistics.median(times[10:])


def beside_onnx(program, model, num_bytes, seconds):
    """The same bytes, as the model reads them, to both servers in turn."""
    body = bytes(i * i % 251 for i in range(num_bytes))
    with tempfile.TemporaryDirectory() as folder:
        exported, script = os.path.join(folder, "model.onnx"), os.path.join(folder, "server.py")
        subprocess.run([program, "export", "--to", "onnx", "-o", exported, model], check=True, capture_output=True)
        pathlib.Path(script).write_text(ONNX_SERVER)
        result = {"byteformer": [], "onnxruntime": []}
        with running(program, "serve", "-m", model, "--port", "0", "--no-log") as (_, ours), \
                running(sys.executable, script, exported) as (_, theirs):
            for _ in range(ROUNDS):
                result["byteformer"].append(wrk(ours, "/classify?as_is=1", body, seconds)["answers_per_s"])
                result["onnxruntime"].append(wrk(theirs, "/", body, seconds)["answers_per_s"])
            result["one_at_a_time_ms"] = {"byteformer": one_at_a_time_ms(ours, "/classify?as_is=1", body),
                                          "onnxruntime": one_at_a_time_ms(theirs, "/", body)}
        return result


def main(program, model, file, seconds, overload_seconds):
    body = pathlib.Path(file).read_bytes()
    options = program, "serve", "-m", model, "--port", "0", "--no-log"
    report = {"rounds": []}
    with running(*options) as (server, port):
        for _ in range(ROUNDS):
            bench = direct(program, model, file, seconds)
            served = wrk(port, "/classify", body, seconds)
            assert served["wrong"] == served["refused"] == 0, served
            report["rounds"].append({"direct_per_s": bench["files_per_second"], "served_per_s": served["answers_per_s"],
                                     "share": served["answers_per_s"] / bench["files_per_second"]})
        report["share"] = statistics.median(round_["share"] for round_ in report["rounds"])
        capacity = statistics.median(round_["served_per_s"] for round_ in report["rounds"])
        report["half_load"] = half_load(port, "/classify", body, capacity / 2, seconds)
    # A queue that 64 connections can fill.
    with running(*options, "--queue", "16", "--batch-size", "16") as (server, port):
        report["overload"] = overload(program, model, file, server, port, capacity, overload_seconds)
    if importlib.util.find_spec("onnxruntime"):
        report["beside_onnxruntime"] = beside_onnx(program, model, bench["bytes"] // bench["files"], seconds)
    else:
        report["beside_onnxruntime"] = "skipped: onnxruntime is not installed (PyPI)"
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:4], int(sys.argv[4]) if len(sys.argv) > 4 else 20, int(sys.argv[5]) if len(sys.argv) > 5 else 120)
