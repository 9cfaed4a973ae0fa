"""What may be given as a file: a path, bytes in memory, or a binary stream."""

from __future__ import annotations

import operator
import os
import stat
from typing import Any, Callable, Iterable, Iterator, List, Optional, Protocol, Union

from ._errors import Error
from ._native import ffi


class BinaryStream(Protocol):
    """Anything whose ``read(n)`` returns up to n bytes, and none at its end; it need not be seekable."""

    def read(self, size: int, /) -> bytes: ...


class Buffer(Protocol):
    """Bytes in memory, as those who check types since 2023 know it: mmap, array, and others."""

    def __buffer__(self, flags: int, /) -> memoryview: ...


class Array(Protocol):
    """An array of numpy, whose elements are uint8."""

    @property
    def __array_interface__(self) -> Any: ...


Path = Union[str, "os.PathLike[str]", bytes]

#: A path, the bytes of a file (whatever offers its buffer: numpy arrays of uint8 too), or a binary stream.
File = Union[
    str, "os.PathLike[str]", "os.PathLike[bytes]", bytes, bytearray, memoryview, Buffer, Array, BinaryStream
]

_CHUNK_BYTES = 1 << 18
_MOST_BYTES = 1 << 30  # of a file that is held whole


def is_path(file: object) -> bool:
    return isinstance(file, (str, os.PathLike))


def encoded_path(path: Any) -> bytes:
    """A path as the system has it, surrogate escapes undone.

    Raises :class:`Error` where no file can have it; what it holds is not repeated, since it may be a secret.
    """
    try:
        encoded = os.fsencode(path)
    except UnicodeEncodeError:
        raise Error.of("invalid_argument", "a path holds characters that no file's name can have") from None
    if b"\0" in encoded:
        raise Error.of("invalid_argument", "a path holds a zero byte: is it the content of a file?")
    if not encoded:
        raise Error.of("invalid_argument", "a path is empty")
    return encoded


def encoded_paths(paths: Any, name: str) -> List[bytes]:
    """Several, of the parameter ``name``; None is none."""
    if paths is None:
        return []
    if isinstance(paths, (str, bytes, os.PathLike)) or not isinstance(paths, Iterable):
        raise TypeError(f"{name} takes several paths: {name}=[path]")
    return [encoded_path(path) for path in paths]


def whole_number(value: Any, name: str) -> int:
    """What the parameter ``name`` was given, a number of numpy among it."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is a whole number, not {type(value).__name__}") from None


def text(value: Any, name: str) -> bytes:
    """A word for C, of the parameter ``name``."""
    if not isinstance(value, str):
        raise TypeError(f"{name} is a str, not {type(value).__name__}")
    if "\0" in value:
        raise Error.of("invalid_argument", f"{name} is {value!r}, which holds a zero byte")
    return value.encode("utf-8", "surrogatepass")  # the library has no such word, and says so


def place_of(kind: str, free: Callable[[Any], None]) -> Any:
    """Where the library puts a handle, which is freed together with it, whatever comes in between: Ctrl-C, too."""
    return ffi.gc(ffi.new(kind), lambda place: free(place[0]))


def is_stream(file: Any) -> bool:
    """Whether it is to be read: a mapped file can be, too, but is a buffer."""
    if not callable(getattr(file, "read", None)):
        return False
    try:
        memoryview(file)
        return False
    except TypeError:
        return True


_FILES = "a path, bytes, a buffer of bytes or a binary stream (of a socket: makefile('rb'))"


def view_of(buffer: Any, expected: str = _FILES) -> Any:
    """``buffer``, or a view of it, which is known to be one run of bytes.

    Raises TypeError if it is none, or its elements are no bytes; :class:`InvalidArgumentError` if they have gaps.
    """
    if isinstance(buffer, (bytes, bytearray)):
        return buffer
    try:
        view = memoryview(buffer)
    except (TypeError, ValueError):  # ValueError: of numpy, for elements that no buffer can hold
        kind = getattr(buffer, "dtype", None)
        raise TypeError(f"expected {expected}, not {type(buffer).__name__}" + (f" of {kind}" if kind else "")) from None
    if view.itemsize != 1 or view.format.lstrip("@=<>!") not in ("B", "c"):
        kind = getattr(buffer, "dtype", None) or f"format {view.format!r}"
        raise TypeError(
            f"the elements of this {type(buffer).__name__} are no bytes, but {kind}; expected uint8. Its bytes as they"
            " lie in memory are .view('uint8') of an array, memoryview(...).cast('B') of other buffers"
        )
    if not view.c_contiguous:
        raise Error.of(
            "invalid_argument",
            f"this {type(buffer).__name__} is not contiguous: its bytes do not lie one after another in memory;"
            " numpy.ascontiguousarray() or bytes() copies them",
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


def content_of(stream: Any) -> bytes:
    """A binary stream as a whole. Raises :class:`UnsupportedError` where it does not end within 1 GiB."""
    content = bytearray()
    for chunk in chunks_of(stream):
        content += chunk
        if len(content) > _MOST_BYTES:
            raise Error.of("unsupported", "is larger than 1 GiB, and has to be held whole", name_of(stream))
    return bytes(content)


def hidden_content(path: Any, error: Error) -> Optional[bytes]:
    """What a regular file holds that says it is empty, as those of /proc do, if ``error`` comes from that; or None."""
    if error.code not in ("empty_file", "file_changed"):
        return None
    try:
        info = os.stat(path)
        if stat.S_ISREG(info.st_mode) and info.st_size == 0:
            with open(path, "rb", buffering=0) as file:
                return content_of(file) or None
    except OSError:
        pass
    return None


def name_of(file: Any) -> str:
    """The path of a path, the name of a stream that has one, or nothing."""
    if is_path(file):
        return os.fsdecode(file)
    name = getattr(file, "name", None)
    return name if isinstance(name, str) and is_stream(file) else ""
