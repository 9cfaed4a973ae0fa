#!/usr/bin/env python3
"""The server under load: throughput and refusals with 64 connections (wrk), latencies at half the capacity, and memory;
beside it what `byteformer bench` reaches without a server. Usage: serve.py PROGRAM MODEL FILE [SECONDS]"""
import http.client
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

WRK_SCRIPT = """
wrk.method = "POST"
local file = io.open(os.getenv("BENCH_FILE"), "rb"); wrk.body = file:read("*all"); file:close()
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() ok = 0; refused = 0; wrong = 0; expected = os.getenv("BENCH_EXPECTED") end
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
  io.write(string.format('RESULT {"ok":%d,"refused":%d,"wrong":%d,"seconds":%f,"p99_ms":%f}\\n', ok, refused, wrong,
    summary.duration / 1e6, latency:percentile(99) / 1e3))
end
"""


def start(program, model, *options):
    server = subprocess.Popen([program, "serve", "-m", model, "--port", "0", "--no-log", *options],
                              stderr=subprocess.PIPE, text=True)
    return server, int(re.search(r":(\d+)\s*$", server.stderr.readline()).group(1))


def resident_mib(server):
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s*(\d+)", status).group(1)) / 1024


def post(port, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/classify", body)
    return connection.getresponse().read().decode()


def overload(server, port, body, file, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(WRK_SCRIPT)
        script.flush()
        environment = {**os.environ, "BENCH_FILE": file, "BENCH_EXPECTED": post(port, body)}
        before = resident_mib(server)
        out = subprocess.run(["wrk", "-t1", "-c64", f"-d{seconds}s", "-s", script.name, f"http://127.0.0.1:{port}/classify"],
                             env=environment, capture_output=True, text=True, check=True).stdout
    result = json.loads(out.split("RESULT ", 1)[1])
    result["answers_per_s"] = result["ok"] / result["seconds"]
    result["memory_mib"] = [before, resident_mib(server)]
    return result


def half_load(port, body, rate, seconds):
    """Latencies of requests that are sent at fixed times, whether earlier ones are answered or not."""
    latencies, lock, start = [], threading.Lock(), time.monotonic() + 0.1
    times = [start + i / rate for i in range(int(rate * seconds))]

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                if not times:
                    return
                due = times.pop(0)
            time.sleep(max(0, due - time.monotonic()))
            connection.request("POST", "/classify", body)
            connection.getresponse().read()
            with lock:
                latencies.append(time.monotonic() - due)
    clients = [threading.Thread(target=client) for _ in range(16)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    cuts = statistics.quantiles(latencies, n=100)
    return {"requests_per_s": rate, "p50_ms": 1e3 * cuts[49], "p99_ms": 1e3 * cuts[98]}


def main(program, model, file, seconds):
    body = pathlib.Path(file).read_bytes()
    direct = json.loads(subprocess.run([program, "bench", "--model", model, "--json", "--batch-size", "64", file],
                                       capture_output=True, text=True, check=True).stdout)
    report = {"direct": direct}
    server, port = start(program, model)
    try:
        single = []
        for _ in range(50):
            begin = time.monotonic()
            post(port, body)
            single.append(time.monotonic() - begin)
        report["one_at_a_time_ms"] = 1e3 * statistics.median(single)
        report["64_connections"] = overload(server, port, body, file, seconds)
        report["half_load"] = half_load(port, body, report["64_connections"]["answers_per_s"] / 2, min(seconds, 10))
    finally:
        server.terminate()
        server.wait()
    server, port = start(program, model, "--queue", "16", "--batch-size", "16")
    try:
        report["64_connections_queue_16"] = overload(server, port, body, file, seconds)
    finally:
        server.terminate()
        server.wait()
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]) if len(sys.argv) > 4 else 20)
