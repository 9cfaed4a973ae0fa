"""Models: loading one, and asking it about files."""

from __future__ import annotations

import os
import re
import stat
import struct
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Type
from typing import Union

from . import _inputs
from ._batches import Batches
from ._errors import Error, check, error_of
from ._inputs import File
from ._native import ffi, lib

if TYPE_CHECKING:
    from ._native import Floats as Floats
else:
    Floats = memoryview

# What a call to the C library takes is looked up once: attributes of `lib` cost as much as a small file.
_from_buffer = ffi.from_buffer
_new = ffi.new
_NULL = ffi.NULL


class Prediction(NamedTuple):
    """One class of a ranked answer."""

    label: str
    score: float  #: softmax of logits / temperature, in [0, 1]
    index: int  # type: ignore[assignment]  # hides that of tuples


class Result:
    """What a model says of one file. Two of them can be told apart by ``source``: the path, where there is one.

    Numbers are float32, as memoryviews of format ``"f"``: ``numpy.asarray(r.logits)`` and
    ``torch.frombuffer(r.logits, dtype=torch.float32)`` take them without a copy. They are the result's own memory: copy
    them before you change them, since ``label`` and ``score`` follow from them. Results compare by identity.

    >>> r = model.classify("examples/data/frog.jpg")
    >>> r.label, len(r.logits), r.top(1) == [(r.label, r.score, model.labels.index(r.label))]
    ('frog', 10, True)
    """

    __slots__ = (
        "source", "num_bytes", "num_tokens", "was_prepared", "labels",
        "_numbers", "_model", "_scores", "_unknown_below",
    )  # fmt: skip

    source: str  #: path of the file, or the name of a stream that has one, or empty
    num_bytes: int  #: that the model read
    num_tokens: int  #: after the stem
    was_prepared: bool  #: whether the model read other bytes than those of the file
    labels: Sequence[str]  #: of all classes

    def __init__(
        self, source: str, num_bytes: int, num_tokens: int, was_prepared: bool, numbers: bytearray, model: "Classifier"
    ) -> None:
        self.source = source
        self.num_bytes = num_bytes
        self.num_tokens = num_tokens
        self.was_prepared = was_prepared
        self.labels = model.labels
        self._unknown_below = model.unknown_below
        self._numbers = numbers
        self._model: Optional[Classifier] = model
        self._scores: Optional[Floats] = None

    @property
    def logits(self) -> Floats:
        """[classes], before temperature and softmax: the same bits whatever the batch, the threads and the pieces."""
        return memoryview(self._numbers).cast("f")[: len(self.labels)]

    @property
    def features(self) -> Floats:
        """[hidden_size], the mean vector before the head."""
        return memoryview(self._numbers).cast("f")[len(self.labels) :]

    @property
    def scores(self) -> Floats:
        """[classes], softmax of logits / temperature."""
        if self._scores is None:
            assert self._model is not None
            scores = bytearray(4 * len(self.labels))
            logits, count = _from_buffer("float[]", self._numbers), len(self.labels)
            check(lib.bf_scores(self._model._handle, logits, count, _from_buffer("float[]", scores)))
            self._scores = memoryview(scores).cast("f")
        return self._scores

    @property
    def label(self) -> str:
        """The class with the highest score, or ``"unknown"`` where that is too low: see :attr:`is_unknown`."""
        return "unknown" if self.is_unknown else self.top(1)[0].label

    @property
    def is_unknown(self) -> bool:
        """Whether the highest score is below what the model takes for an answer, as ``byteformer classify`` says it."""
        return self.score < self._unknown_below

    @property
    def score(self) -> float:
        """The highest score."""
        return float(max(self.scores))

    def top(self, k: int) -> List[Prediction]:
        """The ``k`` most likely classes, best first, equal ones in the order of the model."""
        scores = self.scores.tolist()
        if k == 1:
            best = scores.index(max(scores))
            return [Prediction(self.labels[best], scores[best], best)]
        order = sorted(range(len(scores)), key=lambda i: -scores[i])[: max(0, k)]
        return [Prediction(self.labels[i], scores[i], i) for i in order]

    def __repr__(self) -> str:
        source = f"{self.source!r}: " if self.source else ""
        return f"<Result {source}{self.label} {100 * self.score:.1f} %, {self.num_bytes:,} bytes>"

    def __getstate__(self) -> Tuple[Any, ...]:
        numbers = (self._unknown_below, bytes(self._numbers), bytes(self.scores))
        return (self.source, self.num_bytes, self.num_tokens, self.was_prepared, self.labels, *numbers)

    def __setstate__(self, state: Tuple[Any, ...]) -> None:
        self.source, self.num_bytes, self.num_tokens, self.was_prepared, self.labels, *rest = state
        self._unknown_below, numbers, scores = rest
        self._numbers = bytearray(numbers)
        self._scores = memoryview(bytearray(scores)).cast("f")
        self._model = None


