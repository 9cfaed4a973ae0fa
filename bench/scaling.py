"""How byteformer's cost grows with the length of a file and with threads, and what lower precision saves.

Usage: scaling.py BIN WORK
  BIN   folder of byteformer
  WORK  where peers/compare.py left its models; results go to WORK/scaling.json

Run by scripts/measure.sh, on a machine that does nothing else.
"""
import json
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))

import torch  # noqa: E402

from byteformer_torch import ByteFormer, tiny  # noqa: E402
from compare import FILES, run  # noqa: E402

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHIPPED = ("spoken-digits", "mnist", "cifar10", "digits-joint")
LENGTHS = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
KERNEL = 32
ROUNDS = 3


def random_file(path, num_bytes):
    with open(path, "wb") as out:
        out.write(os.urandom(num_bytes))
    return path


def sinusoidal_model(binary, folder):
    """The tiny model with positions that do not end."""
    os.makedirs(folder, exist_ok=True)
    config = tiny(KERNEL)
    weights = {name: tensor for name, tensor in ByteFormer(config).state_dict().items() if "pos_embed" not in name}
    with open(f"{folder}/published.json", "w", encoding="utf-8") as out:
        json.dump({**config, "position_embedding_type": "sinusoidal"}, out)
    torch.save(weights, f"{folder}/weights.pt")
    subprocess.run(["rm", "-rf", f"{folder}/model"], check=True)
    run(binary, "import", f"{folder}/weights.pt", "--config", f"{folder}/published.json", "-o", f"{folder}/model")
    return f"{folder}/model"


def bench(binary, model, path, *options):
    output = json.loads(run(binary, "bench", "--model", model, "--seconds", "1", "--json", *options, path))
    return {"seconds": output["latency_seconds"]["median"], "memory_bytes": output["peak_memory_bytes"],
            "flops_per_second": output["flops_per_second"], "peak_flops_per_second": output["peak_flops_per_second"]}


def lengths(binary, work):
    model = sinusoidal_model(binary, f"{work}/sinusoidal")
    for num_bytes in LENGTHS:
        path = random_file(f"{work}/length.bin", num_bytes)
        for threads in [count for count in (1, 2, 4, 8, 16) if count <= (os.cpu_count() or 1)]:
            yield {"bytes": num_bytes, "threads": threads, **bench(binary, model, path, "--threads", str(threads))}


def precisions(binary, work):
    names = json.loads(run(binary, "inspect", "--system", "--json"))["precisions"]
    for file in FILES:
        rounds = {name: [] for name in names}
        for _ in range(ROUNDS):
            for name in names:  # in turns
                rounds[name].append(bench(binary, f"{work}/{file.lower()}/model", f"{work}/{file.lower()}/file.bin",
                                          "--precision", name))
        for name in names:
            yield {"file": file, "precision": name, **sorted(rounds[name], key=lambda r: r["seconds"])[ROUNDS // 2]}


def cold_starts(binary, work):
    path = random_file(f"{work}/1k.bin", 1_000)
    for model in SHIPPED:
        times = []
        for _ in range(21):
            start = time.perf_counter()
            run(binary, "classify", "--model", f"{REPOSITORY}/models/{model}", "--as-is", path)
            times.append(time.perf_counter() - start)
        yield {"model": model, "seconds": statistics.median(times[1:])}  # the first warms the page cache


def main():
    binary, work = f"{sys.argv[1]}/byteformer", sys.argv[2]
    results = {}
    for part in (lengths, precisions, cold_starts):
        results[part.__name__] = []
        for row in part(binary, work):
            results[part.__name__].append(row)
            print(part.__name__, row, file=sys.stderr, flush=True)
    with open(f"{work}/scaling.json", "w", encoding="utf-8") as out:
        json.dump(results, out, indent=1)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
