"""byteformer beside ONNX Runtime and eager PyTorch on the same weights and files, in one run.

Usage: compare.py BIN MODULES WORK [--quick] [--training]
  BIN      folder of byteformer (and of training_bench, for --training)
  MODULES  folder in which the node module onnxruntime-node is installed
  WORK     folder for models and files; made if it is missing

Programs take turns, several rounds each, so that a slow minute of the machine hits all of them; a cell is the median of
all calls of all rounds. Prints tables in Markdown and writes them to WORK/results.json. Run by scripts/compare.sh.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import torch

from byteformer_torch import ByteFormer, tiny

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = {  # the paper's: name, bytes, kernel
    "TIFF": (150_668, 32),
    "JPEG": (48_564, 8),
    "WAV": (32_044, 16),
    "MP3": (3_465, 4),
}
TRAINING = ((1_000, 4, 16), (32_044, 16, 4), (150_668, 32, 1))  # bytes, kernel, files a step
SMALL_FILES = (1_000, 1_000, 4)  # files, bytes, kernel
TOLERANCE = 2e-5  # of the largest logit


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def make(folder, kernel, num_bytes, binary):
    """A random model and file in `folder`, for all three programs."""
    torch.manual_seed(0)
    config = tiny(kernel)
    model = ByteFormer(config).eval()
    file = torch.randint(0, 256, (1, num_bytes), dtype=torch.uint8)
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/file.bin", "wb") as out:
        out.write(bytes(file[0].tolist()))
    with open(f"{folder}/published.json", "w", encoding="utf-8") as out:
        json.dump(config, out)
    torch.save(model.state_dict(), f"{folder}/weights.pt")
    torch.onnx.export(model, (file,), f"{folder}/torch.onnx", opset_version=17, input_names=["files"],
                      output_names=["logits"], verbose=False)
    subprocess.run(["rm", "-rf", f"{folder}/model"], check=True)
    run(binary, "import", f"{folder}/weights.pt", "--config", f"{folder}/published.json", "-o", f"{folder}/model")
    with torch.no_grad():
        return model, file, model(file)[0]


def times_of_pytorch(model, file, threads, runs):
    torch.set_num_threads(threads)
    times = []
    with torch.no_grad():
        for _ in range(runs + 1):
            start = time.perf_counter()
            model(file)
            times.append(1e3 * (time.perf_counter() - start))
    return times[1:]  # the first allocates


def run_onnx(model, folder, threads, runs, modules):
    return json.loads(run("node", f"{HERE}/onnxruntime.mjs", model, f"{folder}/file.bin", str(threads), str(runs), cwd=modules))


def check(name, logits, expected):
    error = (torch.tensor(logits) - expected).abs().max() / expected.abs().max()
    if not error <= TOLERANCE:
        sys.exit(f"{name} computes other logits: they differ by {error:.1e} of the largest")


def compare_file(name, arguments):
    """One row per number of threads."""
    num_bytes, kernel = FILES[name]
    binary, folder = f"{arguments.bin}/byteformer", f"{arguments.work}/{name.lower()}"
    model, file, expected = make(folder, kernel, num_bytes, binary)
    answer = run(binary, "classify", "--model", f"{folder}/model", "--as-is", "--logits", "--json", f"{folder}/file.bin")
    check("byteformer", json.loads(answer)[0]["logits"], expected)
    run(binary, "export", f"{folder}/model", "--to", "onnx", "-o", f"{folder}/exported.onnx", "--force")
    exported = run_onnx(f"{folder}/exported.onnx", folder, 2, 1, arguments.modules)
    check("what `byteformer export --to onnx` wrote", exported["logits"], expected)
    for threads in (2, 1):
        ours, onnx, eager, shares, memory = [], [], [], [], {}
        for _ in range(arguments.rounds):
            output = json.loads(run(binary, "bench", "--model", f"{folder}/model", "--threads", str(threads), "--seconds",
                                    "1", "--json", f"{folder}/file.bin"))
            latency = output["latency_seconds"]
            flops = output["flops_per_second"] * latency["mean"]  # of a call
            ours.append(1e3 * latency["median"])
            shares.append(flops / latency["median"] / output["peak_flops_per_second"])
            memory["byteformer"] = output["peak_memory_bytes"]
            output = run_onnx(f"{folder}/torch.onnx", folder, threads, 7, arguments.modules)
            check("ONNX Runtime", output["logits"], expected)
            onnx += output["milliseconds"]
            memory["ONNX Runtime"] = output["peak_memory_bytes"]
            eager += times_of_pytorch(model, file, threads, 2)
        yield {"file": name, "bytes": num_bytes, "kernel": kernel, "threads": threads, "memory_bytes": memory,
               "share_of_peak": statistics.median(shares), "byteformer_ms": statistics.median(ours),
               "onnxruntime_ms": statistics.median(onnx), "pytorch_ms": statistics.median(eager)}


def compare_small_files(arguments):
    """A folder of small files: one process of ours from start to end, against calls of ONNX Runtime one after another."""
    count, num_bytes, kernel = SMALL_FILES
    binary, folder = f"{arguments.bin}/byteformer", f"{arguments.work}/small"
    _, file, expected = make(folder, kernel, num_bytes, binary)
    os.makedirs(f"{folder}/files", exist_ok=True)
    content = bytes(file[0].tolist())
    for i in range(count):
        with open(f"{folder}/files/{i:04}.bin", "wb") as out:
            out.write(content[i % num_bytes:] + content[:i % num_bytes])  # no two are equal
    for threads in (2, 1):
        ours, onnx = [], []
        for _ in range(arguments.rounds):
            start = time.perf_counter()
            run(binary, "classify", "--model", f"{folder}/model", "--threads", str(threads), "--as-is", "--jsonl", "-r",
                f"{folder}/files")
            ours.append(count / (time.perf_counter() - start))
            output = run_onnx(f"{folder}/torch.onnx", folder, threads, count // 4, arguments.modules)
            check("ONNX Runtime", output["logits"], expected)
            onnx.append(1e3 * len(output["milliseconds"]) / sum(output["milliseconds"]))
        yield {"files": count, "bytes": num_bytes, "kernel": kernel, "threads": threads,
               "byteformer_files_per_second": statistics.median(ours), "onnxruntime_files_per_second": statistics.median(onnx)}


def compare_training(arguments):
    for num_bytes, kernel, batch in TRAINING:
        name = f"training_step/k:{kernel}/bytes:{num_bytes}/files:{batch}/threads:2/own:1/real_time"
        ours, eager = [], []
        for _ in range(arguments.rounds):
            output = run(f"{arguments.bin}/training_bench", f"--benchmark_filter=^{name}$", "--benchmark_format=json",
                         "--benchmark_min_time=2")
            ours.append(json.loads(output)["benchmarks"][0]["items_per_second"])
            eager += training_of_pytorch(kernel, num_bytes, batch, steps=3)
        yield {"bytes": num_bytes, "kernel": kernel, "batch": batch, "byteformer_files_per_second": statistics.median(ours),
               "pytorch_files_per_second": statistics.median(eager)}


def training_of_pytorch(kernel, num_bytes, batch, steps):
    torch.set_num_threads(2)
    model = ByteFormer(tiny(kernel)).train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    rates = []
    for _ in range(steps + 1):
        files, labels = torch.randint(0, 256, (batch, num_bytes)), torch.randint(0, 1000, (batch,))
        start = time.perf_counter()
        loss = torch.nn.functional.cross_entropy(model(files), labels, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rates.append(batch / (time.perf_counter() - start))
    return rates[1:]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("bin")
    parser.add_argument("modules")
    parser.add_argument("work")
    parser.add_argument("--quick", dest="rounds", action="store_const", const=1, default=5)
    parser.add_argument("--training", action="store_true")
    arguments = parser.parse_args()
    results = {"inference": [], "small_files": [], "training": []}

    print("| file | threads | byteformer | ONNX Runtime | ratio | eager PyTorch | ratio | share of peak | memory, MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in FILES:
        for row in compare_file(name, arguments):
            results["inference"].append(row)
            ours, onnx, eager = row["byteformer_ms"], row["onnxruntime_ms"], row["pytorch_ms"]
            memory = " / ".join(f"{bytes_ / 1e6:.0f}" for bytes_ in row["memory_bytes"].values())
            print(f"| {name}, {row['bytes']:,} bytes, k {row['kernel']} | {row['threads']} | {ours:.1f} ms | {onnx:.1f} ms | "
                  f"{ours / onnx:.2f} | {eager:.1f} ms | {ours / eager:.2f} | {100 * row['share_of_peak']:.0f} % | {memory} |",
                  flush=True)
    print("\n| many small files | threads | byteformer | ONNX Runtime, one by one | ratio |\n|---|---|---|---|---|")
    for row in compare_small_files(arguments):
        results["small_files"].append(row)
        ours, onnx = row["byteformer_files_per_second"], row["onnxruntime_files_per_second"]
        print(f"| {row['files']:,} of {row['bytes']:,} bytes, k {row['kernel']} | {row['threads']} | {ours:.0f} files/s | "
              f"{onnx:.0f} files/s | {ours / onnx:.2f} |", flush=True)
    if arguments.training:
        print("\n| training step | byteformer | eager PyTorch | ratio |\n|---|---|---|---|")
        for row in compare_training(arguments):
            results["training"].append(row)
            ours, eager = row["byteformer_files_per_second"], row["pytorch_files_per_second"]
            print(f"| {row['batch']} files of {row['bytes']:,} bytes, k {row['kernel']} | {ours:.2f} files/s | "
                  f"{eager:.2f} files/s | {ours / eager:.1f} |", flush=True)
    with open(f"{arguments.work}/results.json", "w", encoding="utf-8") as out:
        json.dump(results, out, indent=1)


if __name__ == "__main__":
    main()