def row(path: "_inputs.Path", answer: Union[Result, Error], top_k: int = 5, logits: bool = False) -> Dict[str, Any]:
    """What :meth:`Classifier.classify_many` says of a file as an object for ``json.dumps``: that of
    ``byteformer classify --jsonl``, but for what it knows of labels besides. Bytes of a path that are no UTF-8
    are escaped as there: ``\\xff``.

    >>> row("frog.jpg", model.classify("examples/data/frog.jpg"), top_k=1)["predictions"]  # doctest: +ELLIPSIS
    [{'label': 'frog', 'index': 6, 'score': 0.9...}]
    """
    text = os.fsencode(path)  # what looks like an escape is escaped, so that each can be undone
    path = re.sub(rb"\\(?=x[0-9a-f]{2})", rb"\\x5c", text).decode("utf-8", "backslashreplace")
    if isinstance(answer, Error):
        return {"path": path, "status": "error", "error": {"code": answer.code, "message": answer.message}}
    ranked = [Prediction("unknown", answer.score, -1)] if answer.is_unknown else []
    ranked += answer.top(top_k)
    found: Dict[str, Any] = {"path": path, "status": "ok", "bytes": answer.num_bytes, "tokens": answer.num_tokens}
    if answer.was_prepared:
        found["prepared"] = True
    found["predictions"] = [{"label": p.label, "index": p.index, "score": _shortest(p.score)} for p in ranked]
    if logits:
        found["logits"] = [_shortest(logit) for logit in answer.logits]
    return found


def _shortest(number: float) -> float:
    """The decimal of fewest digits that is this float32."""
    for digits in range(6, 9):
        short = float(f"{number:.{digits}g}")
        if struct.pack("f", short) == struct.pack("f", number):
            return short
    return float(f"{number:.9g}")


