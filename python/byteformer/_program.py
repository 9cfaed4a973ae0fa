"""What the program ``byteformer`` does, started by Python: training, and models for obfuscated files."""

from __future__ import annotations

import contextlib
import os
import pathlib
import sys
from typing import Any, Callable, Dict, List, NamedTuple, NoReturn, Optional, Sequence

from . import _inputs
from ._errors import Error, ProgramError, TrainerMissing

_MAX_MESSAGE_CHARACTERS = 20_000  # of what a program said, for an exception
_GRACE_S = 30.0  # for a training to save what it has


class Progress(NamedTuple):
    """How far a training is: what the program tells of a step, of a validation, or of its end."""

    event: str  #: "step", "validation" or "end"
    step: int
    total_steps: int
    epoch: float
    loss: Optional[float] = None  #: of training in "step", of validation in "validation"
    top1: Optional[float] = None  #: share of validation files that are answered rightly
    details: Dict[str, Any] = {}  #: everything, as the program's JSON has it


def program() -> str:
    """Where the program ``byteformer`` lies: in this package, or else on PATH.

    Raises :class:`UnsupportedError` where it is not installed.
    """
    bundled = pathlib.Path(__file__).parent / "_bundle" / "bin" / "byteformer"
    if bundled.exists():
        return str(bundled)
    import shutil  # here, as others below: most who import this package start no program

    found = shutil.which("byteformer")
    if found is None:
        raise Error.of(
            "unsupported",
            "the program byteformer is not installed here: it comes with the wheel of this package and with Debian's"
            " package byteformer",
        )
    return found


def default_model() -> pathlib.Path:
    """The model that ``byteformer classify`` takes where none is named: what BYTEFORMER_MODEL names, or ``file-types``
    where the program has it, which tells formats of files apart.

    Raises :class:`NotFoundError` where there is none.
    """
    if named := os.environ.get("BYTEFORMER_MODEL"):
        return pathlib.Path(named)
    above = pathlib.Path(program()).resolve().parent.parent
    for models in (above.parent.parent / "models", above / "share" / "byteformer" / "models"):
        if (models / "file-types").is_dir():
            return models / "file-types"
    raise Error.of("not_found", "models/file-types is not beside the program, and BYTEFORMER_MODEL is not set")


def main() -> NoReturn:
    """The command ``byteformer`` of the wheel, and ``python -m byteformer``."""
    try:
        path = program()
    except Error as error:
        sys.exit(f"byteformer: {error}")
    os.execv(path, [path, *sys.argv[1:]])


def rekey(model: "_inputs.Path", *, key: "_inputs.Path", output: "_inputs.Path", again: bool = False) -> pathlib.Path:
    """Makes the model ``output`` for files that are obfuscated by ``key`` of the model for plain ones.

    For obfuscated bytes it gives bit for bit the logits that ``model`` gives for the bytes before. ``again`` allows
    that ``model`` reads obfuscated files already. Returns the new folder.

    Raises :class:`NotFoundError` where ``model`` or ``key`` is missing, :class:`AlreadyExistsError` where ``output`` is
    there, and :class:`ProgramError` with the program's own words otherwise.
    """
    plain, key_path, target = [os.fsdecode(_inputs.encoded_path(path)) for path in (model, key, output)]
    for path in (plain, key_path):
        if not os.path.exists(path):
            raise Error.of("not_found", f"{path}: does not exist", path)
    if os.path.lexists(target):
        raise Error.of("already_exists", f"{target}: exists already", target)
    options = ["--again"] if again else []
    _run(["obfuscate", "rekey", *options, "--key", key_path, "-o", target, "--", plain])
    return pathlib.Path(target)


