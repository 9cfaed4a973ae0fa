"""Builds the package by CMake: the extension, and the library, the decoders and the program that it brings along."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from wheel.bdist_wheel import bdist_wheel

ROOT = pathlib.Path(__file__).resolve().parent
#: Of an installed tree, what the package needs at work.
BUNDLED = ["bin/byteformer", "lib/libbyteformer-c.so.[0-9]", "lib/byteformer", "share/byteformer", "share/doc"]


def version():
    text = (ROOT / "CMakeLists.txt").read_text()
    return re.search(r"project\(byteformer VERSION ([0-9.]+)", text)[1]


class Build(build_ext):
    """Installs into a folder of its own, from which the package takes its part."""

    def build_extension(self, extension):
        build = pathlib.Path(os.environ.get("BYTEFORMER_BUILD", self.build_temp)).resolve()
        target = pathlib.Path(self.get_ext_fullpath(extension.name)).resolve()
        options = [
            "-DBYTEFORMER_BUILD_TRAINER=OFF",
            "-DCMAKE_INSTALL_LIBDIR=lib",
            f"-DPython3_EXECUTABLE={sys.executable}",
        ]
        run = lambda *words: subprocess.run(["cmake", *map(str, words)], check=True, cwd=ROOT)  # noqa: E731
        run("--preset", "release", "-B", build, *options)
        run("--build", build, *([] if "CMAKE_BUILD_PARALLEL_LEVEL" in os.environ else ["-j", os.cpu_count()]))
        shutil.rmtree(build / "installed", ignore_errors=True)
        run("--install", build, "--prefix", build / "installed", "--strip")
        run("--install", build, "--component", "python", "--prefix", build / "installed", "--strip")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(build / "installed" / "byteformer" / target.name, target)
        bundle = target.parent / "_bundle"
        shutil.rmtree(bundle, ignore_errors=True)
        for pattern in BUNDLED:
            for source in (build / "installed").glob(pattern):
                place = bundle / source.relative_to(build / "installed")
                place.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if source.is_dir() else shutil.copy2)(source, place)


class Wheel(bdist_wheel):
    """For every CPython from 3.9 on."""

    def finalize_options(self):
        self.py_limited_api = "cp39"
        super().finalize_options()


setup(
    version=version(),
    ext_modules=[Extension("byteformer._native", [], py_limited_api=True)],
    cmdclass={"build_ext": Build, "bdist_wheel": Wheel},
)