class Classifier:
    """A loaded model. Any number of threads may use one at once; they share its weights and nothing else.

    ``path``
        The model's folder, which may go once it is loaded.
    ``threads``
        That share the work of one call; 0: one per processor.
    ``precision``
        Of the linear layers: ``"float32"``, ``"bfloat16"`` or ``"int8"``.
    ``as_is``
        Files are in the model's form already, and read as they are. Otherwise they are prepared, as ``byteformer
        classify`` does: a model of pixels gets the pixels of a PNG.
    ``masking``
        Overrides the meaning of masking that the model names: ``"released"`` or ``"masked"``.
    ``keys``
        Paths of the secret keys of a model that reads obfuscated files.

    The GIL is released while it computes. A child of ``fork`` may go on using it. It pickles as its absolute path and
    options, from which it is loaded again elsewhere.

    >>> m = byteformer.Classifier("models/cifar10", threads=2)
    >>> m.labels[:3], m.hidden_size, m.prepares
    (('airplane', 'automobile', 'bird'), 128, True)
    """

    def __init__(
        self,
        path: "_inputs.Path",
        *,
        threads: int = 0,
        precision: str = "float32",
        as_is: bool = False,
        masking: Optional[str] = None,
        keys: Optional[Sequence["_inputs.Path"]] = (),
    ) -> None:
        threads = _inputs.whole_number(threads, "threads")
        if not 0 <= threads <= _MOST_THREADS:
            raise Error.of("invalid_argument", f"threads is {threads}; expected 0 to {_MOST_THREADS}")
        encoded_keys = _inputs.encoded_paths(keys, "keys")
        encoded_folder = _inputs.encoded_path(path)
        self._options: Dict[str, Any] = dict(
            threads=threads, precision=precision, as_is=as_is, masking=masking,
            keys=tuple(map(_absolute, encoded_keys)),
        )  # fmt: skip
        self._folder = _absolute(encoded_folder)
        words = (_inputs.text(precision, "precision"), _inputs.text("" if masking is None else masking, "masking"))
        texts = [_new("char[]", word) for word in words]
        key_paths = [_new("char[]", key) for key in encoded_keys]
        key_list = _new("char*[]", key_paths)
        options = _new("bf_load_options*")
        options.struct_size = ffi.sizeof("bf_load_options")
        options.num_threads = threads
        options.as_is = bool(as_is)
        options.precision = texts[0]
        options.masking = _NULL if masking is None else texts[1]
        options.keys = key_list
        options.num_keys = len(key_paths)
        self._place = _inputs.place_of("bf_classifier**", lib.bf_classifier_free)
        check(lib.bf_classifier_load(encoded_folder, options, self._place))
        self._handle = handle = self._place[0]
        self._preparer = _preparer_or_why_not(encoded_folder, encoded_keys)
        self.path: str = os.fsdecode(path)  #: as it was given
        self.labels: Tuple[str, ...] = tuple(
            _text(lib.bf_classifier_label(handle, i)) for i in range(lib.bf_classifier_num_labels(handle))
        )  #: names of the classes
        self.hidden_size: int = lib.bf_classifier_hidden_size(handle)  #: numbers in the features of a file
        self.kernel_size: int = lib.bf_classifier_kernel_size(handle)  #: bytes that a token reads
        self.threads: int = lib.bf_classifier_num_threads(handle)
        self.precision: str = _text(lib.bf_classifier_precision(handle))
        self.masking: str = _text(lib.bf_classifier_masking(handle))
        self.kernels: str = _text(lib.bf_classifier_kernels(handle))  #: the instruction set in use, such as "avx2"
        #: a best score below this: the file may be of no class, and is ``"unknown"``; 0: the model says nothing of it
        self.unknown_below: float = lib.bf_classifier_unknown_below(handle)
        self.prepares: bool = bool(lib.bf_classifier_prepares(handle))  #: whether files may be prepared before
        self.form: str = _text(lib.bf_classifier_form(handle))  #: what files are prepared as, for people
        self._num_numbers = len(self.labels) + self.hidden_size

    def classify(self, file: File) -> Result:
        """Classifies one file: a path, its bytes, or a binary stream, which is read to its end.

        Raises :class:`Error`, and whatever a stream raises.

        >>> with open("examples/data/frog.jpg", "rb") as stream:
        ...     model.classify(stream)
        <Result 'examples/data/frog.jpg': frog 9... %, 3,072 bytes>
        """
        source = ""
        if type(file) is not bytes:
            if _inputs.is_path(file):
                source = _inputs.name_of(file)
                numbers, result = self._place_for_result()
                error = lib.bf_classify_path(self._handle, _inputs.encoded_path(file), result)
                if error:
                    return self._instead_of(error_of(error), file)
                return self._result(source, result, numbers)
            if _inputs.is_stream(file):
                return self._classify_stream(file)
            file = _inputs.view_of(file)
        buffer = _from_buffer(file)
        numbers, result = self._place_for_result()
        error = lib.bf_classify(self._handle, buffer, len(buffer), result)
        if error:
            raise error_of(error)
        return self._result(source, result, numbers)

    def classify_many(self, files: Iterable[File], *, batch_size: int = 256) -> Iterator[Union[Result, Error]]:
        """Classifies files as they come, and yields the results in that order: small ones side by side on all threads.

        A file that has no answer costs one entry, an :class:`Error` with ``code``, ``message`` and ``subject``. What
        ``files`` itself raises, what a stream among them raises, and what is no file at all (TypeError), is raised after
        the results before it.

        Files are taken from the iterable in batches, so a buffer has to stay as it is until its answer comes: yield
        another one for each file, or ``bytes(buffer)``. Batches are never so large that Ctrl-C would wait long: at most
        ``batch_size`` files, and a fifth of a second's work or one file for each thread.

        >>> for answer in model.classify_many(["examples/data/frog.jpg", "missing.jpg"]):
        ...     print(answer.code if isinstance(answer, byteformer.Error) else answer.label)
        frog
        not_found
        """
        is_one_stream = callable(getattr(files, "read", None))  # whose parts would be files
        if _inputs.is_path(files) or isinstance(files, (bytes, bytearray)) or is_one_stream:
            raise TypeError(
                "classify_many takes many files: a list, or whatever else can be iterated; classify takes one. Those of a"
                " folder are pathlib.Path(folder).rglob('*')"
            )
        batch_size = _inputs.whole_number(batch_size, "batch_size")
        if batch_size < 1:
            raise Error.of("invalid_argument", f"batch_size is {batch_size}; expected at least 1")
        return Batches(self, files, batch_size).results()

    def stream(self) -> "Stream":
        """A file that arrives in pieces.

        >>> with model.stream() as s, open("examples/data/frog.jpg", "rb") as file:
        ...     while chunk := file.read(1024):
        ...         s.feed(chunk)
        ...     print(s.finish().label)
        frog
        """
        return Stream(self)

    def __repr__(self) -> str:
        labels = f"{len(self.labels)} classes" if len(self.labels) != 1 else "1 class"
        return f"<Classifier {self.path!r}: {labels}, reads {self.form}, {self.precision} on {self.kernels}>"

    def __reduce__(self) -> Tuple[Any, ...]:
        return _load, (type(self), self._folder, self._options)

    def _classify_stream(self, stream: Any) -> Result:
        name = _inputs.name_of(stream)
        with self.stream() as s:
            try:
                for chunk in _inputs.chunks_of(stream):
                    s.feed(chunk)
                result = s.finish()
            except Error as error:
                if error.subject or not name:
                    raise
                raise Error.of(error.code, f"{name}: {error.message}", name) from None
        result.source = name
        return result

    def _instead_of(self, error: Error, path: Any) -> Result:
        """The answer for what has more bytes than it says, as files of /proc have; raises ``error`` for others."""
        content = _inputs.hidden_content(path, error)
        if content is None:
            raise error
        result = self.classify(content)
        result.source = _inputs.name_of(path)
        return result

    def _place_for_result(self) -> Tuple[bytearray, Any]:
        numbers = bytearray(4 * self._num_numbers)
        place = _new("bf_result*")
        self._point(place, _from_buffer("float[]", numbers))
        return numbers, place

    def _point(self, place: Any, numbers: Any) -> None:
        """Makes a ``bf_result`` point to floats: logits, then features."""
        place.struct_size = _RESULT_BYTES
        place.logits = numbers
        place.logits_capacity = num_labels = len(self.labels)
        place.features = numbers + num_labels
        place.features_capacity = self.hidden_size

    def _result(self, source: str, place: Any, numbers: bytearray) -> Result:
        return Result(source, place.num_bytes, place.num_tokens, place.was_prepared != 0, numbers, self)


