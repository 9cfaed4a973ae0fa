#!/usr/bin/env python3
"""Writes the C source of ``byteformer._native``, the door to the C interface: build_native.py HEADER OUTPUT.

The declarations are those of ``byteformer.h`` itself, so that they stand in one place.
"""

import re
import sys

import cffi


def declarations(header: str) -> str:
    """What cffi needs of a C header: neither comments nor directives, nor what is for C++ and for the linker."""
    header = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    header = re.sub(r"#ifdef __cplusplus.*?#endif", "", header, flags=re.DOTALL)
    header = re.sub(r"^#(?:[^\n]*\\\n)*[^\n]*$", "", header, flags=re.MULTILINE)
    return re.sub(r"\bBF_API\b", "", header)


def main() -> None:
    header, output = sys.argv[1:]
    with open(header, encoding="utf-8") as file:
        text = declarations(file.read())
    builder = cffi.FFI()
    builder.cdef(text + "\n#define BF_ABI_VERSION ...\n")
    builder.cdef('extern "Python" int bf_python_keep_going(void* context, size_t num_done, size_t total);')
    builder.set_source("byteformer._native", "#include <byteformer.h>", py_limited_api=True)
    builder.emit_c_code(output)


if __name__ == "__main__":
    main()
