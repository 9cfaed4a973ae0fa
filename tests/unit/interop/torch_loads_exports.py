"""Checks with PyTorch that exported checkpoints equal the originals, tensor by tensor: EXPORT_GOLDENS TEST_DATA."""
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

import torch

DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def read_safetensors(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        raw = bytearray(data[8 + size + begin : 8 + size + end])
        tensors[name] = torch.frombuffer(raw, dtype=DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


class StateHolder(torch.nn.Module):
    """A module tree whose state dict has the names and shapes of `tensors`, for load_state_dict(strict=True)."""

    def __init__(self, tensors):
        super().__init__()
        for name, tensor in tensors.items():
            module = self
            *path, leaf = name.split(".")
            for part in path:
                if not hasattr(module, part):
                    module.add_module(part, torch.nn.Module())
                module = getattr(module, part)
            module.register_parameter(leaf, torch.nn.Parameter(torch.zeros_like(tensor)))


def check_equal(found, expected, what):
    assert set(found) == set(expected), f"{what}: {set(found) ^ set(expected)}"
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, f"{what}: {name} has type {found[name].dtype}"
        assert torch.equal(found[name], tensor), f"{what}: {name} differs"
        assert found[name].stride() == tensor.contiguous().stride(), f"{what}: {name} has other strides"


def main(export_goldens, data):
    models = pathlib.Path(data) / "models"
    num_tensors = 0
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([export_goldens, models, out], check=True)
        for model in sorted(models.iterdir()):
            expected = torch.load(model / "weights.pt", map_location="cpu")
            exported = torch.load(pathlib.Path(out) / model.name / "released" / "exported.pt", map_location="cpu")
            assert type(exported) is collections.OrderedDict, type(exported)
            check_equal(exported, expected, model.name)
            check_equal(read_safetensors(pathlib.Path(out) / model.name / "released" / "exported.safetensors"), expected, model.name)
            holder = StateHolder(expected)
            holder.load_state_dict(exported, strict=True)
            check_equal(holder.state_dict(), expected, f"{model.name} loaded")
            num_tensors += len(expected)
    assert num_tensors > 0
    print(f"{num_tensors} tensors are equal")


main(*sys.argv[1:])
