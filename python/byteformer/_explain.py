"""What a model reads of a file, and which bytes of it decided."""

from __future__ import annotations

import copy
import os
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple, Union

from . import _inputs
from ._classifier import Classifier, Floats, preparer
from ._errors import Error, check, error_of
from ._inputs import File
from ._native import ffi, lib

_QUANTITIES = {"log-odds": lib.BF_LOG_ODDS, "logit": lib.BF_LOGIT}


class Window(NamedTuple):
    """Bytes [begin, end) that were removed together, and what the quantity fell by."""

    begin: int
    end: int
    fall: float


class Explanation(NamedTuple):
    """Occlusion by a sliding window, over the bytes that the model read."""

    label: str  #: the class that is explained
    of: str  #: the quantity: "log-odds" or "logit"
    value: float  #: of the whole file
    span: int  #: bytes that were removed together
    step: int  #: bytes from one window to the next
    heat: Floats  #: float32 [bytes]: how much each speaks for the class
    windows: List[Window]
    data: bytes  #: what the model read: the file, or what it was prepared as
    was_prepared: bool

    def __repr__(self) -> str:
        windows = f"{len(self.windows)} windows of {self.span} bytes"
        return f"<Explanation of {self.label}: {self.of} {self.value:.3f}, {windows}>"

    def __reduce__(self) -> Tuple[Any, ...]:
        return _explanation, (*self[:5], bytes(self.heat), *self[6:])


def explain(
    model: Classifier,
    file: File,
    *,
    label: Union[str, int, None] = None,
    of: str = "log-odds",
    span: int = 0,
    step: int = 0,
    fill: Optional[int] = None,
    on_progress: Optional[Callable[[int, int], object]] = None,
) -> Explanation:
    """Explains the answer of ``model`` for ``file``: bytes are removed, window by window, and the model is asked again.

    ``label``
        The class to explain, by name or index; default: the answer.
    ``of``
        ``"log-odds"``, which never saturates, or ``"logit"``.
    ``span``, ``step``
        Bytes that are removed together, and from one window to the next; 0: chosen for model and file.
    ``fill``
        Puts this byte in the place of removed ones; default: nothing stands there.
    ``on_progress``
        Called with the number of windows done and of all; what it raises ends the work.

    >>> e = byteformer.explain(model, "examples/data/frog.jpg")
    >>> e.label, len(e.heat) == len(e.data), e.windows[0].begin
    ('frog', True, 0)
    """
    if not isinstance(model, Classifier):
        raise TypeError(f"model is a Classifier, not {type(model).__name__}")
    span, step = _inputs.whole_number(span, "span"), _inputs.whole_number(step, "step")
    for name, size in (("span", span), ("step", step)):
        if not 0 <= size < 1 << 63:
            raise Error.of("invalid_argument", f"{name} is {size}; expected 1 to 2^63 - 1 bytes, or 0 for the default")
    options = ffi.new("bf_explain_options*")
    options.struct_size = ffi.sizeof("bf_explain_options")
    options.label = _index_of(model, label)
    if of not in _QUANTITIES:
        raise Error.of("invalid_argument", f"of is {of!r}; expected 'log-odds' or 'logit'")
    options.quantity = _QUANTITIES[of]
    options.fill = -1 if fill is None else _byte(fill)
    options.span, options.step = span, step
    watch = _Watch(on_progress)
    context = ffi.new_handle(watch)
    options.keep_going, options.context = lib.bf_python_keep_going, context
    out = _inputs.place_of("bf_explanation**", lib.bf_explanation_free)

    def call_path(path: bytes) -> Any:
        return lib.bf_explain_path(model._handle, path, options, out)

    def call(buffer: Any) -> Any:
        return lib.bf_explain(model._handle, buffer, len(buffer), options, out)

    try:
        _ask(file, call_path, call)
    except Error:
        if watch.exception is None:
            raise
    if watch.exception is not None:
        raise watch.exception
    return _read(model, of, out[0])


