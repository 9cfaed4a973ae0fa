"""Transformers that read file bytes.

    m = byteformer.Classifier("models/cifar10")
    r = m.classify("photo.jpg")
    r.label, r.score

docs/python.md is the whole story.
"""

from ._classifier import Classifier, Prediction, Result, Stream, row
from ._errors import (
    AlreadyExistsError,
    EmptyFileError,
    Error,
    FileChangedError,
    InternalError,
    InvalidArgumentError,
    InvalidFormatError,
    InvalidModelError,
    IoError,
    NotARegularFileError,
    NotFoundError,
    NotPreparedError,
    OutOfMemoryError,
    PermissionDeniedError,
    ProgramError,
    TooManyTokensError,
    TrainerMissing,
    UnsupportedError,
)
from ._explain import Explanation, Window, encode, explain
from ._program import Progress, default_model, program, rekey, train
from ._version import __version__

__all__ = [
    "AlreadyExistsError",
    "Classifier",
    "EmptyFileError",
    "Error",
    "Explanation",
    "FileChangedError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidFormatError",
    "InvalidModelError",
    "IoError",
    "NotARegularFileError",
    "NotFoundError",
    "NotPreparedError",
    "OutOfMemoryError",
    "PermissionDeniedError",
    "Prediction",
    "ProgramError",
    "Progress",
    "Result",
    "Stream",
    "TooManyTokensError",
    "TrainerMissing",
    "UnsupportedError",
    "Window",
    "__version__",
    "default_model",
    "encode",
    "explain",
    "program",
    "rekey",
    "row",
    "train",
]
