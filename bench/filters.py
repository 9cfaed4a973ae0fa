"""Draws the first and the learnt filters of a sound model's stem: the figure of docs/training.md.

Usage: filters.py FIRST LEARNT FIGURE
  FIRST    model folder of `byteformer train --steps 1`
  LEARNT   the same after training
  FIGURE   SVG to write

A filter is what a channel's convolution reads of the direction in which the value of a byte moves the embedding: for
int16 the signed upper byte, for uint8 the byte. Numpy and Matplotlib are needed.
"""
import json
import struct
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "byteformer"})
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

SHOWN = (5, 15, 30, 60)  # channels whose filters are drawn as curves


def tensor(folder, name):
    with open(f"{folder}/model.safetensors", "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        begin, end = header[name]["data_offsets"]
        file.seek(-(max(t["data_offsets"][1] for n, t in header.items() if n != "__metadata__") - begin), 2)
        return np.frombuffer(file.read(end - begin), "<f4").reshape(header[name]["shape"]).astype(float)


def filters(folder):
    """[channels, samples], and the sample rate."""
    with open(f"{folder}/config.json", encoding="utf-8") as text:
        preprocess = json.load(text)["preprocess"]
    is_int16 = preprocess["encoding"]["sample_format"] == "int16"
    values = np.arange(256.0)
    values = np.where(values < 128, values, values - 256) / 128 if is_int16 else (values - 127.5) / 127.5
    values -= values.mean()
    direction = values @ tensor(folder, "embeddings.weight")[:256] / (values @ values)
    taps = np.einsum("oik,i->ok", tensor(folder, "token_reduction_net.weight"), direction)
    return taps[:, 1::2] if is_int16 else taps, preprocess["audio"]["sample_rate"]


def draw(first, learnt, path):
    figure, axes = plt.subplots(2, 2, figsize=(8, 4.6), gridspec_kw={"width_ratios": (1.1, 1)})
    for row, (folder, name) in enumerate(((first, "first"), (learnt, "learnt"))):
        taps, rate = filters(folder)
        spectra = np.abs(np.fft.rfft(taps, 256, axis=1))
        image, curves = axes[row]
        image.imshow(spectra.T / spectra.max(axis=1), origin="lower", aspect="auto", cmap="magma", interpolation="none",
                     extent=(0, len(taps), 0, rate / 2000))
        image.set(title=f"{name}: what each channel hears", xlabel="channel", ylabel="kHz")
        for place, channel in enumerate(SHOWN):
            curves.plot(1000 * np.arange(taps.shape[1]) / rate, taps[channel] / np.abs(taps[channel]).max() - 2.2 * place,
                        linewidth=1, color="#1f6fb4")
        curves.set(title=f"{name}: channels " + ", ".join(map(str, SHOWN)), xlabel="milliseconds", yticks=[])
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    draw(*sys.argv[1:])