_RESULT_BYTES = ffi.sizeof("bf_result")
_MOST_THREADS = 1024


def preparer(folder: bytes, keys: Sequence[bytes]) -> Any:
    """Where the handle of one for the model in ``folder`` is."""
    key_paths = [_new("char[]", key) for key in keys]
    key_list = _new("char*[]", key_paths)
    options = _new("bf_preparer_options*", (ffi.sizeof("bf_preparer_options"), key_list, len(key_paths)))
    place = _inputs.place_of("bf_preparer**", lib.bf_preparer_free)
    check(lib.bf_preparer_load(folder, options, place))
    return place


def _preparer_or_why_not(folder: bytes, keys: Sequence[bytes]) -> Any:
    """That of a classifier for :func:`encode`, made with it because its folder may go; or the error to raise there."""
    try:
        if any(stat.S_ISFIFO(os.stat(key).st_mode) for key in keys):  # the classifier has read it, and it comes once
            message = "a key came out of a FIFO, which the classifier has read: name it again, encode(..., keys=[path])"
            return Error.of("invalid_argument", message)
        return preparer(folder, keys)
    except Error as error:  # as_is takes models whose keys are not there
        return error.with_traceback(None)
    except OSError as error:
        return Error.of("io", f"a key cannot be read again: {error.strerror}")


def _load(kind: Type[Classifier], path: str, options: Dict[str, Any]) -> Classifier:
    return kind(path, **options)


def _absolute(path: bytes) -> str:
    try:
        return os.fsdecode(os.path.abspath(path))
    except OSError:  # the current folder is gone: what is looked for from there will not be found
        return os.fsdecode(path)


def _text(text: Any) -> str:
    result: str = ffi.string(text).decode("utf-8", "backslashreplace")
    return result


class Stream:
    """A file that arrives in pieces of any size; see :meth:`Classifier.stream`. One thread at a time may use it.

    Memory does not grow with the file where the model reads bytes as they are. Otherwise the file is kept, 1 GiB at
    most, and prepared at its end.
    """

    def __init__(self, model: Classifier) -> None:
        self._model = model
        self._place = _inputs.place_of("bf_stream**", lib.bf_stream_free)
        check(lib.bf_stream_new(model._handle, self._place))
        self._handle: Any = self._place[0]

    def feed(self, data: Any) -> None:
        """Appends bytes, or a buffer of them.

        Raises :class:`Error` of code ``too_many_tokens`` once the file outgrows the model; the stream is useless then.
        """
        buffer = _from_buffer(_inputs.view_of(data, "bytes or a buffer of bytes"))
        check(lib.bf_stream_feed(self._open(), buffer, len(buffer)))

    def finish(self) -> Result:
        """Ends the file; the stream is then ready for the next one."""
        numbers, place = self._model._place_for_result()
        check(lib.bf_stream_finish(self._open(), place))
        return self._model._result("", place, numbers)

    def close(self) -> None:
        """Gives its memory back; also what the end of a ``with`` block does."""
        if self._handle is not None:
            self._handle = None
            ffi.release(self._place)

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("a Stream cannot be copied or pickled: it holds a part of a file")

    def _open(self) -> Any:
        if self._handle is None:
            raise ValueError("the stream is closed")
        return self._handle

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
