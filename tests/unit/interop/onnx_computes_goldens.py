"""Checks exported ONNX files: EXPORT_GOLDENS TEST_DATA.

The standard's own checker must accept them, types and shapes included, and executed operator by operator in PyTorch they
must give the golden logits, in both meanings of masking and at every length.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import onnx
from onnx import numpy_helper
import torch
from torch.nn import functional as F

TOLERANCE = 2e-5  # of the largest logit


def pad(x, pads):
    half = len(pads) // 2
    return F.pad(x, [n for axis in reversed(range(half)) for n in (int(pads[axis]), int(pads[half + axis]))])


def cut(x, start, end, axis):
    """Slice of one axis."""
    size = x.shape[int(axis)]
    begin, end = min(int(start), size), min(int(end), size)
    return x.narrow(int(axis), begin, max(end - begin, 0))


def reshape(x, shape):
    return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(shape.tolist())])


TYPES = {onnx.TensorProto.FLOAT: torch.float32, onnx.TensorProto.INT64: torch.int64}
OPERATORS = {  # of operator set 17: inputs, then attributes
    "Add": lambda a, b: a + b,
    "And": lambda a, b: a & b,
    "Cast": lambda x, to: x.to(TYPES[to]),
    "Concat": lambda *parts, axis: torch.cat(parts, axis),
    "Conv": lambda x, w, strides: F.conv1d(x, w, stride=strides[0]),
    "Cos": torch.cos,
    "Div": lambda a, b: a / b if a.is_floating_point() else torch.div(a, b, rounding_mode="trunc"),
    "Erf": torch.erf,
    "Gather": lambda table, ids, axis: table[ids],
    "GreaterOrEqual": lambda a, b: a >= b,
    "Identity": lambda x: x,
    "LayerNormalization": lambda x, w, b, axis, epsilon: F.layer_norm(x, w.shape, w, b, epsilon),
    "Less": lambda a, b: a < b,
    "MatMul": lambda a, b: a @ b,
    "Max": torch.maximum,
    "Mul": lambda a, b: a * b,
    "Pad": pad,
    "Range": lambda start, limit, delta: torch.arange(int(start), int(limit), int(delta)),
    "ReduceMean": lambda x, axes, keepdims: x.mean(axes, keepdim=bool(keepdims)),
    "Reshape": reshape,
    "Shape": lambda x, start, end: torch.tensor(x.shape[start:end]),
    "Sin": torch.sin,
    "Slice": cut,
    "Softmax": lambda x, axis: x.softmax(axis),
    "Squeeze": lambda x, axes=None: x.squeeze() if axes is None else x.squeeze(int(axes)),
    "Sub": lambda a, b: a - b,
    "Transpose": lambda x, perm: x.permute(*perm),
    "Where": torch.where,
}


def tensor_of(initializer):
    return torch.tensor(numpy_helper.to_array(initializer))


def run(graph, weights, files):
    values = {**weights, "files": files}
    for node in graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        values[node.output[0]] = OPERATORS[node.op_type](*(values[name] for name in node.input), **attributes)
    return values["logits"]


def check(path, golden, meaning):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    config = json.loads((golden / "config.json").read_text())
    assert metadata["masking"] == meaning and json.loads(metadata["id2label"]) == config["id2label"], metadata
    weights = {initializer.name: tensor_of(initializer) for initializer in model.graph.initializer}
    state = torch.load(golden / "weights.pt")
    for name in state.keys() & weights.keys():
        assert torch.equal(weights[name], state[name].float()), f"{path}: {name} differs"
    num_cases = 0
    for case in json.loads((golden / "cases.json").read_text())["cases"]:
        if case[meaning] is None:
            continue
        file = torch.tensor(list((golden / case["input"]).read_bytes()), dtype=torch.uint8)
        logits = run(model.graph, weights, torch.stack([file, file]))  # a batch of two
        expected = torch.tensor(case[meaning])
        for row in logits:
            error = ((row - expected).abs().max() / expected.abs().max()).item()
            assert error <= TOLERANCE, f"{path} on {case['input']}: {error:.1e} of the largest logit"
        num_cases += 1
    return num_cases


def main(export_goldens, data):
    num_cases = 0
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([export_goldens, pathlib.Path(data) / "models", out], check=True)
        for golden in sorted((pathlib.Path(data) / "models").iterdir()):
            for meaning in ("released", "masked"):
                num_cases += check(f"{out}/{golden.name}/{meaning}/exported.onnx", golden, meaning)
    assert num_cases > 0
    print(f"{num_cases} cases agree")


main(*sys.argv[1:])
