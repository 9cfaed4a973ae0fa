"""Many files: taken from an iterable in batches, and answered in their order."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Optional, Union

from . import _inputs
from ._errors import Error, check, error_of
from ._inputs import File
from ._native import ffi, lib

if TYPE_CHECKING:
    from ._classifier import Classifier, Result


class _Batch:
    """Files that are answered by one call each for those in memory and those to read."""

    def __init__(self) -> None:
        self.answers: List[Any] = []  #: in the order of the files; None: not yet
        self.buffers: List[Any] = []
        self.buffer_places: List[int] = []  #: of the answers
        self.num_bytes = 0
        self.paths: List[Any] = []
        self.path_places: List[int] = []
        self.sources: Dict[int, str] = {}  #: paths, by place


class Batches:
    """The work of one :meth:`Classifier.classify_many`."""

    _MAX_BYTES = 64 << 20  # of the files of a batch
    _COLLECTING_S = 0.1  # what comes slowly is answered without waiting for more
    _SHORT_S, _LONG_S = 0.05, 0.2  # of a call into the library, which cannot be interrupted

    def __init__(self, model: "Classifier", files: Iterable[File], batch_size: int) -> None:
        self._model = model
        self._files = iter(files)
        self._batch_size = batch_size
        self._least = min(batch_size, model.threads)  # fewer would leave threads idle
        self._size = self._least
        self._most_bytes = 0  # in _LONG_S, as the last batch went
        self._is_done = False
        self._failure: Optional[Exception] = None
        self._places = ffi.new("bf_result[]", 0)
        self._numbers = bytearray()

    def results(self) -> Iterator[Union["Result", Error]]:
        while not self._is_done:
            yield from self._next_answers()
        if self._failure is not None:
            try:
                raise self._failure
            finally:
                self._failure = None  # which knows this frame

    def _next_answers(self) -> List[Any]:
        batch = self._collect()
        start = time.monotonic()
        self._answer(batch.buffers, batch.buffer_places, lib.bf_classify_many, "bf_buffer[]", batch)
        self._answer(batch.paths, batch.path_places, lib.bf_classify_paths, "char*[]", batch)
        seconds = time.monotonic() - start
        self._most_bytes = min(self._MAX_BYTES, int(batch.num_bytes / max(seconds, 1e-6) * self._LONG_S))
        if seconds > self._LONG_S:
            self._size = max(self._least, self._size // 2)
        elif seconds < self._SHORT_S:
            self._size = min(self._batch_size, 2 * self._size)
        return batch.answers

    def _collect(self) -> _Batch:
        batch = _Batch()
        end = time.monotonic() + self._COLLECTING_S
        try:
            while (count := len(batch.answers)) < self._size and time.monotonic() < end:
                if count >= self._least and batch.num_bytes >= self._most_bytes:
                    break
                try:
                    file = next(self._files)
                except StopIteration:
                    self._is_done = True
                    break
                self._add(file, batch)
        except Exception as failure:  # StopIteration of a file among it
            self._is_done = True
            self._failure = failure
        return batch

    def _add(self, file: File, batch: _Batch) -> None:
        place = len(batch.answers)
        answer: Union["Result", Error, None] = None
        try:
            if _inputs.is_path(file):
                path = _inputs.encoded_path(file)
                batch.paths.append(ffi.from_buffer("char[]", path))  # bytes of Python end in 0
                batch.path_places.append(place)
                batch.sources[place] = os.fsdecode(path)  # a PathLike is asked once: it may have another answer then
                try:
                    batch.num_bytes += os.stat(path).st_size
                except OSError:  # which has an answer of its own
                    pass
            elif _inputs.is_stream(file):
                answer = self._model._classify_stream(file)
            else:
                buffer = ffi.from_buffer(_inputs.view_of(file))
                batch.buffers.append((buffer, len(buffer)))
                batch.buffer_places.append(place)
                batch.num_bytes += len(buffer)
        except Error as error:
            answer = error
        batch.answers.append(answer)

    def _answer_instead_of(self, error: Error, path: str) -> Union["Result", Error]:
        try:
            return self._model._instead_of(error, path)
        except Error as failure:
            return failure

    def _answer(self, files: List[Any], places: List[int], call: Any, list_type: str, batch: _Batch) -> None:
        count = len(files)
        if count == 0:
            return
        model, width = self._model, 4 * self._model._num_numbers
        self._make_room(count)
        errors = ffi.new("bf_error*[]", count)
        check(call(model._handle, ffi.new(list_type, files), count, self._places, errors))
        for i, place in enumerate(places):
            path = batch.sources.get(place)
            if errors[i]:
                error = error_of(errors[i])
                batch.answers[place] = error if path is None else self._answer_instead_of(error, path)
            else:
                numbers = self._numbers[i * width : (i + 1) * width]
                batch.answers[place] = model._result(path or "", self._places[i], numbers)

    def _make_room(self, count: int) -> None:
        """For `count` results: one block of floats, whose parts the results point to."""
        if len(self._places) >= count:
            return
        self._numbers = bytearray(4 * self._model._num_numbers * count)
        self._places = ffi.new("bf_result[]", count)
        floats = ffi.from_buffer("float[]", self._numbers)
        for i in range(count):
            self._model._point(self._places[i], floats + i * self._model._num_numbers)
