#!/usr/bin/env python3
"""Writes the model beside it: a small ByteFormer with random weights, for tests that need a model and no answers.

Usage: make.py [OUTPUT_DIR]. Needs only Python's standard library; the seed is fixed, so every
run writes the same bytes. Weights start as a training run would start them (docs/model-format.md has the names).
"""
import array
import json
import pathlib
import random
import struct
import sys

HIDDEN, LAYERS, HEADS, FFN, KERNEL, WINDOW, CLASSES = 32, 3, 2, 128, 8, 32, 4
DOWNSAMPLE = [True, True, False]
SEED = 20230531

CONFIG = {
    "model_type": "byteformer", "format_version": 1,
    "hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "intermediate_size": FFN,
    "vocab_size": 257, "pad_token_id": 256, "layer_norm_eps": 1e-5,
    "conv_kernel_size": KERNEL, "max_position_embeddings": 4096, "position_embedding_type": "sinusoidal",
    "window_sizes": [WINDOW] * LAYERS, "window_shifts": [0, WINDOW // 2, 0], "downsample": DOWNSAMPLE,
    "masking": "masked",
    "num_labels": CLASSES, "id2label": {str(i): f"class_{i}" for i in range(CLASSES)},
    "temperature": 1.0,
}

rng = random.Random(SEED)


def uniform(count, bound):
    return [rng.uniform(-bound, bound) for _ in range(count)]


def linear(tensors, name, rows, columns, bias=True):
    """A matrix [rows, columns], Xavier uniform, and a bias of zeros."""
    tensors[f"{name}.weight"] = ([rows, columns], uniform(rows * columns, (6 / (rows + columns)) ** 0.5))
    if bias:
        tensors[f"{name}.bias"] = ([rows], [0.0] * rows)


def norm(tensors, name):
    tensors[f"{name}.weight"] = ([HIDDEN], [1.0] * HIDDEN)
    tensors[f"{name}.bias"] = ([HIDDEN], [0.0] * HIDDEN)


def make_tensors():
    tensors = {}
    bytes_ = [rng.gauss(0, HIDDEN ** -0.5) for _ in range(256 * HIDDEN)]
    tensors["embeddings.weight"] = ([257, HIDDEN], bytes_ + [0.0] * HIDDEN)  # the padding row stays zero
    bound = (HIDDEN * KERNEL) ** -0.5
    tensors["token_reduction_net.weight"] = ([HIDDEN, HIDDEN, KERNEL], uniform(HIDDEN * HIDDEN * KERNEL, bound))
    for i in range(LAYERS):
        norm(tensors, f"transformer.{i}.pre_norm_mha.0")
        linear(tensors, f"transformer.{i}.pre_norm_mha.1.qkv_proj", 3 * HIDDEN, HIDDEN)
        linear(tensors, f"transformer.{i}.pre_norm_mha.1.out_proj", HIDDEN, HIDDEN)
        norm(tensors, f"transformer.{i}.pre_norm_ffn.0")
        linear(tensors, f"transformer.{i}.pre_norm_ffn.1", FFN, HIDDEN)
        linear(tensors, f"transformer.{i}.pre_norm_ffn.4", HIDDEN, FFN)
        if DOWNSAMPLE[i]:
            linear(tensors, f"downsamplers.downsample_{i}.reduction", HIDDEN, 2 * HIDDEN, bias=False)
            norm(tensors, f"downsamplers.downsample_{i}.norm")
    norm(tensors, "post_transformer_norm")
    linear(tensors, "classifier", CLASSES, HIDDEN)
    return tensors


def write_safetensors(path, tensors):
    header, data = {}, bytearray()
    for name, (shape, values) in sorted(tensors.items()):
        numbers = array.array("f", values)
        if sys.byteorder == "big":
            numbers.byteswap()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * len(numbers)]}
        data += numbers.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    output = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent
    output.mkdir(parents=True, exist_ok=True)
    write_safetensors(output / "model.safetensors", make_tensors())
    (output / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")


if __name__ == "__main__":
    main()