def encode(
    file: File, *, like: Union[Classifier, "_inputs.Path"], keys: Optional[Sequence["_inputs.Path"]] = ()
) -> bytes:
    """The bytes that the model ``like``, or that in this folder, reads of ``file``: what it was trained on.

    Of a classifier it takes what was loaded with it: its folder may be gone, and ``keys`` are not needed. They are for
    a folder, and for a classifier that was loaded ``as_is`` without them: its folder is read again then.

    A classifier that was loaded ``as_is`` gives them the same logits. So give what a model for obfuscated files reads to
    no other: without ``as_is`` it would be obfuscated a second time.

    >>> len(byteformer.encode("examples/data/frog.jpg", like=model)) == 32 * 32 * 3
    True
    """
    encoded_keys = _inputs.encoded_paths(keys, "keys")
    if not isinstance(like, Classifier):
        place = preparer(_inputs.encoded_path(like), encoded_keys)
    elif encoded_keys:
        place = preparer(os.fsencode(like._folder), encoded_keys)
    elif isinstance(like._preparer, Error):
        raise copy.copy(like._preparer)
    else:
        place = like._preparer
    blob = _inputs.place_of("bf_blob**", lib.bf_blob_free)
    _ask(
        file,
        lambda path: lib.bf_preparer_prepare_path(place[0], path, blob),
        lambda buffer: lib.bf_preparer_prepare(place[0], buffer, len(buffer), blob),
    )
    result: bytes = ffi.buffer(lib.bf_blob_data(blob[0]), lib.bf_blob_size(blob[0]))[:]
    return result


def _ask(file: File, call_path: Callable[[bytes], Any], call: Callable[[Any], Any]) -> None:
    """Gives the file to that call of the library that takes such."""
    if _inputs.is_stream(file):
        check(call(ffi.from_buffer(_inputs.content_of(file))))
    elif not _inputs.is_path(file):
        check(call(ffi.from_buffer(_inputs.view_of(file))))
    else:
        error = call_path(_inputs.encoded_path(file))
        if error:
            failure = error_of(error)
            content = _inputs.hidden_content(file, failure)
            if content is None:
                raise failure
            check(call(ffi.from_buffer(content)))


def _byte(value: int) -> int:
    fill = _inputs.whole_number(value, "fill")
    if not 0 <= fill <= 255:
        raise Error.of("invalid_argument", f"fill is {fill}; expected a byte, 0 to 255")
    return fill


def _index_of(model: Classifier, label: Union[str, int, None]) -> int:
    if label is None:
        return -1
    if not isinstance(label, str):
        label = _inputs.whole_number(label, "label")
        if not 0 <= label < len(model.labels):
            raise Error.of("invalid_argument", f"label is {label}; the model has {len(model.labels)} classes")
        return label
    named = [index for index, name in enumerate(model.labels) if name == label]
    if not named:
        raise Error.of("invalid_argument", f"the model has no class {label!r}; its classes are in .labels")
    if len(named) > 1:
        raise Error.of("invalid_argument", f"{label!r} names the classes {named}; give the index of one")
    return named[0]


class _Watch:
    """Tells of progress, and keeps what was raised meanwhile: Ctrl-C among it."""

    def __init__(self, on_progress: Optional[Callable[[int, int], object]]) -> None:
        self.on_progress = on_progress
        self.exception: Optional[BaseException] = None

    def keep_going(self, num_done: int, total: int) -> int:
        try:
            if self.on_progress is not None:
                self.on_progress(num_done, total)
        except BaseException as exception:
            self.exception = exception
        return self.exception is None


def _stop(kind: Any, exception: BaseException, traceback: Any) -> None:
    """Of Ctrl-C that comes while the callback begins or ends."""
    watch: _Watch = ffi.from_handle(traceback.tb_frame.f_locals["context"])
    watch.exception = exception


def _keep_going(context: Any, num_done: int, total: int) -> int:
    watch: _Watch = ffi.from_handle(context)
    return watch.keep_going(num_done, total)


ffi.def_extern(name="bf_python_keep_going", error=0, onerror=_stop)(_keep_going)


def _read(model: Classifier, of: str, handle: Any) -> Explanation:
    size = ffi.new("size_t*")
    heat = lib.bf_explanation_heat(handle, size)
    heat = memoryview(bytearray(ffi.buffer(heat, 4 * size[0]))).cast("f")
    data = lib.bf_explanation_bytes(handle, size)
    data = ffi.buffer(data, size[0])[:]
    windows = lib.bf_explanation_windows(handle, size)
    windows = [Window(window.begin, window.end, window.fall) for window in windows[0 : size[0]]]
    return Explanation(
        model.labels[lib.bf_explanation_label(handle)],
        of,
        lib.bf_explanation_value(handle),
        lib.bf_explanation_span(handle),
        lib.bf_explanation_step(handle),
        heat,
        windows,
        data,
        bool(lib.bf_explanation_was_prepared(handle)),
    )


def _explanation(*fields: Any) -> Explanation:
    """One that was pickled, with its heat as bytes."""
    return Explanation(*fields)._replace(heat=memoryview(bytearray(fields[5])).cast("f"))
