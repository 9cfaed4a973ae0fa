"""Draws the figures of docs/performance.md and prints the tables that are not in compare.sh's output.

Usage: plots.py WORK FIGURES
  WORK     scaling.json (scaling.py), kernels.json and training_kernels.json (kernels_bench and training_kernels_bench)
  FIGURES  folder for roofline.svg and length.svg
"""
import json
import os
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "byteformer"})
import matplotlib.pyplot as plt  # noqa: E402

INK, BLUE, ORANGE, GREEN, GREY = "#222222", "#1f6fb4", "#d95f02", "#1b8a5a", "#999999"
LABELLED = {  # kernels_bench's name: words, and where they stand beside their point, in points
    "matmul_qkv": ("linear: queries, keys, values", (6, 9)),
    "matmul_up_gelu": ("linear + GELU", (-58, -13)),
    "attention_128": ("attention, window 128", (8, -6)),
    "attention_32": ("attention, window 32", (6, -12)),
    "layer_norm": ("layer norm", (-6, 7)),
    "gelu": ("GELU alone", (6, -4)),
    "table_sum_k32": ("byte-table sums", (8, -4)),
}
REDUCED = {"int8_vnni": ("int8", ORANGE), "bfloat16": ("bfloat16", GREEN)}


def read(work, name):
    with open(f"{work}/{name}", encoding="utf-8") as text:
        return json.load(text)


def finish(figure, path):
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def best_instruction_set(benchmarks):
    return next(b["name"].split("/")[1] for b in benchmarks if b["name"].startswith("matmul_qkv/"))


def roofline(kernels, path):
    """GFLOP/s of one thread over operations a byte, under the roofs of the processor and of its memories."""
    benchmarks = kernels["benchmarks"]
    best = best_instruction_set(benchmarks)
    points = [b for b in benchmarks if b["name"].split("/")[1:2] == [best] and "share_of_peak" in b]
    peak = points[0]["GFLOP/s"] / points[0]["share_of_peak"]
    figure, axes = plt.subplots(figsize=(8, 4.8))
    axes.set(xscale="log", yscale="log", xlim=(0.1, 200), ylim=(2.5, 1500),
             xlabel="operations a byte that the kernel reads or writes", ylabel="GFLOP/s, one thread")
    axes.axhline(peak, color=INK, linewidth=1.2)
    axes.text(0.105, peak * 1.05, f"multiply-adds in float32: {peak:.0f} GFLOP/s", color=INK, fontsize=9)
    memories = (("level-1 cache", 1.25), ("level-2 cache", 0.72), ("memory", 1.25))  # and where the words stand over the line
    for benchmark, (name, height) in zip([b for b in benchmarks if b["name"].startswith("copy/")], memories):
        gigabytes = benchmark["bytes_per_second"] / 1e9
        axes.plot([0.1, peak / gigabytes], [0.1 * gigabytes, peak], color=GREY, linewidth=1)
        axes.text(0.115, 0.1 * height * gigabytes, f"{name}: {gigabytes:.0f} GB/s", color=GREY, fontsize=8, rotation=37,
                  rotation_mode="anchor")  # along its line, at this size of figure
    for point in points:
        name, *precision = [part for part in point["name"].split("/") if part != best]
        if precision and precision[0] not in REDUCED:
            continue
        color = REDUCED[precision[0]][1] if precision else BLUE
        axes.plot(point["flops_per_byte"], point["GFLOP/s"], "o", color=color, markersize=5)
        if not precision and name in LABELLED:
            label, offset = LABELLED[name]
            axes.annotate(label, (point["flops_per_byte"], point["GFLOP/s"]), offset, textcoords="offset points", fontsize=8)
    for words, color in (("float32", BLUE), *REDUCED.values()):
        axes.plot([], [], "o", color=color, label=words)
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    finish(figure, path)


def length(rows, path):
    """Throughput and memory over the length of a file."""
    figure, (speed, memory) = plt.subplots(1, 2, figsize=(9, 3.6))
    for threads, color in zip(sorted({row["threads"] for row in rows}), (ORANGE, BLUE, GREEN, GREY, INK)):
        chosen = [row for row in rows if row["threads"] == threads]
        sizes = [row["bytes"] for row in chosen]
        label = "1 thread" if threads == 1 else f"{threads} threads"
        speed.plot(sizes, [row["bytes"] / row["seconds"] / 1e6 for row in chosen], "o-", color=color, label=label, markersize=4)
        memory.plot(sizes, [(row["memory_bytes"] - row["bytes"]) / 1e6 for row in chosen], "o-", color=color, label=label, markersize=4)
    for axes, words in ((speed, "MB of file a second"), (memory, "peak memory without the file, MB")):
        axes.set(xscale="log", xlabel="length of the file, bytes", ylabel=words)
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    finish(figure, path)


def print_tables(scaling):
    print("\n| length | threads | time | MB/s | share of peak |\n|---|---|---|---|---|")
    for row in scaling["lengths"]:
        print(f"| {row['bytes']:,} bytes | {row['threads']} | {1e3 * row['seconds']:.1f} ms | "
              f"{row['bytes'] / row['seconds'] / 1e6:.2f} | {100 * row['flops_per_second'] / row['peak_flops_per_second']:.0f} % |")
    print("\n| file | precision | time | of float32's | memory |\n|---|---|---|---|---|")
    full = {row["file"]: row["seconds"] for row in scaling["precisions"] if row["precision"] == "float32"}
    for row in scaling["precisions"]:
        print(f"| {row['file']} | {row['precision']} | {1e3 * row['seconds']:.1f} ms | {row['seconds'] / full[row['file']]:.2f} | "
              f"{row['memory_bytes'] / 1e6:.0f} MB |")
    print("\n| a new process, 1,000 bytes | time |\n|---|---|")
    for row in scaling["cold_starts"]:
        print(f"| {row['model']} | {1e3 * row['seconds']:.1f} ms |")


def print_kernels(kernels, best):
    print(f"\n| kernel ({best}, one thread) | GFLOP/s | share of peak |\n|---|---|---|")
    for b in kernels["benchmarks"]:
        if f"/{best}" in b["name"] and "share_of_peak" in b:
            print(f"| {b['name'].replace('/' + best, '').replace('/', ', ')} | {b['GFLOP/s']:.0f} | {100 * b['share_of_peak']:.0f} % |")


def main():
    work, figures = sys.argv[1:]
    os.makedirs(figures, exist_ok=True)
    kernels, scaling = read(work, "kernels.json"), read(work, "scaling.json")
    roofline(kernels, f"{figures}/roofline.svg")
    length(scaling["lengths"], f"{figures}/length.svg")
    print_tables(scaling)
    for benchmarks in (kernels, read(work, "training_kernels.json")):
        print_kernels(benchmarks, best_instruction_set(kernels["benchmarks"]))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
