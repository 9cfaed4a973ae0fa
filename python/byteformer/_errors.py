"""What can go wrong: one exception, which is also the built-in one that fits."""

from __future__ import annotations

import errno
import os
from typing import Any, Dict, Tuple, Type

from ._native import ffi, lib


class Error(Exception):
    """A failure of byteformer.

    ``code`` is stable, for programs: ``"too_many_tokens"``. ``message`` is a whole sentence for people, which names
    the file. ``subject`` is the path or tensor that it is about, or empty. Each code has a class of its own, which is also
    a :class:`FileNotFoundError`, :class:`PermissionError`, :class:`ValueError` ... where one fits.

    Among many files an error is a value, which :meth:`Classifier.classify_many` hands over in the place of a result.

    >>> error = Error.of("empty_file", "nothing.png: is empty: there is nothing to classify", "nothing.png")
    >>> isinstance(error, ValueError), error.code, error.subject
    (True, 'empty_file', 'nothing.png')
    """

    code: str = "internal"
    message: str
    subject: str

    _errno: int = errno.EIO  #: of kinds that are an OSError

    def __init__(self, message: str, subject: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.subject = subject
        if isinstance(self, OSError):
            _tell_system_error(self, self._errno, message, subject)

    @staticmethod
    def of(code: str, message: str, subject: str = "") -> "Error":
        """The exception of ``code``, not raised."""
        return _BY_CODE.get(code, InternalError)(message, subject)

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r})"

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.message, self.subject)


def _tell_system_error(error: OSError, number: int, message: str, subject: str) -> None:
    error.errno, error.strerror, error.filename = number, message, subject or None


class InvalidArgumentError(Error, ValueError):
    """The call makes no sense."""

    code = "invalid_argument"


class NotFoundError(Error, FileNotFoundError):
    """A path does not exist."""

    code = "not_found"
    _errno = errno.ENOENT


class PermissionDeniedError(Error, PermissionError):
    """A path exists, but may not be read or written."""

    code = "permission_denied"
    _errno = errno.EACCES


class NotARegularFileError(Error, OSError):
    """A folder, pipe or device where a file was expected."""

    code = "not_a_regular_file"
    _errno = errno.EINVAL


class EmptyFileError(Error, ValueError):
    """A file of no bytes: there is nothing to classify."""

    code = "empty_file"


class TooManyTokensError(Error, ValueError):
    """The file is longer than the model's learned positions allow."""

    code = "too_many_tokens"


class FileChangedError(Error, OSError):
    """The file grew or shrank while it was read."""

    code = "file_changed"
    _errno = errno.EBUSY


class IoError(Error, OSError):
    """The system failed to read or write."""

    code = "io"
    _errno = errno.EIO


class AlreadyExistsError(Error, FileExistsError):
    """The output exists, and would have been overwritten."""

    code = "already_exists"
    _errno = errno.EEXIST


class InvalidFormatError(Error, ValueError):
    """A configuration, a checkpoint, a picture or a sound is malformed."""

    code = "invalid_format"


class InvalidModelError(Error, ValueError):
    """Configuration and weights contradict each other, or weights are not finite."""

    code = "invalid_model"


class UnsupportedError(Error, RuntimeError):
    """Well-formed, but something that this build or this processor does not have."""

    code = "unsupported"


class InternalError(Error, RuntimeError):
    """A bug in byteformer."""

    code = "internal"


class NotPreparedError(Error, ValueError):
    """The bytes are evidently not in the form that the model reads."""

    code = "not_prepared"


class OutOfMemoryError(Error, MemoryError):
    """There is not enough memory."""

    code = "out_of_memory"


class TrainerMissing(UnsupportedError):
    """The program ``byteformer-train`` is not installed; the message says how to get it."""


class ProgramError(Error, RuntimeError):
    """The program ``byteformer`` failed; the message is what it said. ``exit_status`` is as its manual has it."""

    code = "program_failed"

    def __init__(self, message: str, subject: str = "", exit_status: int = 3) -> None:
        super().__init__(message, subject)
        self.exit_status = exit_status

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.message, self.subject, self.exit_status)


_BY_CODE: Dict[str, Type[Error]] = {kind.code: kind for kind in Error.__subclasses__()}


def error_of(error: Any) -> Error:
    """The exception for a ``bf_error*``, which is freed."""
    code = ffi.string(lib.bf_error_name(error)).decode()
    message = ffi.string(lib.bf_error_message(error)).decode("utf-8", "backslashreplace")
    size = ffi.new("size_t*")
    subject = ffi.buffer(lib.bf_error_subject(error, size), size[0])[:]
    lib.bf_error_free(error)
    return Error.of(code, message, os.fsdecode(subject))


def check(error: Any) -> None:
    """Raises what a call to the C library returned."""
    if error:
        raise error_of(error)