def train(
    data: "_inputs.Path | None" = None,
    output: "_inputs.Path | None" = None,
    *,
    resume: "_inputs.Path | None" = None,
    on_progress: Optional[Callable[[Progress], object]] = None,
    **settings: Any,
) -> pathlib.Path:
    """Trains a model, as ``byteformer train`` does, and returns its folder.

    ``data``
        Labelled files: a folder with a folder of files for each class, or what else docs/data.md lists.
    ``output``
        The model folder to create.
    ``resume``
        Goes on with a run that was stopped, instead of a new one.
    ``on_progress``
        Called with a :class:`Progress` about once per second. What it raises stops the training, which saves what it
        has, and is then raised here. Without it the program's own words go to ``sys.stderr``.
    ``settings``
        Those of ``byteformer train --help``: ``time="10m"``, ``preset="nano"``, ``batch_size=32``.

    Raises :class:`TrainerMissing` where the trainer is not installed, and :class:`ProgramError` with the program's own
    words where it fails. After Ctrl-C the run is saved, and ``resume`` goes on bit for bit.
    """
    folder = resume if resume is not None else output
    if folder is None:
        raise Error.of("invalid_argument", "output is required: the model folder to create (or resume)")
    for name in ("dry_run", "help", "json", "version"):
        if name in settings:
            raise Error.of("invalid_argument", f"{name} belongs to the command: byteformer train --help explains it")
    given = {"data": data, "output": output, "resume": resume, **settings}
    arguments = [part for name, value in given.items() for part in _option(name, value)]
    _require_trainer()
    with _Training([program(), "train", "--json", *arguments], on_progress) as training:
        training.wait()
    return pathlib.Path(os.fsdecode(folder))


def _option(name: str, value: Any) -> List[str]:
    """A setting as words of a command line."""
    option = "--" + name.replace("_", "-")
    if value is None or value is False:
        return []
    if value is not True:
        option += f"={os.fsdecode(value) if isinstance(value, (bytes, os.PathLike)) else value}"
    try:
        if b"\0" not in os.fsencode(option):
            return [option]
    except UnicodeEncodeError:
        pass
    raise Error.of("invalid_argument", f"{name!r} holds characters that no program can be given, such as a zero byte")


def _require_trainer() -> None:
    here = pathlib.Path(program()).resolve().parent
    places = [here, here.parent / "libexec" / "byteformer", *map(pathlib.Path, os.get_exec_path())]
    if not any(os.access(place / "byteformer-train", os.X_OK) for place in places):
        raise TrainerMissing(
            "training needs the program byteformer-train, which is not installed here: it is linked to LibTorch, and no"
            " part of the wheel. Install the package byteformer-train that scripts/build_debs.sh makes, or build it"
            " (./scripts/quickstart.sh --with-training in its sources) and add its folder to PATH"
        )


def _fail(arguments: Sequence[str], status: int, words: str) -> NoReturn:
    message = words.strip() or f"{' '.join(arguments[:2])} failed with status {status}"
    raise ProgramError(message, exit_status=status)


def _run(arguments: List[str]) -> str:
    """Standard output of the program."""
    import subprocess

    done = subprocess.run(
        [program(), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False
    )
    if done.returncode != 0:
        _fail(arguments, done.returncode, _words(done.stderr))
    return _words(done.stdout)


def _words(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")


class _Training:
    """A program that trains, which does not outlive its ``with`` block."""

    def __init__(self, command: List[str], on_progress: Optional[Callable[[Progress], object]]) -> None:
        import subprocess
        import threading

        self._command = command
        self._on_progress = on_progress
        self._said = ""
        # In a session of its own: Ctrl-C reaches it through us, once.
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def wait(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if self._on_progress is not None:
                self._on_progress(_progress(line))
        status = self._process.wait()
        self._listener.join()
        if status != 0:
            _fail(["byteformer", "train"], status, self._said)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            words = _words(line)
            self._said = (self._said + words)[-_MAX_MESSAGE_CHARACTERS:]
            if self._on_progress is None:
                with contextlib.suppress(Exception):  # there may be none, as in a daemon; the program goes on
                    sys.stderr.write(words)

    def __enter__(self) -> "_Training":
        return self

    def __exit__(self, *exception: object) -> None:
        import threading

        with self._process as process:  # closes the pipes and waits
            if process.poll() is not None:
                return
            process.terminate()  # it finishes its step, and saves
            drain = threading.Thread(target=_drain, args=(process.stdout,), daemon=True)  # a full pipe would hold it
            drain.start()
            try:
                process.wait(_GRACE_S)
            except BaseException:  # also a second Ctrl-C
                process.kill()
            drain.join()
            self._listener.join()


def _drain(pipe: Any) -> None:
    for _ in pipe:
        pass


def _progress(line: bytes) -> Progress:
    import json

    told = json.loads(line)
    return Progress(
        told["event"], told["step"], told["total_steps"], told["epoch"], told.get("loss"), told.get("top1"), told
    )
