"""The version of this package, which is that of the library that it is built with."""

from ._native import ffi, lib

__version__: str = ffi.string(lib.bf_version()).decode()
