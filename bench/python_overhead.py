#!/usr/bin/env python3
"""What a call from Python costs on top of the same call from C++, on a file of 1,000 bytes, and what threads of Python
gain: python_overhead.py BYTEFORMER

For the first the model computes next to nothing, so that what is left is the call. `byteformer bench` calls the C++
library; it and Python take turns, and the best round of each counts. For the second one, two and four threads that share a
model classify pictures in turn, and the median of what a round gained counts. Needs the package on PYTHONPATH, and models/cifar10.
"""

import concurrent.futures
import json
import os
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import byteformer
from byteformer import _safetensors

ROUNDS = 30
THREAD_ROUNDS = 15
CALLS = 1024
HIDDEN, KERNEL = 16, 500


def write_model(folder: pathlib.Path) -> None:
    """One layer of 16 channels over three tokens."""
    config = dict(
        model_type="byteformer", format_version=1, hidden_size=HIDDEN, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=HIDDEN, vocab_size=257, pad_token_id=256, layer_norm_eps=1e-5, conv_kernel_size=KERNEL,
        max_position_embeddings=16, position_embedding_type="learned", window_sizes=[16], window_shifts=[0],
        downsample=[False], masking="masked", num_labels=10, id2label={str(i): f"class {i}" for i in range(10)},
    )  # fmt: skip
    shapes = {
        "embeddings.weight": (257, HIDDEN), "token_reduction_net.weight": (HIDDEN, HIDDEN, KERNEL),
        "pos_embed.pos_embed.pos_embed": (1, 1, 16, HIDDEN),
        "transformer.0.pre_norm_mha.1.qkv_proj.weight": (3 * HIDDEN, HIDDEN),
        "transformer.0.pre_norm_mha.1.qkv_proj.bias": (3 * HIDDEN,),
        "transformer.0.pre_norm_mha.1.out_proj.weight": (HIDDEN, HIDDEN),
        "transformer.0.pre_norm_mha.1.out_proj.bias": (HIDDEN,),
        "transformer.0.pre_norm_ffn.1.weight": (HIDDEN, HIDDEN), "transformer.0.pre_norm_ffn.1.bias": (HIDDEN,),
        "transformer.0.pre_norm_ffn.4.weight": (HIDDEN, HIDDEN), "transformer.0.pre_norm_ffn.4.bias": (HIDDEN,),
        "classifier.weight": (10, HIDDEN), "classifier.bias": (10,),
    }  # fmt: skip
    for norm in ("transformer.0.pre_norm_mha.0", "transformer.0.pre_norm_ffn.0", "post_transformer_norm"):
        shapes[norm + ".weight"] = shapes[norm + ".bias"] = (HIDDEN,)
    draw = random.Random(0)
    tensors = {}
    for name, shape in shapes.items():
        count = 1
        for size in shape:
            count *= size
        numbers = struct.pack(f"<{count}f", *(draw.gauss(0, 0.1) for _ in range(count)))
        tensors[name] = _safetensors.Tensor("F32", shape, memoryview(numbers))
    (folder / "config.json").write_text(json.dumps(config))
    with open(folder / "model.safetensors", "wb") as file:
        _safetensors.write(file, tensors)


def cpp_seconds(program: str, model: pathlib.Path, file: pathlib.Path, batch_size: int) -> float:
    """Of one file, in calls for `batch_size` from C++; the quickest call, so that nothing else is in it."""
    command = [program, "bench", "-m", model, file, "--threads", "1", "-n", "200", "-b", str(batch_size), "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return float(json.loads(done.stdout)["latency_seconds"]["min"]) / batch_size


def python_seconds(model: byteformer.Classifier, file: bytes, single: bool) -> float:
    """Of one file, with its result."""
    files = [file] * CALLS
    start = time.perf_counter()
    if single:
        for _ in files:
            model.classify(file)
    else:
        for _ in model.classify_many(files):
            pass
    return (time.perf_counter() - start) / CALLS


def pictures_per_second(model: byteformer.Classifier, num_threads: int) -> float:
    """By threads that share one model."""
    calls = [bytes(i % 251 for i in range(3072))] * 800
    with concurrent.futures.ThreadPoolExecutor(num_threads) as pool:
        list(pool.map(model.classify, calls[:8]))
        start = time.perf_counter()
        for _ in pool.map(model.classify, calls):
            pass
        return len(calls) / (time.perf_counter() - start)


def main() -> None:
    (program,) = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        write_model(folder)
        path = folder / "file"
        path.write_bytes(bytes(random.Random(1).randrange(256) for _ in range(1000)))
        model, file = byteformer.Classifier(folder, threads=1), path.read_bytes()
        best = {}
        for _ in range(ROUNDS):
            for call, batch_size in (("classify", 1), ("classify_many", 256)):
                times = cpp_seconds(program, folder, path, batch_size), python_seconds(model, file, batch_size == 1)
                best[call] = tuple(map(min, zip(best.get(call, times), times)))
        print("microseconds per file of 1,000 bytes   C++   Python   more")
        for call, (cpp, python) in best.items():
            print(f"{call:36} {1e6 * cpp:6.2f} {1e6 * python:7.2f} {1e6 * (python - cpp):7.2f}")
    model = byteformer.Classifier(pathlib.Path(__file__).parents[1] / "models" / "cifar10", threads=1, as_is=True)
    rounds = [{n: pictures_per_second(model, n) for n in (1, 2, 4)} for _ in range(THREAD_ROUNDS)]
    for num_threads in (1, 2, 4):
        gains = sorted(rates[num_threads] / rates[1] for rates in rounds)
        rate = statistics.median(rates[num_threads] for rates in rounds)
        print(
            f"{num_threads} threads on {os.cpu_count()} processors: {rate:.0f} pictures/s, "
            f"{statistics.median(gains):.2f} times ({gains[0]:.2f} to {gains[-1]:.2f})"
        )


if __name__ == "__main__":
    main()
