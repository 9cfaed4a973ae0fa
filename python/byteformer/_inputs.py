"""What may be given as a file: a path, bytes in memory, or a binary stream."""

from __future__ import annotations

import os
from typing import Any, Iterator, Protocol, Union

from ._errors import Error


class BinaryStream(Protocol):
    """Anything whose ``read(n)`` returns up to n bytes, and none at its end; it need not be seekable."""

    def read(self, size: int, /) -> bytes: ...


Path = Union[str, "os.PathLike[str]", bytes]

#: A path, the bytes of a file (whatever offers its buffer: numpy arrays of uint8 too), or a binary stream.
File = Union[str, "os.PathLike[str]", "os.PathLike[bytes]", bytes, bytearray, memoryview, BinaryStream, Any]

_CHUNK_BYTES = 1 << 18


def is_path(file: object) -> bool:
    return isinstance(file, (str, os.PathLike))


def encoded_path(path: Any) -> bytes:
    """A path as the system has it, surrogate escapes undone."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise ValueError(f"embedded null byte in the path {path!r}")
    return encoded


def is_stream(file: Any) -> bool:
    """Whether it is to be read: a mapped file can be, too, but is a buffer."""
    if not callable(getattr(file, "read", None)):
        return False
    try:
        memoryview(file)
        return False
    except TypeError:
        return True


def view_of(buffer: Any) -> Any:
    """``buffer``, or a view of it, which is known to be one run of bytes.

    Raises TypeError if it is none, or its elements are no bytes; ValueError if they have gaps.
    """
    if isinstance(buffer, (bytes, bytearray)):
        return buffer
    try:
        view = memoryview(buffer)
    except TypeError:
        message = f"a file is a path, bytes, a buffer of bytes or a binary stream, not {type(buffer).__name__}"
        raise TypeError(message) from None
    if view.itemsize != 1 or view.format.lstrip("@=<>!") not in ("B", "c"):
        kind = getattr(buffer, "dtype", None) or f"format {view.format!r}"
        raise TypeError(
            f"the elements of this {type(buffer).__name__} are no bytes, but {kind}; expected uint8. Its bytes as they"
            " lie in memory are .view('uint8') of an array, memoryview(...).cast('B') of other buffers"
        )
    if not view.c_contiguous:
        raise ValueError(
            f"this {type(buffer).__name__} is not contiguous: its bytes do not lie one after another in memory;"
            " numpy.ascontiguousarray() or bytes() copies them"
        )
    return view


def chunks_of(stream: Any) -> Iterator[Any]:
    """The pieces of a binary stream up to its end."""
    while True:
        chunk = stream.read(_CHUNK_BYTES)
        if isinstance(chunk, str):
            raise TypeError("the stream returns text; open it in binary mode: open(path, 'rb')")
        if chunk is None:
            raise Error.of("io", "the stream has nothing to read now: it does not wait (non-blocking)", name_of(stream))
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise TypeError(f"the stream's read() returned {type(chunk).__name__}; expected bytes")
        if not len(chunk):
            return
        yield chunk


def name_of(file: Any) -> str:
    """The path of a path, the name of a stream that has one, or nothing."""
    if is_path(file):
        return os.fsdecode(file)
    name = getattr(file, "name", None)
    return name if isinstance(name, str) and is_stream(file) else ""
