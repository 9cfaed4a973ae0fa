"""Weights of a model: the safetensors container, read strictly and written without gaps."""

from __future__ import annotations

import json
import math
import mmap
import os
import struct
from typing import Any, BinaryIO, Dict, List, NamedTuple, Optional, Tuple

from ._errors import Error

_SIZES = {"F32": 4, "F16": 2, "BF16": 2}
_MAX_HEADER_BYTES = 100_000_000  # the reference implementation's limit


class Tensor(NamedTuple):
    """One tensor as it lies in a file: little-endian numbers, row by row."""

    dtype: str
    shape: Tuple[int, ...]
    data: memoryview


def read(path: "str | os.PathLike[str]") -> Dict[str, Tensor]:
    """Maps the file ``path``; its bytes are read when they are looked at.

    Raises :class:`byteformer.Error` of code ``invalid_format`` if it is damaged.
    """
    name = os.fspath(path)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < 8:
            raise _damaged(name, f"it has {size} bytes, the length of the header alone takes 8")
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    (length,) = struct.unpack_from("<Q", view)
    if length > min(_MAX_HEADER_BYTES, size - 8):
        raise _damaged(name, f"its header would have {length} bytes, {size - 8} follow")
    try:
        header = json.loads(bytes(view[8 : 8 + length]), object_pairs_hook=_without_duplicates)
    except ValueError as problem:
        raise _damaged(name, f"its header is no JSON: {problem}") from None
    if not isinstance(header, dict):
        raise _damaged(name, "its header is no object")
    header.pop("__metadata__", None)
    data = view[8 + length :]
    tensors = {key: _tensor(name, key, entry, data) for key, entry in header.items()}
    if sum(tensor.data.nbytes for tensor in tensors.values()) != data.nbytes:
        raise _damaged(name, "its tensors overlap or leave gaps")
    return tensors


def write(file: BinaryIO, tensors: Dict[str, Tensor]) -> None:
    """Writes ``tensors``, widest numbers first, so that each is aligned to its numbers."""
    names = sorted(tensors, key=lambda name: (-_SIZES[tensors[name].dtype], name))
    header: Dict[str, Any] = {"__metadata__": {"format": "pt"}}
    begin = 0
    for name in names:
        end = begin + tensors[name].data.nbytes
        header[name] = {"dtype": tensors[name].dtype, "shape": tensors[name].shape, "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<Q", len(text)) + text)
    for name in names:
        file.write(tensors[name].data)


def _damaged(path: str, what: str) -> Error:
    return Error.of("invalid_format", f"{path}: is no safetensors file, or damaged: {what}", path)


def _without_duplicates(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("a key occurs twice")
    return entries


def _whole_numbers(value: Any) -> Optional[Tuple[int, ...]]:
    if not isinstance(value, list) or not all(type(number) is int and number >= 0 for number in value):
        return None
    return tuple(value)


def _tensor(path: str, name: str, entry: Any, data: memoryview) -> Tensor:
    if not isinstance(entry, dict):
        raise _damaged(path, f"tensor {name} has no entry of dtype, shape and data_offsets")
    dtype, shape, offsets = entry.get("dtype"), _whole_numbers(entry.get("shape")), entry.get("data_offsets")
    if dtype not in _SIZES:
        raise Error.of("unsupported", f"{path}: tensor {name} is {dtype}; weights must be F32, F16 or BF16", path)
    place = _whole_numbers(offsets)
    if shape is None or place is None or len(place) != 2 or not place[0] <= place[1] <= data.nbytes:
        raise _damaged(path, f"tensor {name} has shape {entry.get('shape')} and data_offsets {offsets}")
    if place[1] - place[0] != math.prod(shape) * _SIZES[dtype]:
        raise _damaged(path, f"tensor {name} of shape {list(shape)} has {place[1] - place[0]} bytes")
    return Tensor(dtype, shape, data[place[0] : place[1]])
